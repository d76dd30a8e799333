//! One look under the lock before each write: fills the batch, and brings what is new to the driver.

use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};

use super::driver::{BATCH, Driver};
use super::timers::Limit;
use crate::rt::Runtime;

/// Sweeps are never closer together, whatever the drain limit is: they must not keep the driver from anything else.
const SWEEP: Duration = Duration::from_millis(10);

impl<R, W, T> Driver<R, W, T>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    T: Runtime,
{
    /// Fills an empty batch. Returns what is in the batch. The clock is looked at only if the time counts and the machine
    /// was not just `told`.
    pub(super) fn pull(&mut self, cx: &mut Context<'_>, told: bool) -> usize {
        let has_held_back = std::mem::take(&mut self.holds_back);
        if !self.pull_once(cx, told, None, has_held_back) {
            let now = self.shared.age();
            self.pull_once(cx, true, Some(now), has_held_back);
        }
        self.write.batch.drop_copied();
        self.write.batch.len()
    }

    /// Fills an empty batch, and leaves the driver's waker under the same lock that saw nothing more to send. False if
    /// the machine must be told the time first.
    fn pull_once(
        &mut self,
        cx: &mut Context<'_>,
        told: bool,
        now: Option<Duration>,
        has_held_back: bool,
    ) -> bool {
        let delay = self.shared.config().credit_delay();
        let waker = cx.waker().clone();
        let (batch, reported) = (&mut self.write.batch, std::mem::take(&mut self.write.unreported));
        let blocked = !batch.is_empty() || self.broken.is_some();
        let news = self.shared.with_driver(&mut self.woken, |state| {
            if let Some(now) = now {
                state.mux.handle_time(now);
            }
            state.mux.handle_written(reported);
            let driver = &mut state.driver;
            let holds_back = !blocked && !has_held_back && state.mux.is_trickle();
            let may_pull = !blocked && !holds_back;
            let timed =
                (may_pull && state.mux.transmits_by_time()) || driver.small_credit.is_news(&state.mux);
            let lacks_time = timed && !told;
            if !lacks_time {
                driver.small_credit.look(&state.mux, delay);
                if may_pull {
                    driver.small_credit.go_along(&mut state.mux);
                    state.mux.poll_transmit(batch, BATCH);
                }
                driver.small_credit.arm(&state.mux);
            }
            // If this was all, whoever has more wakes the driver, even while it still writes.
            let has_more = !holds_back && (blocked || state.mux.wants_transmit());
            driver.write_blocked = has_more;
            let old = driver.waker.replace(waker);
            driver.sweep_armed |= state.mux.has_lingering();
            News {
                lacks_time,
                holds_back,
                has_more,
                lazy: driver.small_credit.is_armed(),
                lingering: driver.sweep_armed,
                deadline: state.deadlines.news(),
                peer_leaving: state.mux.is_peer_leaving(),
                limit: state.limit.take(),
                ended: state.mux.is_ended(),
                _old: old,
            }
        });
        self.heed(&news);
        !news.lacks_time
    }

    fn heed(&mut self, news: &News) {
        self.holds_back = news.holds_back;
        self.has_more = news.has_more;
        if news.lazy {
            self.timers.start(Limit::Credit, self.shared.config().credit_delay());
        }
        if news.lingering {
            self.timers.start(Limit::Sweep, (self.shared.config().drain_timeout() / 2).max(SWEEP));
        }
        if let Some(deadline) = news.deadline {
            self.timers.set(Limit::Stream, deadline);
        }
        if news.peer_leaving && !std::mem::replace(&mut self.peer_leaving, true) {
            self.timers.advance(Limit::Deadline, self.shared.config().drain_timeout());
        }
        if let Some(limit) = news.limit {
            self.timers.advance(Limit::Deadline, limit);
        }
        if news.ended {
            self.say_goodbye();
        }
    }
}

/// What the driver learns under the lock.
struct News {
    /// Nothing was pulled, for want of the time.
    lacks_time: bool,
    holds_back: bool,
    has_more: bool,
    lazy: bool,
    lingering: bool,
    /// The earliest deadline of a stream, if that has changed.
    deadline: Option<Option<Instant>>,
    peer_leaving: bool,
    limit: Option<Duration>,
    ended: bool,
    /// The waker that was replaced: dropped outside the lock.
    _old: Option<Waker>,
}
