//! Tells whether a sleep wants to be polled, so that a busy driver does not ask it each time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The waker that a sleep gets. It wakes the task that the alarm is set for, and remembers that it did.
#[derive(Debug)]
pub(super) struct Alarm {
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Bell {
    rang: AtomicBool,
    /// Whom to wake; nobody once it rang.
    task: Mutex<Option<Waker>>,
}

impl Default for Alarm {
    fn default() -> Alarm {
        let bell = Arc::new(Bell::default());
        Alarm { waker: Waker::from(bell.clone()), bell }
    }
}

impl Alarm {
    /// Sets it for the task of `current`, and says whether the sleep wants to be polled: it rang, or for somebody else.
    pub(super) fn set(&mut self, current: &Waker) -> bool {
        if self.bell.task().as_ref().is_some_and(|task| task.will_wake(current)) {
            return self.bell.rang.load(Ordering::Acquire);
        }
        let new = current.clone();
        let _old = self.bell.task().replace(new);
        true
    }

    /// The waker for the sleep, which is about to be polled.
    pub(super) fn waker(&self) -> &Waker {
        self.bell.rang.store(false, Ordering::Release);
        &self.waker
    }
}

impl Bell {
    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        let task = self.task().take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_sleep_is_asked_only_when_it_rang_or_the_task_is_another() {
        let (one, other) = (Arc::<Count>::default(), Arc::<Count>::default());
        let (first, second) = (Waker::from(one.clone()), Waker::from(other.clone()));
        let mut alarm = Alarm::default();
        assert!(alarm.set(&first), "it was never set");
        let sleep = alarm.waker().clone();
        assert!(!alarm.set(&first));
        assert!(alarm.set(&second), "another task");
        sleep.wake_by_ref();
        sleep.wake();
        assert_eq!((one.0.load(Ordering::Relaxed), other.0.load(Ordering::Relaxed)), (0, 1));
        assert!(alarm.set(&second), "it rang");
        alarm.waker();
        assert!(!alarm.set(&second));
    }

    #[test]
    fn a_ring_while_the_sleep_is_polled_is_not_lost() {
        let task = Waker::from(Arc::<Count>::default());
        let mut alarm = Alarm::default();
        alarm.set(&task);
        alarm.waker().wake_by_ref();
        assert!(alarm.set(&task));
    }
}
