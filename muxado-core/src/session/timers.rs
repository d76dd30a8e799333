//! The time limits of one session. At most one sleep runs at a time (B25), for the earliest of them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::rt::Runtime;

/// What a time limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Small credit has waited long enough.
    Credit,
    /// Time to look after dropped streams with bytes unsent.
    Sweep,
    /// The earliest deadline of a stream has passed.
    Stream,
    /// A drain, a close or the peer's GOAWAY has had its time.
    Deadline,
    /// The transport has taken nothing for too long.
    Stall,
    /// The goodbye has had its time.
    Goodbye,
}

const LIMITS: [Limit; 6] =
    [Limit::Credit, Limit::Sweep, Limit::Stream, Limit::Deadline, Limit::Stall, Limit::Goodbye];

/// The limits that run, and the sleep for the earliest.
#[derive(Debug)]
pub(crate) struct Timers<T: Runtime> {
    runtime: T,
    due: [Option<Instant>; LIMITS.len()],
    sleep: Option<(Instant, Sleep<T>)>,
}

struct Sleep<T: Runtime>(Pin<Box<T::Sleep>>);

impl<T: Runtime> std::fmt::Debug for Sleep<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sleep")
    }
}

impl<T: Runtime> Timers<T> {
    pub(crate) fn new(runtime: T) -> Timers<T> {
        Timers { runtime, due: Default::default(), sleep: None }
    }

    /// Starts a limit that does not run yet.
    pub(crate) fn start(&mut self, limit: Limit, after: Duration) {
        if self.due[limit as usize].is_none() {
            self.due[limit as usize] = self.runtime.now().checked_add(after);
        }
    }

    /// Starts a limit, or makes it earlier.
    pub(crate) fn advance(&mut self, limit: Limit, after: Duration) {
        let due = self.runtime.now().checked_add(after);
        let old = self.due[limit as usize];
        self.due[limit as usize] = match (old, due) {
            (Some(old), Some(due)) => Some(old.min(due)),
            (old, due) => due.or(old),
        };
    }

    /// Starts a limit anew, at an instant of its own, or stops it.
    pub(crate) fn set(&mut self, limit: Limit, due: Option<Instant>) {
        self.due[limit as usize] = due;
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }

    pub(crate) fn stop(&mut self, limit: Limit) {
        self.due[limit as usize] = None;
    }

    /// The next limit that has passed; it runs no more. Pending with the task registered for the earliest one.
    ///
    /// A sleep that has become too early is kept: it is cheaper to wake once for nothing than to make a new one each
    /// time a limit moves.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Limit> {
        loop {
            let Some(earliest) = self.due.iter().flatten().min().copied() else { return Poll::Pending };
            let runtime = &self.runtime;
            let sleep_until = |due: Instant| {
                let left = due.saturating_duration_since(runtime.now());
                (due, Sleep::<T>(Box::pin(runtime.sleep(left))))
            };
            let (until, sleep) = match self.sleep.take() {
                Some((until, sleep)) if until <= earliest => self.sleep.insert((until, sleep)),
                _ => self.sleep.insert(sleep_until(earliest)),
            };
            let until = *until;
            if sleep.0.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
            // A runtime's clock may be coarse: what the sleep was for has passed when the sleep says so.
            let now = self.runtime.now().max(until);
            for limit in LIMITS {
                if self.due[limit as usize].is_some_and(|due| due <= now) {
                    self.stop(limit);
                    return Poll::Ready(limit);
                }
            }
        }
    }
}
