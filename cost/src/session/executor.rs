//! Tasks in turn on one thread, and a clock that stands still: the same run every time.

use std::future::{Future, Pending, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

use crate::measure::Fault;

pub(super) type Task = Pin<Box<dyn Future<Output = Result<(), Fault>>>>;

/// Whether a task has been woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One task with its waker; done tasks are none.
struct Slot {
    task: Option<Task>,
    flag: Arc<Flag>,
    waker: Waker,
}

/// Runs `applications` to their end, and `background` for as long as that takes.
pub(super) fn run(applications: Vec<Task>, background: Vec<Task>) -> Result<(), Fault> {
    let mut left = applications.len();
    let mut slots: Vec<Slot> = applications.into_iter().chain(background).map(Slot::new).collect();
    let waited = left;
    while left > 0 {
        let mut moved = false;
        for (index, slot) in slots.iter_mut().enumerate() {
            if !slot.flag.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            moved = true;
            if slot.poll()? && index < waited {
                left -= 1;
            }
        }
        if !moved {
            return Err("everybody waits for somebody".into());
        }
    }
    Ok(())
}

impl Slot {
    fn new(task: Task) -> Slot {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        Slot { task: Some(task), waker: Waker::from(flag.clone()), flag }
    }

    /// Polls the task once. Whether it is done now.
    fn poll(&mut self) -> Result<bool, Fault> {
        let Some(task) = &mut self.task else { return Ok(false) };
        match task.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(result) => {
                self.task = None;
                result.map(|()| true)
            }
            Poll::Pending => Ok(false),
        }
    }
}

/// A runtime in which no time passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Still(Instant);

impl Still {
    pub(super) fn new() -> Still {
        Still(Instant::now())
    }
}

impl Runtime for Still {
    type Sleep = Pending<()>;

    /// The drivers are run by `run`; nothing else is ever spawned.
    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

    fn now(&self) -> Instant {
        self.0
    }

    fn sleep(&self, _: Duration) -> Pending<()> {
        pending()
    }
}
