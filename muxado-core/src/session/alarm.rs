//! Tells whether a sleep wants to be polled, so that a busy driver does not ask it each time.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use super::sync::{AtomicBool, Mutex, MutexGuard};

/// The waker that a sleep gets: it wakes the task that the alarm is set for.
#[derive(Debug)]
pub(super) struct Alarm {
    bell: Arc<Bell>,
    waker: Waker,
    /// Whom the bell was last told to wake.
    task: Option<Waker>,
}

#[derive(Debug, Default)]
struct Bell {
    /// Whom to wake; nobody once it rang.
    task: Mutex<Option<Waker>>,
    rang: AtomicBool,
}

impl Default for Alarm {
    fn default() -> Alarm {
        let bell = Arc::new(Bell::default());
        Alarm { waker: Waker::from(bell.clone()), bell, task: None }
    }
}

impl Alarm {
    /// Sets it for the task of `current`. Says whether it rang since it was last set, or was for another task: then the
    /// sleep must be polled, or nobody may be woken.
    #[must_use]
    pub(super) fn set(&mut self, current: &Waker) -> bool {
        // One that rings after this look wakes the task, which looks again.
        let is_set = !self.bell.rang.load(Ordering::Acquire);
        if is_set && self.task.as_ref().is_some_and(|task| task.will_wake(current)) {
            return false;
        }
        self.task = Some(current.clone());
        // A waker is foreign code: cloned before the lock is taken, and dropped after.
        let _old = self.bell.set(current.clone());
        true
    }

    /// The waker for the sleep.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl Bell {
    fn set(&self, task: Waker) -> Option<Waker> {
        let mut old = self.task();
        self.rang.store(false, Ordering::Release);
        old.replace(task)
    }

    fn ring(&self) -> Option<Waker> {
        let mut task = self.task();
        self.rang.store(true, Ordering::Release);
        task.take()
    }

    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(task) = self.ring() {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use muxado_testkit::counter;

    use super::*;

    #[test]
    fn it_says_when_it_rang_and_when_the_task_is_another() {
        let ((one, first), (other, second)) = (counter(), counter());
        let mut alarm = Alarm::default();
        assert!(alarm.set(&first), "it was never set");
        assert!(!alarm.set(&first));
        assert!(alarm.set(&second), "another task");
        let sleep = alarm.waker().clone();
        sleep.wake_by_ref();
        sleep.wake();
        assert_eq!((one.count(), other.count()), (0, 1));
        assert!(alarm.set(&second), "it rang");
        assert!(!alarm.set(&second));
    }
}
