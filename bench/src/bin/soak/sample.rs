//! What the process holds: memory, files, and what the run counts. Sampled once a second.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use stats_alloc::INSTRUMENTED_SYSTEM;

use crate::pair::World;

/// One moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    /// Bytes of memory that the system counts for the process, and that are allocated on the heap.
    pub(crate) rss: u64,
    pub(crate) heap: u64,
    pub(crate) files: u64,
    pub(crate) tasks: u64,
    pub(crate) sessions: u64,
    pub(crate) streams: u64,
    /// Streams and bytes so far.
    pub(crate) ended: u64,
    pub(crate) bytes: u64,
    /// Nothing was going on: no stream, and no session but the long-lived ones.
    pub(crate) at_rest: bool,
}

impl Sample {
    pub(crate) fn take(world: &World, start: Instant, at_rest: bool) -> Sample {
        let heap = INSTRUMENTED_SYSTEM.stats();
        let totals = &world.totals;
        Sample {
            at: start.elapsed(),
            rss: rss().unwrap_or(0),
            heap: heap.bytes_allocated.saturating_sub(heap.bytes_deallocated) as u64,
            files: files().unwrap_or(0),
            tasks: tasks(world),
            sessions: totals.live_sessions.load(Relaxed),
            streams: totals.live_streams.load(Relaxed),
            ended: totals.streams.load(Relaxed),
            bytes: totals.bytes.load(Relaxed),
            at_rest,
        }
    }
}

/// Tasks alive on both runtimes.
pub(crate) fn tasks(world: &World) -> u64 {
    world.flavours.iter().map(|flavour| flavour.metrics().num_alive_tasks() as u64).sum()
}

/// Open files of this process; none where the system does not tell.
pub(crate) fn files() -> Option<u64> {
    // One of them is the folder itself, at every count.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64)
}

/// Resident bytes. The second field is in pages, which have 4 KiB wherever this has been run.
fn rss() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

/// The samples as a table for other programs.
pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut text = String::from("seconds,rss,heap,files,tasks,sessions,streams,ended,bytes,at_rest\n");
    for s in samples {
        let _ = writeln!(
            text,
            "{:.1},{},{},{},{},{},{},{},{},{}",
            s.at.as_secs_f64(),
            s.rss,
            s.heap,
            s.files,
            s.tasks,
            s.sessions,
            s.streams,
            s.ended,
            s.bytes,
            u8::from(s.at_rest),
        );
    }
    text
}
