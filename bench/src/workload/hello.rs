//! Many streams that say "hello" and end, none of them waiting for another.

use std::io;

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Stream};

const HELLO: &[u8] = b"hello";

pub(crate) async fn run<S: Stream>(
    client: impl Open<Stream = S>,
    mut server: impl Accept<Stream = S>,
    streams: u64,
) -> io::Result<Measurement> {
    let stopwatch = Stopwatch::start();
    let mut tasks = JoinSet::new();
    for _ in 0..streams {
        let mut client = client.clone();
        tasks.spawn(async move {
            let mut stream = client.open().await?;
            stream.write(&Bytes::from_static(HELLO)).await?;
            stream.finish().await?;
            // Until the other side has ended too: some take a stream that is dropped before for one that is cancelled.
            let mut room = [0; 16];
            while !stream.read(&mut room).await?.is_empty() {}
            Ok::<_, io::Error>(())
        });
    }
    for _ in 0..streams {
        let stream = server.accept().await?;
        tasks.spawn(hear(stream));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(stopwatch.stop(streams))
}

async fn hear(mut stream: impl Stream) -> io::Result<()> {
    let mut room = [0; 64];
    let mut heard = Vec::new();
    loop {
        let piece = stream.read(&mut room).await?;
        if piece.is_empty() {
            break;
        }
        heard.extend_from_slice(&piece);
    }
    stream.finish().await?;
    if heard == HELLO { Ok(()) } else { Err(io::Error::other("something else was said")) }
}
