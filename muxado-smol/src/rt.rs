//! The seam to smol: spawn, now, sleep.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;
use smol::Timer;

/// smol as a runtime for the core: tasks of its global executor, and its timers.
///
/// ```
/// use muxado_core::Config;
/// use muxado_smol::{Session, Smol};
///
/// # smol::block_on(async {
/// # let (transport, _far) = muxado_testkit::pipe(4096);
/// // Over a transport of which more is known than `Session::client` does.
/// let (session, driver) = muxado_core::Session::client(transport, &Config::default(), Smol);
/// let session = Session::spawn(session, driver.vectored(true)); // it takes many slices at once
/// # drop(session.open().await.unwrap());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stands for the runtime, and has nothing to grow")]
pub struct Smol;

/// The future of a sleep on smol.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_core::rt::Runtime;
/// use muxado_smol::Smol;
///
/// # smol::block_on(async {
/// let (before, a_moment) = (Smol.now(), Duration::from_millis(1));
/// Smol.sleep(a_moment).await;
/// assert!(Smol.now() - before >= a_moment);
/// # });
/// ```
#[derive(Debug)]
pub struct Sleep(Timer);

impl Runtime for Smol {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(future).detach();
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep(Timer::after(duration))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
