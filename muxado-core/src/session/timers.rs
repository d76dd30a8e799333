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
    /// Writing has failed, and what the peer said before has had its time to come.
    LastWords,
    /// The goodbye has had its time.
    Goodbye,
}

const LIMITS: [Limit; 7] = [
    Limit::Credit,
    Limit::Sweep,
    Limit::Stream,
    Limit::Deadline,
    Limit::Stall,
    Limit::LastWords,
    Limit::Goodbye,
];

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

    /// Starts a limit, anew if it runs.
    pub(crate) fn restart(&mut self, limit: Limit, after: Duration) {
        self.set(limit, self.runtime.now().checked_add(after));
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

    /// The next limit that has passed, and the time that it is; it runs no more. Pending with the task registered for the
    /// earliest one.
    ///
    /// A sleep that has become too early is kept: it is cheaper to wake once for nothing than to make a new one each
    /// time a limit moves.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Limit, Instant)> {
        loop {
            let wants_poll = self.alarm.set(cx.waker());
            if !wants_poll && !std::mem::take(&mut self.is_news) {
                return Poll::Pending;
            }
            let Some(earliest) = self.due.iter().flatten().min().copied() else {
                // A sleep that rang is not asked again.
                self.sleep.take_if(|_| wants_poll);
                return Poll::Pending;
            };
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
                    return Poll::Ready((limit, now));
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::Waker;

    use muxado_testkit::{Counter, counter};

    use super::*;

    /// A clock that is set by hand. Its sleeps count how often they are asked.
    #[derive(Clone, Default)]
    pub(in crate::session) struct Clock(Arc<Mutex<Hands>>);

    struct Hands {
        now: Instant,
        asleep: Vec<(Instant, Waker)>,
        asked: usize,
        /// The next sleep to be asked has no time for it, and wakes at once.
        is_busy: bool,
    }

    impl Default for Hands {
        fn default() -> Hands {
            Hands { now: Instant::now(), asleep: Vec::new(), asked: 0, is_busy: false }
        }
    }

    pub(in crate::session) struct Until(Clock, Instant);

    impl Future for Until {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut hands = self.0.0.lock().unwrap();
            hands.asked += 1;
            if std::mem::take(&mut hands.is_busy) {
                drop(hands);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if hands.now >= self.1 {
                return Poll::Ready(());
            }
            hands.asleep.push((self.1, cx.waker().clone()));
            Poll::Pending
        }
    }

    impl Runtime for Clock {
        type Sleep = Until;

        fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

        fn now(&self) -> Instant {
            self.0.lock().unwrap().now
        }

        fn sleep(&self, duration: Duration) -> Until {
            Until(self.clone(), self.now() + duration)
        }
    }

    /// A task that polls the timers when it is woken.
    struct Task {
        clock: Clock,
        timers: Timers<Clock>,
        woken: (Arc<Counter>, Waker),
        /// Wake-ups that it has heeded.
        seen: usize,
    }

    impl Task {
        fn new() -> Task {
            let clock = Clock::default();
            Task { timers: Timers::new(clock.clone()), clock, woken: counter(), seen: 0 }
        }

        /// One that waits for a limit.
        fn waiting(limit: Limit, millis: u64) -> Task {
            let mut task = Task::new();
            task.start(limit, millis);
            assert_eq!(task.poll(), []);
            task
        }

        fn start(&mut self, limit: Limit, millis: u64) {
            self.timers.start(limit, Duration::from_millis(millis));
        }

        /// Polls for some other reason.
        fn poll(&mut self) -> Vec<Limit> {
            let mut cx = Context::from_waker(&self.woken.1);
            std::iter::from_fn(|| match self.timers.poll(&mut cx) {
                Poll::Ready((limit, _)) => Some(limit),
                Poll::Pending => None,
            })
            .collect()
        }

        /// Lets time pass, and polls as often as it is woken.
        fn pass(&mut self, millis: u64) -> Vec<Limit> {
            let mut hands = self.clock.0.lock().unwrap();
            hands.now += Duration::from_millis(millis);
            let now = hands.now;
            let (rung, asleep) =
                std::mem::take(&mut hands.asleep).into_iter().partition(|sleep| sleep.0 <= now);
            hands.asleep = asleep;
            drop(hands);
            let rung: Vec<(Instant, Waker)> = rung;
            rung.into_iter().for_each(|(_, waker)| waker.wake());
            self.run()
        }

        fn run(&mut self) -> Vec<Limit> {
            let mut passed = Vec::new();
            while self.seen < self.woken.0.count() {
                self.seen = self.woken.0.count();
                passed.extend(self.poll());
            }
            passed
        }

        fn asked(&self) -> usize {
            self.clock.0.lock().unwrap().asked
        }
    }

    #[test]
    fn b25_a_sleep_is_asked_only_when_it_rang() {
        let mut task = Task::new();
        task.start(Limit::Credit, 10);
        (0..100).for_each(|_| assert_eq!(task.poll(), []));
        assert_eq!(task.asked(), 1);
        assert_eq!(task.pass(10), [Limit::Credit]);
        assert_eq!(task.asked(), 2);
    }

    #[test]
    fn all_limits_that_are_due_pass_at_once() {
        let mut task = Task::new();
        for (limit, after) in [(Limit::Stall, 30), (Limit::Credit, 10), (Limit::Sweep, 20)] {
            task.start(limit, after);
        }
        assert_eq!(task.poll(), []);
        assert_eq!(task.pass(25), [Limit::Credit, Limit::Sweep]);
        assert_eq!(task.pass(5), [Limit::Stall]);
    }

    #[test]
    fn a_limit_that_begins_later_and_is_earlier_is_not_missed() {
        let mut task = Task::waiting(Limit::Stall, 1000);
        task.start(Limit::Credit, 10);
        assert_eq!(task.poll(), []);
        assert_eq!(task.pass(10), [Limit::Credit]);
        task.timers.advance(Limit::Stall, Duration::from_millis(50));
        assert_eq!(task.poll(), []);
        assert_eq!(task.pass(50), [Limit::Stall]);
    }

    #[test]
    fn a_limit_that_runs_begins_anew_only_if_that_is_meant() {
        let mut task = Task::waiting(Limit::Stall, 10);
        assert_eq!(task.pass(5), []);
        task.start(Limit::Stall, 10);
        assert_eq!((task.poll(), task.pass(5)), (vec![], vec![Limit::Stall]));
        task.start(Limit::Stall, 10);
        assert_eq!((task.poll(), task.pass(5)), (vec![], vec![]));
        task.timers.restart(Limit::Stall, Duration::from_millis(10));
        assert_eq!((task.poll(), task.pass(5)), (vec![], vec![]));
        assert_eq!(task.pass(5), [Limit::Stall]);
    }

    #[test]
    fn a_sleep_that_rang_for_nothing_serves_nobody_else() {
        let mut task = Task::waiting(Limit::Stall, 10);
        task.timers.stop(Limit::Stall);
        assert_eq!(task.pass(10), [], "it woke the task for nothing");
        task.start(Limit::Stall, 10);
        assert_eq!(task.poll(), []);
        assert_eq!(task.pass(10), [Limit::Stall]);
    }

    #[test]
    fn another_task_is_woken_from_the_moment_it_polls() {
        let mut task = Task::waiting(Limit::Stall, 10);
        let (first, _) = std::mem::replace(&mut task.woken, counter());
        assert_eq!(task.poll(), []);
        assert_eq!(task.pass(10), [Limit::Stall]);
        assert_eq!(first.count(), 0);
    }

    #[test]
    fn a_sleep_that_has_no_time_for_it_is_asked_again() {
        let mut task = Task::new();
        task.start(Limit::Stall, 10);
        task.clock.0.lock().unwrap().is_busy = true;
        assert_eq!(task.poll(), []);
        assert_eq!(task.run(), []);
        assert_eq!(task.pass(10), [Limit::Stall]);
    }
}
