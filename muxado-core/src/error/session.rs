//! Why no stream could be opened or accepted.

use std::fmt;

use super::{Retry, SessionEnd};

/// Opening a stream failed. Nothing was sent, so it is always safe to retry, on another session or later.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{OpenError, Retry};
///
/// # server.go_away();
/// # client.leaving().await;
/// let error = client.open().await.unwrap_err();
/// assert_eq!(error.retry(), Retry::NotProcessed); // as always
/// match error {
///     OpenError::GoneAway(end) => println!("time to connect to another server: {end}"),
///     error => println!("{error}"),
/// }
/// # });
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OpenError {
    /// As many streams are open as `max_outbound_streams` allows. Only `try_open` says so; `open` waits.
    Busy,
    /// The ids of this side are used up. Only a new session helps.
    StreamsExhausted,
    /// This side is draining or closing the session, or dropped its last handle.
    Draining,
    /// The peer said GOAWAY and takes no more streams.
    GoneAway(SessionEnd),
    /// The session has ended.
    Session(SessionEnd),
}

/// No more streams will be accepted: the session has ended.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// # drop(client);
/// let error = loop {
///     match server.accept().await {
///         Ok(stream) => drop(stream),
///         Err(error) => break error,
///     }
/// };
/// assert!(error.end().is_clean(), "{error}"); // a reason to log it, if it is not
/// # });
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptError {
    pub(crate) end: SessionEnd,
}

impl OpenError {
    /// Always [`Retry::NotProcessed`]: a stream that was not opened was seen by nobody.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::NotProcessed
    }

    pub(super) fn end(&self) -> Option<&SessionEnd> {
        match self {
            OpenError::GoneAway(end) | OpenError::Session(end) => Some(end),
            OpenError::Busy | OpenError::StreamsExhausted | OpenError::Draining => None,
        }
    }
}

impl AcceptError {
    /// Why the session ended.
    #[must_use]
    pub fn end(&self) -> &SessionEnd {
        &self.end
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Busy => f.write_str("as many streams are open as this side may have"),
            OpenError::StreamsExhausted => f.write_str("the stream ids of this session are used up"),
            OpenError::Draining => f.write_str("this side takes no more streams on this session"),
            OpenError::GoneAway(end) => write!(f, "the peer takes no more streams: {end}"),
            OpenError::Session(end) => end.fmt(f),
        }
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no more streams: {}", self.end)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.end()?.source()
    }
}

impl std::error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.end.source()
    }
}
