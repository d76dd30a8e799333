//! Which of many streams are worth a look: each has a waker of its own, which notes its number and wakes whoever accepts.
//! Without that, one byte for one of them would be a reason to look at them all.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The numbers that were called and not looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Called>>);

#[derive(Debug, Default)]
struct Called {
    numbers: BTreeSet<u64>,
    /// Who accepts, until the first call.
    accepting: Option<Waker>,
}

impl Calls {
    /// From now on calls go to `accepting`, which is to ask for the [`next`](Calls::next) ones after this.
    pub(crate) fn go_to(&self, accepting: &Waker) {
        let accepting = Some(accepting.clone());
        // The one before is dropped outside the lock.
        let _before = std::mem::replace(&mut lock(&self.0).accepting, accepting);
    }

    /// What calls with `number`. It has to be looked at once for its waker to be there at all, and so is called.
    pub(crate) fn waker(&self, number: u64) -> Waker {
        lock(&self.0).numbers.insert(number);
        Waker::from(Arc::new(Call { called: self.0.clone(), number }))
    }

    /// The lowest number that was called, which counts as looked at.
    pub(crate) fn next(&self) -> Option<u64> {
        lock(&self.0).numbers.pop_first()
    }
}

/// The waker of one number.
struct Call {
    called: Arc<Mutex<Called>>,
    number: u64,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        let accepting = {
            let called = &mut *lock(&self.called);
            called.numbers.insert(self.number);
            called.accepting.take()
        };
        if let Some(accepting) = accepting {
            accepting.wake();
        }
    }
}

/// A panic while the lock is held leaves nothing half done.
fn lock(called: &Mutex<Called>) -> MutexGuard<'_, Called> {
    called.lock().unwrap_or_else(PoisonError::into_inner)
}
