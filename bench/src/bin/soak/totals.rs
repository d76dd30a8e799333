//! What has been done so far in the whole run, and everything that was wrong.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Counters of the run. Gauges are counters that go down again.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Pairs of sessions that have ended, and those that live.
    pub(crate) sessions: AtomicU64,
    pub(crate) live_sessions: AtomicU64,
    /// Ends of streams that have ended, both sides counted, and those that live.
    pub(crate) streams: AtomicU64,
    pub(crate) live_streams: AtomicU64,
    /// Payload bytes that arrived and were right.
    pub(crate) bytes: AtomicU64,
    /// Clean ends of streams, each with all of the bytes.
    pub(crate) clean: AtomicU64,
    /// Streams that failed, as planned or with their session.
    pub(crate) cut_off: AtomicU64,
    /// Streams that were refused and never seen by the other side.
    pub(crate) refused: AtomicU64,
    /// Closes with a code, and how many of them the other side did not learn of.
    pub(crate) closes: AtomicU64,
    pub(crate) lost_goodbyes: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Totals {
    /// Something is wrong: it is said at once, and the run ends with an error.
    pub(crate) fn fail(&self, what: String) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < 20 {
            eprintln!("WRONG: {what}");
        }
        failures.push(what);
    }

    pub(crate) fn failures(&self) -> usize {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Counts one up until the guard is dropped.
    pub(crate) fn count<'a>(live: &'a AtomicU64, ended: &'a AtomicU64) -> Counted<'a> {
        live.fetch_add(1, Relaxed);
        Counted { live, ended }
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} pairs of sessions, {} ends of streams ({} clean, {} cut off, {} refused), {:.1} GiB checked, {} of {} \
             goodbyes lost",
            self.sessions.load(Relaxed),
            self.streams.load(Relaxed),
            self.clean.load(Relaxed),
            self.cut_off.load(Relaxed),
            self.refused.load(Relaxed),
            self.bytes.load(Relaxed) as f64 / f64::from(1 << 30),
            self.lost_goodbyes.load(Relaxed),
            self.closes.load(Relaxed),
        )
    }
}

/// One of something that lives.
#[derive(Debug)]
pub(crate) struct Counted<'a> {
    live: &'a AtomicU64,
    ended: &'a AtomicU64,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Relaxed);
        self.ended.fetch_add(1, Relaxed);
    }
}
