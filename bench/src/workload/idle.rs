//! Streams that are open on both sides, each used once in both directions, and then rest: what one of them costs in
//! memory, and what is left of that once all have ended.

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
    for pair in &mut open {
        end(pair).await?;
    }
    drop(open);
    // Once both directions of the last stream are over on either side, so are those of all before it.
    end(&mut pair(&mut client, &mut server).await?).await?;
    let left = grown_since(before) / streams as f64;
    drop(first);
    Ok(measured.with("B/stream", per_stream).with("once closed", left))
}

/// Ends both directions.
async fn end<S: Stream>((near, far): &mut (S, S)) -> io::Result<()> {
    let mut room = [0; 16];
    near.finish().await?;
    check(&far.read(&mut room).await?, b"")?;
    far.finish().await?;
    check(&near.read(&mut room).await?, b"")
}

async fn pair<S: Stream>(
    client: &mut impl Open<Stream = S>,
    server: &mut impl Accept<Stream = S>,
) -> io::Result<(S, S)> {
    let mut near = client.open().await?;
    near.write(&Bytes::from_static(b"x")).await?;
    let mut far = server.accept().await?;
    let mut room = [0; 16];
    check(&far.read(&mut room).await?, b"x")?;
    far.write(&Bytes::from_static(b"y")).await?;
    check(&near.read(&mut room).await?, b"y")?;
    Ok((near, far))
}

fn check(came: &[u8], expected: &[u8]) -> io::Result<()> {
    if came == expected { Ok(()) } else { Err(io::Error::other("something else came than was sent")) }
}
