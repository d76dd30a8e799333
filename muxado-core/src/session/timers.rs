//! The time limits of one session. At most one sleep runs at a time (B25), for the earliest of them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::alarm::Alarm;
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
    /// The sleep may not be for the earliest of them.
    is_news: bool,
    sleep: Option<Sleep<T>>,
    alarm: Alarm,
}

/// A sleep that was polled, and is not polled again before the alarm rings.
struct Sleep<T: Runtime> {
    until: Instant,
    future: Pin<Box<T::Sleep>>,
}

impl<T: Runtime> std::fmt::Debug for Sleep<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sleep").field("until", &self.until).finish_non_exhaustive()
    }
}

impl<T: Runtime> Timers<T> {
    pub(crate) fn new(runtime: T) -> Timers<T> {
        Timers { runtime, due: Default::default(), is_news: false, sleep: None, alarm: Alarm::default() }
    }

    /// Starts a limit that does not run yet.
    pub(crate) fn start(&mut self, limit: Limit, after: Duration) {
        if self.due[limit as usize].is_none() {
            self.set(limit, self.runtime.now().checked_add(after));
        }
    }

    /// Starts a limit, or makes it earlier.
    pub(crate) fn advance(&mut self, limit: Limit, after: Duration) {
        let due = self.runtime.now().checked_add(after);
        let old = self.due[limit as usize];
        let earlier = match (old, due) {
            (Some(old), Some(due)) => Some(old.min(due)),
            (old, due) => due.or(old),
        };
        self.set(limit, earlier);
    }

    /// Starts a limit anew, at an instant of its own, or stops it.
    pub(crate) fn set(&mut self, limit: Limit, due: Option<Instant>) {
        self.due[limit as usize] = due;
        self.is_news = true;
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
            let wants_poll = self.alarm.set(cx.waker());
            if !wants_poll && !std::mem::take(&mut self.is_news) {
                return Poll::Pending;
            }
            let Some(earliest) = self.due.iter().flatten().min().copied() else { return Poll::Pending };
            let sleep = match &mut self.sleep {
                Some(sleep) if sleep.until <= earliest => {
                    if !wants_poll {
                        return Poll::Pending;
                    }
                    sleep
                }
                _ => {
                    let left = earliest.saturating_duration_since(self.runtime.now());
                    let future = Box::pin(self.runtime.sleep(left));
                    self.sleep.insert(Sleep { until: earliest, future })
                }
            };
            let until = sleep.until;
            if sleep.future.as_mut().poll(&mut Context::from_waker(self.alarm.waker())).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
            self.is_news = true;
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
