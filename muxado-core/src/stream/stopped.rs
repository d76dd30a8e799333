//! Waiting for the peer to stop a stream, or for its end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::WriteError;
use crate::proto::StreamKey;
use crate::session::shared::Shared;

/// The future of [`SendStream::stopped`](crate::SendStream::stopped).
///
/// It borrows nothing, and holds neither the stream nor the session open. The task that polled it last is woken; others may
/// wait for the same stream with futures of their own. *Dropping* it changes nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Stopped {
    shared: Arc<Shared>,
    key: StreamKey,
    ticket: Option<u64>,
}

impl Stopped {
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey) -> Stopped {
        Stopped { shared, key, ticket: None }
    }
}

impl Future for Stopped {
    type Output = Result<(), WriteError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll(&this.shared, this.key, &mut this.ticket, cx)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        // The waker is dropped here, outside the lock.
        let _waker = self.shared.with(|state| state.wakers.stopped.leave(self.key, ticket));
    }
}

/// Asks for the end of a stream, and waits with this ticket while there is none.
///
/// A waker must be cloned outside the lock, so that the first time it is asked twice.
pub(super) fn poll(
    shared: &Shared,
    key: StreamKey,
    ticket: &mut Option<u64>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), WriteError>> {
    let mut fresh: Option<Waker> = None;
    loop {
        let (answer, waiting, left) = shared.with(|state| {
            let stopped = &mut state.wakers.stopped;
            match state.mux.stopped(key) {
                None => (None, stopped.wait(key, ticket, cx.waker(), &mut fresh), None),
                answer => (answer, false, ticket.take().and_then(|ticket| stopped.leave(key, ticket))),
            }
        });
        // Before the answer is on its way: a value that is being returned is lost if a drop panics.
        drop(left);
        match answer {
            Some(answer) => return Poll::Ready(answer),
            None if waiting => return Poll::Pending,
            None => fresh = Some(cx.waker().clone()),
        }
    }
}
