//! Wakers and futures that are watched: how often somebody is woken, and that whoever is pending will be.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it is woken.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl Counter {
    /// Wake-ups so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker, and how often it was woken.
#[must_use]
pub fn counter() -> (Arc<Counter>, Waker) {
    let counter = Arc::new(Counter::default());
    (counter.clone(), Waker::from(counter))
}

/// Polls a future once.
pub fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// The same future, held to the contract of polling: each second poll has a new waker, and one that says `Pending` must
/// have kept it, or woken it already. A lost wake-up shows here even if something else would have come to the rescue.
///
/// The polls between have the waker of the one before, since a future may do otherwise with one that it knows.
#[derive(Debug)]
pub struct Watched<F> {
    future: F,
    known: Option<Arc<Relay>>,
}

impl<F> Watched<F> {
    /// Watches `future`.
    pub fn new(future: F) -> Watched<F> {
        Watched { future, known: None }
    }
}

/// Wakes the task behind it, and knows that it did.
#[derive(Debug)]
struct Relay {
    task: Mutex<Waker>,
    woken: AtomicUsize,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.wake();
    }
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let task = cx.waker().clone();
        let relay = match self.known.take() {
            Some(known) => {
                *known.task.lock().unwrap_or_else(PoisonError::into_inner) = task;
                known.woken.store(0, Ordering::SeqCst);
                known
            }
            None => {
                let fresh = Arc::new(Relay { task: Mutex::new(task), woken: AtomicUsize::new(0) });
                self.known = Some(fresh.clone());
                fresh
            }
        };
        let waker = Waker::from(relay.clone());
        let polled = Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker));
        drop(waker);
        if polled.is_pending() {
            let ours = 1 + usize::from(self.known.is_some());
            let kept = Arc::strong_count(&relay) > ours;
            assert!(kept || relay.woken.load(Ordering::SeqCst) > 0, "pending, and nobody will wake it");
        }
        polled
    }
}
