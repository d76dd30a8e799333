//! One stream, one direction, writes of 64 KiB; every byte is checked where it arrives.

use std::io;

use super::pattern::{BLOCK, Pattern};
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Stream};

pub(crate) async fn run<S: Stream>(
    mut client: impl Open<Stream = S>,
    mut server: impl Accept<Stream = S>,
    bytes: u64,
) -> io::Result<Measurement> {
    let pattern = Pattern::new();
    let stopwatch = Stopwatch::start();
    let writer = tokio::spawn(write(client.open().await?, bytes, pattern.clone()));
    let received = read(server.accept().await?, pattern).await?;
    writer.await??;
    if received != bytes {
        return Err(io::Error::other(format!("{bytes} bytes were written, {received} arrived")));
    }
    Ok(stopwatch.stop(bytes))
}

async fn write(mut stream: impl Stream, bytes: u64, pattern: Pattern) -> io::Result<()> {
    let mut position = 0;
    while position < bytes {
        let len = (bytes - position).min(BLOCK as u64);
        stream.write(&pattern.at(position, len as usize)).await?;
        position += len;
    }
    stream.finish().await
}

async fn read(mut stream: impl Stream, pattern: Pattern) -> io::Result<u64> {
    let mut room = vec![0; BLOCK];
    let mut position = 0;
    loop {
        let piece = stream.read(&mut room).await?;
        if piece.is_empty() {
            return Ok(position);
        }
        if !pattern.matches(position, &piece) {
            return Err(io::Error::other(format!("wrong bytes at {position}")));
        }
        position += piece.len() as u64;
    }
}
