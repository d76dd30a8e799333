//! The seam to tokio: spawn, now, sleep.

use std::future::Future;
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

/// tokio as a runtime for the core: tasks and timers of the runtime that is current when they are made.
///
/// ```
/// use muxado_core::{Config, Session};
/// use muxado_tokio::Tokio;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (transport, _far) = muxado_testkit::pipe(4096);
/// // Over a transport that has the futures-io traits, and not tokio's.
/// let (session, driver) = Session::client(transport, &Config::default(), Tokio);
/// tokio::spawn(driver);
/// # drop(session.open().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stands for the runtime, and has nothing to grow")]
pub struct Tokio;

impl Runtime for Tokio {
    type Sleep = tokio::time::Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(future);
    }

    fn now(&self) -> Instant {
        // tokio's clock, so that a test with paused time sees one time.
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(duration)
    }
}
