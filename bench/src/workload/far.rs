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
    let pattern = Pattern::new();
    let stopwatch = Stopwatch::start();
    let mut near = client.open().await?;
    let sent = pattern.clone();
    detach::<P>(async move {
        let mut position = 0;
        while near.write(&sent.at(position, BLOCK)).await.is_ok() {
            position += BLOCK as u64;
        }
    });
    let mut received = 0;
    let reading = async {
        let mut far = server.accept().await?;
        let mut room = vec![0; BLOCK];
        loop {
            let piece = far.read(&mut room).await?;
            if piece.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if !pattern.matches(received, &piece) {
                return Err(io::Error::other(format!("wrong bytes at {received}")));
            }
            received += piece.len() as u64;
        }
    };
    if let Some(result) = within::<P, _>(Duration::from_millis(millis), reading).await {
        result?;
    }
    Ok(stopwatch.stop(received))
}
