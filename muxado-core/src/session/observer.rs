//! A session watched from outside: it is not kept open by that.

use std::sync::Arc;
use std::time::Instant;

use muxado_frame::ErrorCode;

use super::shared::Shared;
use super::wait::{Closed, Leaving};
use crate::error::SessionEnd;

/// Watches a session without being one of its handles: dropping the last of those ends the session all the same.
///
/// For layers on top of sessions that need to know whether the peer is alive. Dropping it changes nothing.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let session = pair.client;
/// # world.block_on(async move {
/// let observer = session.observer();
/// assert!(observer.end().is_none() && observer.last_life().is_some());
/// drop(session); // the last handle
/// observer.leaving().await;
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Observer {
    shared: Arc<Shared>,
}

impl Observer {
    pub(super) fn new(shared: Arc<Shared>) -> Observer {
        shared.observe();
        Observer { shared }
    }

    /// When the peer last showed that it is alive: bytes arrived from it, or a transport that was full took more, which
    /// only happens if the other end takes something out. At first, when the session was first observed.
    #[must_use]
    pub fn last_life(&self) -> Option<Instant> {
        self.shared.with(|state| state.driver.life)
    }

    /// Waits until this side can open no more streams: the session drains, is closed or has ended, or the peer has said
    /// GOAWAY.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// let observer = session.observer();
    /// let stream = session.open().await?;
    /// session.go_away();
    /// observer.leaving().await; // no more streams
    /// assert!(observer.end().is_none()); // but this one goes on
    /// # drop(stream);
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn leaving(&self) -> Leaving {
        Leaving::new(self.shared.clone())
    }

    /// Ends the session now, and tells the peer why. See [`Session::close`](super::Session::close).
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # let runtime = world.clone();
    /// # world.block_on(async move {
    /// use std::time::Duration;
    ///
    /// use muxado_core::ErrorCode;
    /// use muxado_core::rt::Runtime;
    ///
    /// let observer = session.observer();
    /// # runtime.sleep(Duration::from_secs(61)).await;
    /// let silence = observer.last_life().map(|life| runtime.now() - life);
    /// if silence > Some(Duration::from_secs(60)) {
    ///     observer.close(ErrorCode::SESSION_CLOSED, "no sign of life").await;
    /// }
    /// # assert_eq!(observer.end().unwrap().text(), b"no sign of life");
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session closes all the same.
    pub fn close(&self, code: ErrorCode, text: &str) -> Closed {
        self.shared.close(code, text)
    }

    /// Waits until the session has ended. See [`Session::closed`](super::Session::closed).
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// let observer = session.observer();
    /// drop(session); // the last handle, and no stream is open
    /// assert!(observer.closed().await.is_clean());
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[must_use = "futures do nothing unless polled"]
    pub fn closed(&self) -> Closed {
        Closed::new(self.shared.clone())
    }

    /// Why the session has ended, or none while it lives.
    #[must_use]
    pub fn end(&self) -> Option<SessionEnd> {
        self.shared.with(|state| state.mux.end())
    }
}
