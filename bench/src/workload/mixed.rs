//! Requests of mixed sizes, each on a stream of its own: most are small, few are large, and as many bytes come back. 32 of
//! them at any time, so that the small ones meet the large ones.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::asking::until_answered;
use super::bulk1::{self, check_count};
use super::pattern::{BLOCK, Pattern};
use crate::measure::{Measurement, Stopwatch, percentile};
use crate::peer::{Open, Peer, Stream};
use crate::task::spawn;

const IN_FLIGHT: usize = 32;

const SMALL: u64 = 100;
const LARGE: u64 = 1 << 20;

/// Of a hundred requests, 72 are of 100 bytes, 20 of 4 KiB, 7 of 64 KiB and one of 1 MiB.
fn size(request: u64) -> u64 {
    // Far apart from its neighbours, and each remainder once in a hundred.
    match request.wrapping_mul(37) % 100 {
        0 => LARGE,
        1..=7 => 64 << 10,
        8..=27 => 4 << 10,
        _ => SMALL,
    }
}

pub(crate) async fn run<P: Peer>(
    client: P::Open,
    server: P::Accept,
    requests: u64,
) -> io::Result<Measurement> {
    let pattern = Pattern::new();
    let work = Arc::new(Work { requests, next: AtomicU64::new(0) });
    let stopwatch = Stopwatch::start();
    let asker = |_| spawn::<P, _>(ask(client.clone(), work.clone(), pattern.clone()));
    let askers = (0..IN_FLIGHT).map(asker).collect();
    let times = until_answered::<P, _, _>(askers, server, bulk1::echo).await?;
    let measured = stopwatch.stop(requests);
    let times = times.concat();
    let of = |wanted: u64| times.iter().filter(move |(size, _)| *size == wanted).map(|(_, time)| *time);
    let mut large: Vec<_> = of(LARGE).collect();
    large.sort_unstable();
    Ok(measured.with_times(of(SMALL).collect()).with("large p50 ms", percentile(&large, 0.5) / 1000.0))
}

/// What all askers share.
#[derive(Debug)]
struct Work {
    requests: u64,
    next: AtomicU64,
}

/// Asks until there is nothing left to ask. Gives of each request its size, and how long it took.
async fn ask(mut client: impl Open, work: Arc<Work>, pattern: Pattern) -> io::Result<Vec<(u64, Duration)>> {
    let mut room = vec![0; BLOCK];
    let mut times = Vec::new();
    loop {
        let request = work.next.fetch_add(1, Ordering::Relaxed);
        if request >= work.requests {
            return Ok(times);
        }
        let size = size(request);
        let start = Instant::now();
        let mut stream = client.open().await?;
        let (mut sent, mut back) = (0, 0);
        // A block at a time, so that whoever answers while it reads never waits for a reader of the answer.
        while back < size {
            if sent < size {
                let len = (size - sent).min(BLOCK as u64);
                stream.write(&pattern.at(sent, len as usize)).await?;
                sent += len;
                if sent == size {
                    stream.finish().await?;
                }
            }
            while back < sent {
                let piece = stream.read(&mut room).await?;
                if piece.is_empty() || !pattern.matches(back, &piece) {
                    return Err(io::Error::other(format!("wrong bytes at {back} of {size}")));
                }
                back += piece.len() as u64;
            }
        }
        check_count(size, back)?;
        if !stream.read(&mut room).await?.is_empty() {
            return Err(io::Error::other("more came back than was sent"));
        }
        times.push((size, start.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_requests_have_the_sizes_they_should() {
        let of = |wanted: u64| (300..400).filter(|request| size(*request) == wanted).count();
        assert_eq!([of(SMALL), of(4096), of(65_536), of(LARGE)], [72, 20, 7, 1]);
    }
}
