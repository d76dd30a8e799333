//! The seam to a runtime: the least that time limits and a driver need.

use std::future::Future;
use std::time::{Duration, Instant};

/// What a session needs of a runtime. Each adapter brings one; bring your own to use the core alone.
///
/// The driver asks for the time and for sleeps, and at most a few sleeps are alive in a session. `spawn` is for
/// the adapters: the core itself starts no task.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// The future of [`sleep`](Runtime::sleep).
    type Sleep: Future<Output = ()> + Send;

    /// Runs `future` to its end in the background.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);

    /// The current time. It never goes back.
    fn now(&self) -> Instant;

    /// Resolves once `duration` has passed from now on.
    fn sleep(&self, duration: Duration) -> Self::Sleep;
}
