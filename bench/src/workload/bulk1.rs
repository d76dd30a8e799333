//! One stream, one direction, writes of 64 KiB; every byte is checked where it arrives.

use std::io;

use bytes::Bytes;

use super::pattern::{BLOCK, Pattern};
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Piece, Stream};
use crate::task::spawn;

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    bytes: u64,
) -> io::Result<Measurement> {
    let pattern = Pattern::new();
    let stopwatch = Stopwatch::start();
    let writer = spawn::<P, _>(write(client.open().await?, bytes, pattern.clone()));
    let received = read(server.accept().await?, pattern).await?;
    writer.await?;
    check_count(bytes, received)?;
    Ok(stopwatch.stop(bytes))
}

pub(super) fn check_count(written: u64, received: u64) -> io::Result<()> {
    if written == received {
        return Ok(());
    }
    Err(io::Error::other(format!("{written} bytes were written, {received} arrived")))
}

/// Writes and ends the stream, and gives it back: some take one that is dropped before the reader is done for cancelled.
pub(crate) async fn write<S: Stream>(mut stream: S, bytes: u64, pattern: Pattern) -> io::Result<S> {
    let mut position = 0;
    while position < bytes {
        let len = (bytes - position).min(BLOCK as u64);
        stream.write(&pattern.at(position, len as usize)).await?;
        position += len;
    }
    stream.finish().await?;
    Ok(stream)
}

pub(crate) async fn read(mut stream: impl Stream, pattern: Pattern) -> io::Result<u64> {
    let mut room = vec![0; BLOCK];
    let mut position = 0;
    loop {
        let piece = stream.read(&mut room).await?;
        if piece.is_empty() {
            stream.finish().await?;
            return Ok(position);
        }
        if !pattern.matches(position, &piece) {
            return Err(io::Error::other(format!("wrong bytes at {position}")));
        }
        position += piece.len() as u64;
    }
}

/// Gives back what comes, as it comes.
pub(crate) async fn echo(mut stream: impl Stream) -> io::Result<()> {
    let mut room = vec![0; BLOCK];
    loop {
        let piece = stream.read(&mut room).await?;
        if piece.is_empty() {
            return stream.finish().await;
        }
        let piece = match piece {
            Piece::InRoom(bytes) => Bytes::copy_from_slice(bytes),
            Piece::Owned(bytes) => bytes,
        };
        stream.write(&piece).await?;
    }
}
