//! How a test goes: its tasks run, the first moments do not count, each second is shown, and it ends by itself, by the
//! clock, by a failure or because somebody presses ctrl-c. Whatever happens, what was measured until then is kept.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::tally::{Counts, Tally, Times};
use crate::cpu;

/// A test of which nothing has moved for so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Over less than this a rate is chance.
const SHORTEST: Duration = Duration::from_millis(100);

/// When a test ends by the clock; one without ends when its tasks have done their share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Before anything counts.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// A part of a test, for a task of its own.
pub(super) type Work = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// A test that is about to begin: its streams are there, and nothing has been done on them.
pub(super) struct Course {
    pub(super) work: Vec<Work>,
    pub(super) tally: Arc<Tally>,
    /// Tells the tasks to come to an end.
    pub(super) stop: CancellationToken,
    pub(super) clock: Option<Clock>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) counts: Counts,
    pub(super) times: Option<Times>,
    pub(super) intervals: Vec<Interval>,
}

/// About a second of a test.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Interval {
    pub(crate) seconds: f64,
    pub(crate) upload_bytes: u64,
    pub(crate) download_bytes: u64,
    pub(crate) exchanges: u64,
}

/// The state of things at one moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    cpu: Option<Duration>,
    counts: Counts,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    /// It has been measured, and comes to an end.
    Over,
}

impl Course {
    /// Runs it to its end. What has ended it early is told besides what was measured until then.
    pub(super) async fn run(
        self,
        progress: &Progress,
        interrupt: &CancellationToken,
    ) -> (Outcome, anyhow::Result<()>) {
        let Course { work, tally, stop, clock: limit } = self;
        let start = Mark::of(&tally);
        let mut tasks: JoinSet<_> = work.into_iter().collect();
        let (mut begin, mut end, mut error) = (start, None, None);
        let (mut phase, mut change) = match limit {
            Some(clock) if clock.warm_up.is_zero() => (Phase::Measured, Some(start.at + clock.duration)),
            Some(clock) => (Phase::WarmUp, Some(start.at + clock.warm_up)),
            None => (Phase::Measured, None),
        };
        let mut ticks = Ticks { last: start, moved: start, intervals: Vec::new() };
        let second = Duration::from_secs(1);
        let mut clock = interval_at((start.at + second).into(), second);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = change.unwrap_or(start.at).into();
            tokio::select! {
                biased;
                () = interrupt.cancelled() => error = Some(anyhow!("interrupted")),
                // A task has done its share and stops the others. What those still have on its way counts no more.
                () = stop.cancelled(), if phase == Phase::Measured => {
                    let now = Mark::of(&tally);
                    error = ticks.tick(now, start, phase, progress).err();
                    clock.reset();
                    (phase, end, change) = (Phase::Over, Some(now), None);
                }
                ended = tasks.join_next() => match ended {
                    None => break,
                    Some(ended) => error = ended.context("a task failed").and_then(|result| result).err(),
                },
                () = sleep_until(due), if change.is_some() => {
                    let now = Mark::of(&tally);
                    // A phase ends with a second of its own, however long that is.
                    error = ticks.tick(now, start, phase, progress).err();
                    clock.reset();
                    change = None;
                    if let (Phase::WarmUp, Some(clock)) = (phase, limit) {
                        (phase, begin, change) = (Phase::Measured, now, Some(now.at + clock.duration));
                        tally.forget_times();
                    } else {
                        (phase, end) = (Phase::Over, Some(now));
                        stop.cancel();
                    }
                }
                _ = clock.tick() => error = ticks.tick(Mark::of(&tally), start, phase, progress).err(),
            }
            if error.is_some() {
                break;
            }
        }
        let end = end.unwrap_or_else(|| Mark::of(&tally));
        // What is left of it would only disturb what comes next.
        tasks.shutdown().await;
        let outcome = Outcome {
            seconds: (end.at - begin.at).as_secs_f64(),
            cpu_seconds: end.cpu.zip(begin.cpu).map(|(end, begin)| end.saturating_sub(begin).as_secs_f64()),
            counts: end.counts.since(begin.counts),
            times: tally.times(),
            intervals: ticks.intervals,
        };
        (outcome, error.map_or(Ok(()), Err))
    }
}

impl Mark {
    fn of(tally: &Tally) -> Mark {
        Mark { at: Instant::now(), cpu: cpu::time(), counts: tally.counts() }
    }
}

/// What happens each second.
struct Ticks {
    /// The last second's end.
    last: Mark,
    /// When something had moved.
    moved: Mark,
    intervals: Vec<Interval>,
}

impl Ticks {
    fn tick(&mut self, now: Mark, start: Mark, phase: Phase, progress: &Progress) -> anyhow::Result<()> {
        if now.at - self.last.at < SHORTEST {
            return Ok(());
        }
        let done = now.counts.since(self.last.counts);
        let interval = Interval {
            seconds: (now.at - self.last.at).as_secs_f64(),
            upload_bytes: done.up,
            download_bytes: done.down,
            exchanges: done.exchanges,
        };
        self.last = now;
        match phase {
            Phase::WarmUp => progress.show(now.at - start.at, &interval, "warming up"),
            Phase::Measured => {
                progress.show(now.at - start.at, &interval, "");
                self.intervals.push(interval);
            }
            Phase::Over => progress.show(now.at - start.at, &interval, "coming to an end"),
        }
        if now.counts != self.moved.counts {
            self.moved = now;
        }
        let still = now.at - self.moved.at;
        anyhow::ensure!(still < PATIENCE, "nothing has moved for {} s", still.as_secs());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(clock: Option<Clock>) -> Course {
        let tally = Arc::new(Tally::new().unwrap());
        Course { work: Vec::new(), tally, stop: CancellationToken::new(), clock }
    }

    async fn run(course: Course) -> (Outcome, anyhow::Result<()>) {
        course.run(&Progress::silent(), &CancellationToken::new()).await
    }

    #[tokio::test]
    async fn without_a_clock_it_ends_when_all_is_done() {
        let mut course = course(None);
        for _ in 0..3 {
            let tally = course.tally.clone();
            course.work.push(Box::pin(async move {
                tally.add_up(5);
                Ok(())
            }));
        }
        let (outcome, result) = run(course).await;
        assert_eq!((outcome.counts.up, result.is_ok()), (15, true));
    }

    #[tokio::test]
    async fn by_the_clock_it_tells_the_tasks_to_end_and_what_comes_then_does_not_count() {
        let moment = Duration::from_millis(1);
        let mut course = course(Some(Clock { warm_up: moment, duration: moment }));
        let (tally, stop) = (course.tally.clone(), course.stop.clone());
        tally.add_down(1);
        course.work.push(Box::pin(async move {
            stop.cancelled().await;
            tally.add_down(100);
            Ok(())
        }));
        let (outcome, result) = run(course).await;
        assert_eq!((outcome.counts.down, result.is_ok()), (0, true));
    }

    #[tokio::test]
    async fn when_a_task_tells_the_others_to_end_what_comes_then_does_not_count() {
        let mut course = course(None);
        let (tally, stop) = (course.tally.clone(), course.stop.clone());
        course.work.push(Box::pin(async move {
            stop.cancelled().await;
            // After whoever measures has had its turn.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            tally.add_down(100);
            Ok(())
        }));
        let (tally, stop) = (course.tally.clone(), course.stop.clone());
        course.work.push(Box::pin(async move {
            tally.add_exchange(Duration::from_millis(1));
            stop.cancel();
            Ok(())
        }));
        let (outcome, result) = run(course).await;
        assert_eq!((outcome.counts.exchanges, outcome.counts.down, result.is_ok()), (1, 0, true));
    }

    #[tokio::test]
    async fn a_failure_ends_it_and_leaves_what_was_done() {
        let mut course = course(None);
        let tally = course.tally.clone();
        course.work.push(Box::pin(std::future::pending()));
        course.work.push(Box::pin(async move {
            tally.add_exchange(Duration::from_millis(1));
            Err(anyhow!("broken"))
        }));
        let (outcome, result) = run(course).await;
        assert_eq!(outcome.counts.exchanges, 1);
        assert_eq!(result.unwrap_err().to_string(), "broken");
    }

    #[tokio::test]
    async fn ctrl_c_ends_it() {
        let mut course = course(None);
        course.work.push(Box::pin(std::future::pending()));
        let interrupt = CancellationToken::new();
        interrupt.cancel();
        let (_, result) = course.run(&Progress::silent(), &interrupt).await;
        assert_eq!(result.unwrap_err().to_string(), "interrupted");
    }

    #[test]
    fn a_test_that_stands_still_fails() {
        let at = Instant::now();
        let mark = |seconds, up| Mark {
            at: at + Duration::from_secs(seconds),
            cpu: None,
            counts: Counts { up, ..Counts::default() },
        };
        let start = mark(0, 0);
        let mut ticks = Ticks { last: start, moved: start, intervals: Vec::new() };
        let mut tick = |now| ticks.tick(now, start, Phase::Measured, &Progress::silent());
        tick(mark(29, 0)).unwrap();
        tick(mark(30, 1)).unwrap();
        tick(mark(59, 1)).unwrap();
        assert_eq!(tick(mark(60, 1)).unwrap_err().to_string(), "nothing has moved for 30 s");
    }
}
