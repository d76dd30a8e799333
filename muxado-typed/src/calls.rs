//! Who waits for a stream, and which of those taken in are worth a look: each has a waker of its own, which notes its
//! number and wakes whoever waits. Without that, one byte for one of them would be a reason to look at them all.
//!
//! All who wait are woken. So one that is kept and not polled holds up nobody, and one that is dropped has nothing to
//! pass on.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The numbers that were called and not looked at yet, and who waits for the next call.
#[derive(Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Called>>);

#[derive(Debug, Default)]
struct Called {
    numbers: BTreeSet<u64>,
    /// By ticket: the later, the higher.
    waiting: BTreeMap<u64, Waker>,
    last_ticket: u64,
}

impl Calls {
    /// For somebody who will wait.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { calls: self, ticket: 0 }
    }

    /// What calls with `number`. It has to be looked at once for its waker to be there at all, and so is called.
    pub(crate) fn waker(&self, number: u64) -> Waker {
        lock(&self.0).numbers.insert(number);
        Waker::from(Arc::new(Call { called: self.0.clone(), number: Some(number) }))
    }

    /// What calls without a number.
    pub(crate) fn bare_waker(&self) -> Waker {
        Waker::from(Arc::new(Call { called: self.0.clone(), number: None }))
    }

    /// The lowest number that was called, which counts as looked at.
    pub(crate) fn next(&self) -> Option<u64> {
        lock(&self.0).numbers.pop_first()
    }
}

/// The place of somebody who waits.
pub(crate) struct Place<'a> {
    calls: &'a Calls,
    ticket: u64,
}

impl Place<'_> {
    /// From now on calls wake `waker`, until the first that comes. The place is behind those of all others.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        let waker = waker.clone();
        // What was there is dropped outside the lock.
        let _before = {
            let called = &mut *lock(&self.calls.0);
            let before = called.waiting.remove(&self.ticket);
            called.last_ticket += 1;
            self.ticket = called.last_ticket;
            called.waiting.insert(self.ticket, waker);
            before
        };
    }

    /// Waits no longer. Whether nobody does then.
    pub(crate) fn give_up(&self) -> bool {
        let (_waker, is_last) = {
            let waiting = &mut lock(&self.calls.0).waiting;
            (waiting.remove(&self.ticket), waiting.is_empty())
        };
        is_last
    }

    /// Wakes those who came after this place was taken.
    pub(crate) fn wake_later(&self) {
        let later = lock(&self.calls.0).waiting.split_off(&(self.ticket + 1));
        wake(later);
    }
}

/// The waker of one number, or of none.
struct Call {
    called: Arc<Mutex<Called>>,
    number: Option<u64>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        let waiting = {
            let called = &mut *lock(&self.called);
            called.numbers.extend(self.number);
            std::mem::take(&mut called.waiting)
        };
        wake(waiting);
    }
}

/// Nobody's wake-up depends on somebody else's waker, which may panic.
fn wake(waiting: BTreeMap<u64, Waker>) {
    for waker in waiting.into_values() {
        _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

/// A panic while the lock is held leaves nothing half done.
fn lock(called: &Mutex<Called>) -> MutexGuard<'_, Called> {
    called.lock().unwrap_or_else(PoisonError::into_inner)
}
