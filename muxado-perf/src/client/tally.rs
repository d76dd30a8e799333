//! What a test has done so far: its tasks add to it, and whoever measures looks at it from time to time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is told from longer ones: an hour, in nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;

/// Digits of a time that are right.
const DIGITS: u8 = 3;

#[derive(Debug)]
pub(super) struct Tally {
    up: AtomicU64,
    down: AtomicU64,
    exchanges: AtomicU64,
    /// In nanoseconds.
    times: Mutex<Histogram<u64>>,
}

/// How far a test has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Bytes that the server has taken.
    pub(super) up: u64,
    /// Bytes that have come.
    pub(super) down: u64,
    /// Messages that came back, or streams that did.
    pub(super) exchanges: u64,
}

/// How long exchanges took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    #[serde(rename = "p99.9")]
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Tally {
    pub(super) fn new() -> anyhow::Result<Tally> {
        let times = Mutex::new(Histogram::new_with_bounds(1, LONGEST, DIGITS)?);
        Ok(Tally { up: 0.into(), down: 0.into(), exchanges: 0.into(), times })
    }

    pub(super) fn add_up(&self, bytes: u64) {
        self.up.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_down(&self, bytes: u64) {
        self.down.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_exchange(&self, took: Duration) {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        self.histogram().saturating_record(u64::try_from(took.as_nanos()).unwrap_or(LONGEST));
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            up: self.up.load(Ordering::Relaxed),
            down: self.down.load(Ordering::Relaxed),
            exchanges: self.exchanges.load(Ordering::Relaxed),
        }
    }

    /// Forgets the times so far: they were for warming up.
    pub(super) fn forget_times(&self) {
        self.histogram().reset();
    }

    /// None if there were none.
    pub(super) fn times(&self) -> Option<Times> {
        let histogram = self.histogram();
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        (!histogram.is_empty()).then(|| Times {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
        })
    }

    fn histogram(&self) -> MutexGuard<'_, Histogram<u64>> {
        // A record is made or not made, whatever panics.
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// What was done since then.
    pub(super) fn since(self, before: Counts) -> Counts {
        Counts {
            up: self.up.saturating_sub(before.up),
            down: self.down.saturating_sub(before.down),
            exchanges: self.exchanges.saturating_sub(before.exchanges),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let tally = Tally::new().unwrap();
        assert_eq!(tally.times(), None);
        tally.add_exchange(Duration::from_secs(7));
        tally.forget_times();
        for micros in 1..=1000 {
            tally.add_exchange(Duration::from_micros(micros));
        }
        let times = tally.times().unwrap();
        let close = |value: f64, expected: f64| (value - expected).abs() <= expected / 900.0;
        assert!(close(times.p50, 500.0) && close(times.p90, 900.0), "{times:?}");
        assert!(close(times.p99, 990.0) && close(times.p999, 999.0) && close(times.max, 1000.0), "{times:?}");
        assert_eq!(tally.counts().exchanges, 1001);
    }

    #[test]
    fn a_time_without_end_is_still_a_time() {
        let tally = Tally::new().unwrap();
        tally.add_exchange(Duration::MAX);
        assert!(tally.times().unwrap().max >= 3.6e9);
    }
}
