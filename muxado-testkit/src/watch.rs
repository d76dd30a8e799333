//! Wakers and futures that are watched: how often somebody is woken, and that whoever is pending will be.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// The same future, held to the contract of polling: each poll has a new waker, and one that says `Pending` must have
/// kept it, or woken it already. A lost wake-up shows here even if something else would have come to the rescue.
#[derive(Debug)]
pub struct Watched<F>(F);

impl<F> Watched<F> {
    /// Watches `future`.
    pub fn new(future: F) -> Watched<F> {
        Watched(future)
    }
}

/// Wakes the task behind it, and knows that it did.
struct Relay {
    task: Waker,
    woken: AtomicUsize,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.task.wake_by_ref();
    }
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let relay = Arc::new(Relay { task: cx.waker().clone(), woken: AtomicUsize::new(0) });
        let waker = Waker::from(relay.clone());
        let polled = Pin::new(&mut self.0).poll(&mut Context::from_waker(&waker));
        drop(waker);
        if polled.is_pending() {
            let kept = Arc::strong_count(&relay) > 1;
            assert!(kept || relay.woken.load(Ordering::SeqCst) > 0, "pending, and nobody will wake it");
        }
        polled
    }
}
