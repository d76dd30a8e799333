//! Many streams that say "hello" and end, none of them waiting for another.

use std::io;

use bytes::Bytes;

use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Stream};
use crate::task::spawn;

const HELLO: &[u8] = b"hello";

pub(crate) async fn run<P: Peer>(
    client: P::Open,
    mut server: P::Accept,
    streams: u64,
) -> io::Result<Measurement> {
    let stopwatch = Stopwatch::start();
    let (mut greeting, mut hearing) = (Vec::new(), Vec::new());
    for _ in 0..streams {
        let mut client = client.clone();
        greeting.push(spawn::<P, _>(async move {
            let mut stream = client.open().await?;
            stream.write(&Bytes::from_static(HELLO)).await?;
            stream.finish().await?;
            // Until the other side has ended too: some take a stream that is dropped before for one that is cancelled.
            let mut room = [0; 16];
            while !stream.read(&mut room).await?.is_empty() {}
            Ok(())
        }));
    }
    for _ in 0..streams {
        let stream = server.accept().await?;
        hearing.push(spawn::<P, _>(hear(stream)));
    }
    for heard in hearing {
        heard.await?;
    }
    for greeted in greeting {
        greeted.await?;
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
