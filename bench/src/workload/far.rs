//! One stream for a while, over whatever line there is: how much has arrived by then.

use std::io;
use std::time::Duration;

use super::pattern::{BLOCK, Pattern};
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Stream};
use crate::task::{detach, within};

/// Runs for `millis` milliseconds.
pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    millis: u64,
) -> io::Result<Measurement> {
    let block = Pattern::new().at(0, BLOCK);
    let stopwatch = Stopwatch::start();
    let mut near = client.open().await?;
    detach::<P>(async move { while near.write(&block).await.is_ok() {} });
    let mut received = 0;
    let reading = async {
        let mut far = server.accept().await?;
        let mut room = vec![0; BLOCK];
        loop {
            let count = far.read(&mut room).await?.len();
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            received += count as u64;
        }
    };
    if let Some(result) = within::<P, _>(Duration::from_millis(millis), reading).await {
        result?;
    }
    Ok(stopwatch.stop(received))
}
