//! The seam to async-std: spawn, now, sleep.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

/// async-std as a runtime for the core: its tasks and its timers.
///
/// ```
/// use muxado_core::Config;
/// use muxado_async_std::{Session, AsyncStd};
///
/// # async_std::task::block_on(async {
/// # let (transport, _far) = muxado_testkit::pipe(4096);
/// // Over a transport of which more is known than `Session::client` does.
/// let (session, driver) = muxado_core::Session::client(transport, &Config::default(), AsyncStd);
/// let session = Session::spawn(session, driver.vectored(true)); // it takes many slices at once
/// # drop(session.open().await.unwrap());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stands for the runtime, and has nothing to grow")]
pub struct AsyncStd;

/// The future of a sleep on async-std.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_core::rt::Runtime;
/// use muxado_async_std::AsyncStd;
///
/// # async_std::task::block_on(async {
/// let (before, a_moment) = (AsyncStd.now(), Duration::from_millis(1));
/// AsyncStd.sleep(a_moment).await;
/// assert!(AsyncStd.now() - before >= a_moment);
/// # });
/// ```
pub struct Sleep(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Runtime for AsyncStd {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(future);
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep(Box::pin(async_std::task::sleep(duration)))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}
