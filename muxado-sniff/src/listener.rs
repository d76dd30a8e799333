//! The connections of one protocol.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_channel::Receiver;

use crate::sniffed::Sniffed;

/// The connections that one matcher has matched, in the order in which they were recognised.
///
/// At most [`Limits::queue`](crate::Limits::queue) wait here; more are closed, and no other listener notices. If it is dropped
/// all of its connections are closed.
pub struct Listener<C> {
    queue: Receiver<Sniffed<C>>,
}

impl<C> Listener<C> {
    pub(crate) fn new(queue: Receiver<Sniffed<C>>) -> Listener<C> {
        Listener { queue }
    }

    /// Waits for the next connection; none once the sniffer is gone and all that were waiting are taken.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> Option<Sniffed<C>> {
        self.queue.recv().await.ok()
    }

    /// The connections as a stream, for tonic's `serve_with_incoming` among others. None of them is an error.
    pub fn incoming(self) -> Incoming<C> {
        Incoming { queue: Box::pin(self.queue) }
    }
}

impl<C> fmt::Debug for Listener<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("waiting", &self.queue.len()).finish()
    }
}

/// The connections of a [`Listener`] as a stream, which ends with the sniffer.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<C> {
    queue: Pin<Box<Receiver<Sniffed<C>>>>,
}

impl<C> futures_core::Stream for Incoming<C> {
    type Item = io::Result<Sniffed<C>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.as_mut().poll_next(cx).map(|next| next.map(Ok))
    }
}

impl<C> fmt::Debug for Incoming<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("waiting", &self.queue.len()).finish()
    }
}
