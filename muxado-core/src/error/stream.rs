//! Why a stream failed, and what may not be asked of it.

use std::fmt;

use muxado_frame::ErrorCode;

use super::{EndCause, Initiator, Retry, SessionEnd, SharedEnd};

/// A stream was reset: both of its directions ended at once.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{ErrorCode, Initiator, ReadError, Retry};
///
/// let mut stream = client.open().await?;
/// stream.finish()?;
/// # server.accept().await?.refuse()?;
/// match stream.read_chunk(100).await {
///     Err(ReadError::Reset(reset)) => {
///         assert_eq!((reset.code(), reset.initiator()), (ErrorCode::STREAM_REFUSED, Initiator::Remote));
///         assert_eq!(reset.retry(), Retry::NotProcessed);
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    pub(crate) code: ErrorCode,
    pub(crate) initiator: Initiator,
}

impl Reset {
    /// The code of the reset, exactly as it was sent.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Which side reset it. A stream on which the peer broke the rules counts as reset by the peer.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        self.initiator
    }

    /// Whether the peer promised that its application never saw the stream.
    #[must_use]
    pub fn retry(&self) -> Retry {
        let refused = matches!(self.code, ErrorCode::STREAM_REFUSED | ErrorCode::ACCEPT_QUEUE_FULL);
        match self.initiator {
            Initiator::Remote if refused => Retry::NotProcessed,
            _ => Retry::Unknown,
        }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.initiator {
            Initiator::Local => write!(f, "stream reset by this side: {}", self.code),
            _ => write!(f, "stream reset by the peer: {}", self.code),
        }
    }
}

impl std::error::Error for Reset {}

/// A stream was lost with its session, or came too late for it.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{ErrorCode, ReadError, Retry};
///
/// let mut stream = client.open().await?;
/// stream.finish()?;
/// # let _accepted = server.accept().await?;
/// # drop(server.close(ErrorCode::INTERNAL_ERROR, "out of memory"));
/// match stream.read_chunk(100).await {
///     Err(ReadError::Session(lost)) => {
///         assert_eq!((lost.code(), lost.end().text()), (ErrorCode::INTERNAL_ERROR, &b"out of memory"[..]));
///         assert_eq!(lost.retry(), Retry::Unknown); // it may have been at work on this
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SessionLost {
    pub(crate) end: SessionEnd,
    pub(crate) retry: Retry,
}

impl SessionLost {
    fn new(end: &SharedEnd, retry: Retry) -> SessionLost {
        SessionLost { end: end.get().clone(), retry }
    }

    /// Why the session ended.
    #[must_use]
    pub fn end(&self) -> &SessionEnd {
        &self.end
    }

    /// [`ErrorCode::REMOTE_GONE_AWAY`] for a stream above the last id of the peer's GOAWAY; otherwise the code of the
    /// session's end.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match (self.end.cause(), self.retry) {
            (EndCause::GoAway { .. }, Retry::NotProcessed) => ErrorCode::REMOTE_GONE_AWAY,
            _ => self.end.code(),
        }
    }

    /// Whether the peer can have seen the stream.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }
}

impl fmt::Display for SessionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream lost: {}", self.end)
    }
}

impl std::error::Error for SessionLost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The end itself is in the text already.
        self.end.source()
    }
}

/// Why a stream failed: the part that reading and writing share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Reset(Reset),
    Lost(SharedEnd, Retry),
}

/// Reading failed. A clean end of stream is not an error: it is the peer's FIN, and nothing else ever is.
///
/// ```
/// use muxado_core::ReadError;
///
/// let error = std::io::Error::from(ReadError::TimedOut); // as the I/O traits give it
/// let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<ReadError>());
/// assert_eq!(inside, Some(&ReadError::TimedOut));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream was reset before its end.
    Reset(Reset),
    /// The session ended before the stream did.
    Session(SessionLost),
    /// The read deadline has passed. The stream is as it was: with a new deadline, reading can go on.
    TimedOut,
}

/// Writing or finishing failed. For how to get at it in an [`io::Error`](std::io::Error) see [`ReadError`].
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{ErrorCode, WriteError};
///
/// let mut stream = client.open().await?;
/// stream.finish()?;
/// let error = stream.write_chunk("one thing more".into()).await.unwrap_err();
/// assert_eq!(error, WriteError::Finished);
/// assert_eq!(error.code(), Some(ErrorCode::STREAM_CLOSED));
/// # drop(server);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The stream was reset.
    Reset(Reset),
    /// The session ended.
    Session(SessionLost),
    /// This side has finished the stream already.
    Finished,
    /// The write deadline has passed. The stream is as it was: with a new deadline, writing can go on.
    TimedOut,
}

/// A code that this operation must not send.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{ErrorCode, ResetError};
///
/// let mut stream = client.open().await?;
/// assert_eq!(stream.reset(ErrorCode::NO_ERROR), Err(ResetError::NoError));
/// stream.reset(ErrorCode::STREAM_CANCELLED)?; // says the same, and is a reset to everybody
/// # drop(server);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetError {
    /// [`ErrorCode::NO_ERROR`]: nothing went wrong, and one existing peer does not take it for a reset at all. Use
    /// [`ErrorCode::STREAM_CANCELLED`].
    NoError,
    /// [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`] promise that the application never saw the stream.
    /// Use [`refuse`](crate::Stream::refuse).
    PromisesRefusal,
    /// The stream was read, written or reset, or was opened by this side: it cannot be refused any more.
    AlreadyUsed,
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> ReadError {
        match failure {
            Failure::Reset(reset) => ReadError::Reset(reset),
            Failure::Lost(end, retry) => ReadError::Session(SessionLost::new(&end, retry)),
        }
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> WriteError {
        match failure {
            Failure::Reset(reset) => WriteError::Reset(reset),
            Failure::Lost(end, retry) => WriteError::Session(SessionLost::new(&end, retry)),
        }
    }
}

impl ReadError {
    /// Whether the request on this stream may be repeated.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            ReadError::Reset(reset) => reset.retry(),
            ReadError::Session(lost) => lost.retry(),
            ReadError::TimedOut => Retry::Unknown,
        }
    }

    /// Which side caused it.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        match self {
            ReadError::Reset(reset) => reset.initiator(),
            ReadError::Session(lost) => lost.end().initiator(),
            ReadError::TimedOut => Initiator::Local,
        }
    }

    /// The code of the reset, or of the session's end; none after a deadline, which ends nothing.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ReadError::Reset(reset) => Some(reset.code()),
            ReadError::Session(lost) => Some(lost.code()),
            ReadError::TimedOut => None,
        }
    }
}

impl WriteError {
    /// Whether the request on this stream may be repeated.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            WriteError::Reset(reset) => reset.retry(),
            WriteError::Session(lost) => lost.retry(),
            WriteError::Finished | WriteError::TimedOut => Retry::Unknown,
        }
    }

    /// Which side caused it.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        match self {
            WriteError::Reset(reset) => reset.initiator(),
            WriteError::Session(lost) => lost.end().initiator(),
            WriteError::Finished | WriteError::TimedOut => Initiator::Local,
        }
    }

    /// The code of the reset, or of the session's end; [`ErrorCode::STREAM_CLOSED`] after this side finished; none after a
    /// deadline, which ends nothing.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            WriteError::Reset(reset) => Some(reset.code()),
            WriteError::Session(lost) => Some(lost.code()),
            WriteError::Finished => Some(ErrorCode::STREAM_CLOSED),
            WriteError::TimedOut => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Reset(reset) => reset.fmt(f),
            ReadError::Session(lost) => lost.fmt(f),
            ReadError::TimedOut => f.write_str("the read deadline has passed"),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Reset(reset) => reset.fmt(f),
            WriteError::Session(lost) => lost.fmt(f),
            WriteError::Finished => f.write_str("this side of the stream is finished"),
            WriteError::TimedOut => f.write_str("the write deadline has passed"),
        }
    }
}

impl fmt::Display for ResetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResetError::NoError => "code 0 is not a reset",
            ResetError::PromisesRefusal => "codes 5 and 9 promise that the stream was never seen",
            ResetError::AlreadyUsed => "the stream was used and cannot be refused any more",
        })
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReadError::Reset(_) | ReadError::TimedOut => None,
            ReadError::Session(lost) => lost.source(),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::Session(lost) => lost.source(),
            WriteError::Reset(_) | WriteError::Finished | WriteError::TimedOut => None,
        }
    }
}

impl std::error::Error for ResetError {}
