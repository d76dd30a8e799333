//! The tasks and timers of a workload: those of the peer's own runtime, as its users have them.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use muxado_smol::core::rt::Runtime;
use tokio::sync::oneshot;

use crate::peer::Peer;

/// Starts a task. What comes of it is what this returns; dropping that stops nothing.
pub(crate) fn spawn<P: Peer, T: Send + 'static>(
    future: impl Future<Output = io::Result<T>> + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    let (send, outcome) = oneshot::channel();
    // An async block would hold the future twice, and copy it.
    detach::<P>(future.map(|outcome| _ = send.send(outcome)));
    async { outcome.await.map_err(|_| io::Error::other("a task panicked"))? }
}

/// Starts a task that nobody waits for.
pub(crate) fn detach<P: Peer>(future: impl Future<Output = ()> + Send + 'static) {
    P::Runtime::default().spawn(future);
}

/// What `future` comes to, unless it takes longer.
pub(crate) async fn within<P: Peer, T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(P::Runtime::default().sleep(limit))).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
