//! 64 streams at once, one direction; together as many bytes as bulk1.

use std::io;

use super::bulk1::{check_count, read, write};
use super::pattern::Pattern;
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer};
use crate::task::spawn;

const STREAMS: u64 = 64;

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    bytes: u64,
) -> io::Result<Measurement> {
    let pattern = Pattern::new();
    let stopwatch = Stopwatch::start();
    let (mut readers, mut writers) = (Vec::new(), Vec::new());
    for _ in 0..STREAMS {
        let stream = client.open().await?;
        let pattern = pattern.clone();
        writers.push(spawn::<P, _>(write(stream, bytes / STREAMS, pattern)));
    }
    for _ in 0..STREAMS {
        let stream = server.accept().await?;
        let pattern = pattern.clone();
        let reading = async move { check_count(bytes / STREAMS, read(stream, pattern).await?) };
        readers.push(spawn::<P, _>(reading));
    }
    for reader in readers {
        reader.await?;
    }
    for writer in writers {
        writer.await?;
    }
    Ok(stopwatch.stop(bytes))
}
