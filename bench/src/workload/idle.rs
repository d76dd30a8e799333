//! Streams that are open on both sides, each used once in both directions, and then rest: what one of them costs in
//! memory.

use std::io;

use bytes::Bytes;

use crate::measure::{Measurement, Stopwatch, grown_since, resident};
use crate::peer::{Accept, Open, Peer, Stream};

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    streams: u64,
) -> io::Result<Measurement> {
    // What the session needs anyway is there before.
    let first = pair(&mut client, &mut server).await?;
    let before = resident();
    let stopwatch = Stopwatch::start();
    let mut open = Vec::with_capacity(streams as usize);
    for _ in 0..streams {
        open.push(pair(&mut client, &mut server).await?);
    }
    let measured = stopwatch.stop(streams);
    let per_stream = grown_since(before) / streams as f64;
    drop((first, open));
    Ok(measured.with("B/stream", per_stream))
}

async fn pair<S: Stream>(
    client: &mut impl Open<Stream = S>,
    server: &mut impl Accept<Stream = S>,
) -> io::Result<(S, S)> {
    let mut near = client.open().await?;
    near.write(&Bytes::from_static(b"x")).await?;
    let mut far = server.accept().await?;
    let mut room = [0; 16];
    if far.read(&mut room).await?.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    far.write(&Bytes::from_static(b"x")).await?;
    if near.read(&mut room).await?.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((near, far))
}
