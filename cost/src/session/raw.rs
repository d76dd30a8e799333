//! A session whose peer writes literal bytes: frames that ours would never send.

use std::future::poll_fn;
use std::pin::Pin;

use futures_io::AsyncWrite;
use muxado_core::Side;
use muxado_frame::{Flags, StreamId, data_header};

use super::transport::{self, Calls};
use super::{executor, read, start};
use crate::measure::{Fault, Outcome, Tally, counted};

/// Frames in one write of the peer.
const AT_ONCE: u64 = 500;

/// One byte in a frame, on and on, to a reader that keeps up.
pub(super) fn one_byte_frames(amount: u64) -> Outcome {
    let calls = Calls::default();
    let (mut peer, near) = transport::pair(&calls);
    let (session, driver) = start(Side::Server, near);
    let id = StreamId::first(Side::Client);
    let write = async move {
        let frame = [&data_header(id, 1, Flags::NONE)[..], b"x"].concat();
        let wire = frame.repeat(500);
        put(&mut peer.write, &data_header(id, 0, Flags::SYN)).await?;
        for _ in 0..amount / AT_ONCE {
            put(&mut peer.write, &wire).await?;
        }
        put(&mut peer.write, &data_header(id, 0, Flags::FIN)).await?;
        // What the session answers is not of interest, but its transport must stay.
        std::future::pending::<Result<(), Fault>>().await
    };
    let reader = async move {
        let mut stream = session.accept().await?;
        let mut room = vec![0; 64 * 1024];
        while read(&mut stream, &mut room).await? > 0 {}
        Ok(())
    };
    counted(|| executor::run(vec![Box::pin(reader)], vec![Box::pin(write), driver]))?;
    Ok(Tally { calls: calls.get(), wire: amount * 9 })
}

async fn put(to: &mut transport::Writer, mut bytes: &[u8]) -> Result<(), Fault> {
    while !bytes.is_empty() {
        let taken = poll_fn(|cx| Pin::new(&mut *to).poll_write(cx, bytes)).await?;
        bytes = bytes.get(taken..).unwrap_or(&[]);
    }
    Ok(())
}
