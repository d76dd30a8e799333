//! 64 bytes there and back, one after the other; alone, or while a bulk stream fills the session.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::pattern::{BLOCK, Pattern};
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Stream};
use crate::task::{detach, spawn};

const MESSAGE: usize = 64;

/// What each message says: no two bytes are alike, so that none can be missing or in another's place.
pub(super) const CONTENT: [u8; MESSAGE] = {
    let mut content = [0; MESSAGE];
    let mut at = 0;
    while at < MESSAGE {
        content[at] = at as u8 + 1;
        at += 1;
    }
    content
};

/// Messages before the first that counts.
const WARM_UP: u64 = 500;

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    messages: u64,
) -> io::Result<Measurement> {
    let (asking, answering) = streams(&mut client, &mut server).await?;
    let stopwatch = Stopwatch::start();
    let answering = spawn::<P, _>(answer(answering));
    let times = ask(asking, messages).await?;
    answering.await?;
    Ok(stopwatch.stop(messages).with_times(times))
}

pub(crate) async fn busy<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    messages: u64,
) -> io::Result<Measurement> {
    let mut bulk = client.open().await?;
    let pattern = Pattern::new();
    bulk.write(&pattern.at(0, 1)).await?;
    let mut drain = server.accept().await?;
    let received = Arc::new(AtomicU64::new(0));
    let (counted, expected) = (received.clone(), pattern.clone());
    let is_wrong = Arc::new(AtomicBool::new(false));
    let wrong = is_wrong.clone();
    detach::<P>(async move {
        let (mut room, mut position) = (vec![0; BLOCK], 0);
        while let Ok(piece) = drain.read(&mut room).await {
            if piece.is_empty() {
                break;
            }
            wrong.fetch_or(!expected.matches(position, &piece), Ordering::Relaxed);
            position += piece.len() as u64;
            counted.store(position, Ordering::Relaxed);
        }
    });
    detach::<P>(async move {
        let mut position = 1;
        while bulk.write(&pattern.at(position, BLOCK)).await.is_ok() {
            position += BLOCK as u64;
        }
    });
    let (asking, answering) = streams(&mut client, &mut server).await?;
    let answering = spawn::<P, _>(answer(answering));
    let before = received.load(Ordering::Relaxed);
    let stopwatch = Stopwatch::start();
    let times = ask(asking, messages).await?;
    let measured = stopwatch.stop(messages);
    let gib = (received.load(Ordering::Relaxed) - before) as f64 / (1_u64 << 30) as f64;
    answering.await?;
    if is_wrong.load(Ordering::Relaxed) {
        return Err(io::Error::other("wrong bytes in the bulk stream"));
    }
    let rate = gib / measured.seconds;
    Ok(measured.with_times(times).with("bulk GiB/s", rate))
}

async fn streams<S: Stream>(
    client: &mut impl Open<Stream = S>,
    server: &mut impl Accept<Stream = S>,
) -> io::Result<(S, S)> {
    let mut asking = client.open().await?;
    asking.write(&Bytes::from_static(&CONTENT)).await?;
    let mut answering = server.accept().await?;
    receive(&mut answering).await?;
    Ok((asking, answering))
}

async fn ask(mut stream: impl Stream, messages: u64) -> io::Result<Vec<Duration>> {
    let message = Bytes::from_static(&CONTENT);
    let mut times = Vec::with_capacity(messages as usize);
    for number in 0..WARM_UP + messages {
        let start = Instant::now();
        stream.write(&message).await?;
        if !receive(&mut stream).await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if number >= WARM_UP {
            times.push(start.elapsed());
        }
    }
    stream.finish().await?;
    while receive(&mut stream).await? {}
    Ok(times)
}

async fn answer(mut stream: impl Stream) -> io::Result<()> {
    let message = Bytes::from_static(&CONTENT);
    while receive(&mut stream).await? {
        stream.write(&message).await?;
    }
    stream.finish().await
}

/// Takes one message, which must be the one that all are; false at the end of the stream.
pub(super) async fn receive(stream: &mut impl Stream) -> io::Result<bool> {
    let mut room = [0; MESSAGE];
    let mut left = MESSAGE;
    while left > 0 {
        let piece = stream.read(&mut room[..left]).await?;
        if piece.is_empty() {
            return Ok(false);
        }
        if !CONTENT[MESSAGE - left..].starts_with(&piece) {
            return Err(io::Error::other("another message came than was sent"));
        }
        left -= piece.len();
    }
    Ok(true)
}
