//! Short sessions: connect, 64 bytes there and back on one stream, and the end. 8 of them at any time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::rtt::{CONTENT, receive};
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Setting, Stream};
use crate::task::spawn;

const IN_FLIGHT: usize = 8;

pub(crate) async fn run<P: Peer>(setting: Setting, sessions: u64) -> io::Result<Measurement> {
    let left = Arc::new(AtomicU64::new(sessions));
    let stopwatch = Stopwatch::start();
    let user = |_| spawn::<P, _>(connect::<P>(setting, left.clone()));
    let users: Vec<_> = (0..IN_FLIGHT).map(user).collect();
    for user in users {
        user.await?;
    }
    Ok(stopwatch.stop(sessions))
}

/// One session after the other until there are enough.
async fn connect<P: Peer>(setting: Setting, left: Arc<AtomicU64>) -> io::Result<()> {
    let message = Bytes::from_static(&CONTENT);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let (mut client, mut server) = P::pair(setting).await?;
        let mut asking = client.open().await?;
        asking.write(&message).await?;
        let mut answering = server.accept().await?;
        let asked = receive(&mut answering).await?;
        answering.write(&message).await?;
        let answered = receive(&mut asking).await?;
        if !(asked && answered) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        asking.finish().await?;
        answering.finish().await?;
    }
    Ok(())
}
