//! The seam to a runtime: the least that time limits and a driver need.

use std::future::Future;
use std::time::{Duration, Instant};

/// What a session needs of a runtime. Each adapter brings one; bring your own to use the core alone.
///
/// The driver asks for the time and for sleeps, and at most one sleep is alive in a session. `spawn` is for
/// the adapters: the core itself starts no task.
///
/// A thread for each task, and a timer that any executor can poll:
///
/// ```
/// use std::future::Future;
/// use std::time::{Duration, Instant};
///
/// use futures_lite::future::block_on;
/// use futures_timer::Delay;
/// use muxado_core::rt::Runtime;
///
/// #[derive(Clone, Copy)]
/// struct Threads;
///
/// impl Runtime for Threads {
///     type Sleep = Delay;
///
///     fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
///         std::thread::spawn(|| block_on(future));
///     }
///
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///
///     fn sleep(&self, duration: Duration) -> Delay {
///         Delay::new(duration)
///     }
/// }
/// # block_on(Threads.sleep(Duration::ZERO));
/// ```
pub trait Runtime: Clone + Send + Sync + 'static {
    /// The future of [`sleep`](Runtime::sleep).
    type Sleep: Future<Output = ()> + Send;

    /// Runs `future` to its end in the background. If it is dropped earlier, the session that it drives ends.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);

    /// The current time, by the clock that [`sleep`](Runtime::sleep) uses. It never goes back.
    fn now(&self) -> Instant;

    /// Resolves once `duration` has passed from now on. Dropped before, it changes nothing.
    fn sleep(&self, duration: Duration) -> Self::Sleep;
}
