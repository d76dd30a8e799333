//! A whole session: two of ours with their drivers, locks and wakers, and a transport in memory that behaves as a
//! socket does under tokio.

mod bulk;
mod churn;
mod executor;
mod raw;
mod transport;

use std::future::poll_fn;
use std::pin::Pin;

use futures_io::{AsyncRead, AsyncWrite};
use muxado_core::{Config, Session, Side, Stream};

use crate::measure::{Fault, Measure, Outcome, Tally, Unit, counted};
use executor::{Still, Task};
use transport::{Calls, End};

pub(crate) const MEASURES: &[Measure] = &[
    Measure::new("session/bulk-copied", Unit::BulkFrame, 2048, bulk::copied),
    Measure::new("session/bulk-bytes", Unit::BulkFrame, 2048, bulk::chunks),
    Measure::new("session/bulk-16-streams", Unit::BulkFrame, 2048, bulk::many),
    Measure::new("session/one-by-one", Unit::Stream, 1000, churn::one_by_one),
    Measure::new("session/16-at-a-time", Unit::Stream, 1600, churn::many),
    Measure::new("session/ping-pong", Unit::RoundTrip, 1000, churn::ping_pong),
    Measure::new("session/one-byte-frames", Unit::Frame, 20_000, raw::one_byte_frames),
];

/// Two sessions of ours and what drives them.
struct Connected {
    client: Session,
    server: Session,
    drivers: Vec<Task>,
    calls: Calls,
}

fn connect() -> Connected {
    let calls = Calls::default();
    let (near, far) = transport::pair(&calls);
    let (client, to_server) = start(Side::Client, near);
    let (server, to_client) = start(Side::Server, far);
    Connected { client, server, drivers: vec![to_server, to_client], calls }
}

fn start(side: Side, end: End) -> (Session, Task) {
    let (session, driver) = Session::from_halves(side, end.read, end.write, &Config::default(), Still::new());
    let driver = driver.vectored(true);
    let task = Box::pin(async move {
        driver.await;
        Ok(())
    });
    (session, task)
}

impl Connected {
    /// Runs the applications to their end, and counts the calls that took.
    fn run(self, applications: Vec<Task>) -> Outcome {
        counted(|| executor::run(applications, self.drivers))?;
        Ok(Tally { calls: self.calls.get(), wire: 0 })
    }
}

async fn write_all(stream: &mut Stream, mut bytes: &[u8]) -> Result<(), Fault> {
    while !bytes.is_empty() {
        let taken = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await?;
        bytes = bytes.get(taken..).unwrap_or(&[]);
    }
    Ok(())
}

/// Reads once. 0: the stream has ended.
async fn read(stream: &mut Stream, room: &mut [u8]) -> Result<usize, Fault> {
    Ok(poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, room)).await?)
}
