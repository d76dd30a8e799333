//! 64 streams at once, one direction; together as many bytes as bulk1.

use std::io;

use tokio::task::JoinSet;

use super::bulk1::{check_count, read, write};
use super::pattern::Pattern;
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Stream};

const STREAMS: u64 = 64;

pub(crate) async fn run<S: Stream>(
    mut client: impl Open<Stream = S>,
    mut server: impl Accept<Stream = S>,
    bytes: u64,
) -> io::Result<Measurement> {
    let pattern = Pattern::new();
    let stopwatch = Stopwatch::start();
    let (mut tasks, mut writers) = (JoinSet::new(), Vec::new());
    for _ in 0..STREAMS {
        let stream = client.open().await?;
        let pattern = pattern.clone();
        writers.push(tokio::spawn(write(stream, bytes / STREAMS, pattern)));
    }
    for _ in 0..STREAMS {
        let stream = server.accept().await?;
        let pattern = pattern.clone();
        tasks.spawn(async move { check_count(bytes / STREAMS, read(stream, pattern).await?) });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    for writer in writers {
        writer.await??;
    }
    Ok(stopwatch.stop(bytes))
}
