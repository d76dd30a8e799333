//! Short streams: open, 64 bytes there, the same 64 back, end of both directions. 64 of them at any time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::asking::until_answered;
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Open, Peer, Stream};
use crate::task::spawn;

const IN_FLIGHT: usize = 64;
const MESSAGE: usize = 64;

pub(crate) async fn run<P: Peer>(
    client: P::Open,
    server: P::Accept,
    streams: u64,
) -> io::Result<Measurement> {
    let left = Arc::new(AtomicU64::new(streams));
    let stopwatch = Stopwatch::start();
    let asker = |asker| spawn::<P, _>(ask(client.clone(), asker as u8, left.clone()));
    let askers = (0..IN_FLIGHT).map(asker).collect();
    until_answered::<P, _, _>(askers, server, answer).await?;
    Ok(stopwatch.stop(streams))
}

/// Opens one stream after the other until there are enough.
async fn ask(mut client: impl Open, asker: u8, left: Arc<AtomicU64>) -> io::Result<()> {
    let mut room = [0; 2 * MESSAGE];
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let message = Bytes::from(vec![asker; MESSAGE]);
        let mut stream = client.open().await?;
        stream.write(&message).await?;
        stream.finish().await?;
        let count = read_to_end(&mut stream, &mut room).await?;
        if room[..count] != message {
            return Err(io::Error::other(format!("{count} bytes came back, not what was sent")));
        }
    }
    Ok(())
}

async fn answer(mut stream: impl Stream) -> io::Result<()> {
    let mut room = [0; 2 * MESSAGE];
    let count = read_to_end(&mut stream, &mut room).await?;
    stream.write(&Bytes::copy_from_slice(&room[..count])).await?;
    stream.finish().await
}

/// Fills `room` until the end of the stream, and says how far.
async fn read_to_end(stream: &mut impl Stream, room: &mut [u8; 2 * MESSAGE]) -> io::Result<usize> {
    let mut scratch = [0; 2 * MESSAGE];
    let mut count = 0;
    loop {
        let piece = stream.read(&mut scratch).await?;
        if piece.is_empty() {
            return Ok(count);
        }
        let rest = room.get_mut(count..count + piece.len());
        rest.ok_or_else(|| io::Error::other("more came than was sent"))?.copy_from_slice(&piece);
        count += piece.len();
    }
}
