//! What can go wrong, per operation: what happened, which side caused it, and whether it is safe to retry.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use muxado_frame::{DecodeError, ErrorCode};

/// Who caused something to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// This program: its application or this library on its behalf.
    Local,
    /// The peer: its application, its library, or its breaking of the protocol.
    Remote,
    /// The transport below: it failed, or stopped taking bytes.
    Transport,
}

/// Whether a failed request may be sent again without the risk of doing it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The peer's application never saw the stream. Doing it again is safe.
    NotProcessed,
    /// The peer's application may have seen some of it.
    Unknown,
}

/// What a closing session did not deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cut {
    /// Streams that were still open, or still had something to send.
    pub streams: u64,
    /// Bytes that had been accepted from writers and were never sent.
    pub bytes: u64,
}

impl Cut {
    /// Whether everything was delivered.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Cut::default()
    }
}

/// Why a session ended. The first cause is the one that is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SessionEnd {
    cause: Arc<EndCause>,
    cut: Cut,
}

/// The ways in which a session ends.
#[derive(Debug)]
#[non_exhaustive]
pub enum EndCause {
    /// This side closed it, with this code and text.
    #[non_exhaustive]
    Closed {
        /// What the peer is told.
        code: ErrorCode,
        /// The text the peer is told, as sent.
        text: Bytes,
    },
    /// The peer said GOAWAY, with this code and text.
    #[non_exhaustive]
    GoAway {
        /// The peer's code.
        code: ErrorCode,
        /// The first KiB of the peer's text. It is the peer's: escape it before it is logged.
        text: Bytes,
    },
    /// The transport ended and no GOAWAY had come.
    PeerEof,
    /// The peer broke the protocol, and was told so with GOAWAY.
    PeerMisbehaved(PeerMisbehaved),
    /// The transport took no byte for as long as the configuration allows.
    WriteStalled,
    /// The transport failed.
    Transport(io::Error),
    /// The driver was dropped, or its task was, before the session had ended.
    DriverDropped,
}

impl SessionEnd {
    pub(crate) fn new(cause: EndCause) -> SessionEnd {
        SessionEnd { cause: Arc::new(cause), cut: Cut::default() }
    }

    pub(crate) fn with_cut(mut self, cut: Cut) -> SessionEnd {
        self.cut = cut;
        self
    }

    /// The cause in full.
    #[must_use]
    pub fn cause(&self) -> &EndCause {
        &self.cause
    }

    /// Which side ended it.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        match *self.cause {
            EndCause::Closed { .. } | EndCause::DriverDropped => Initiator::Local,
            EndCause::GoAway { .. } | EndCause::PeerEof | EndCause::PeerMisbehaved(_) => Initiator::Remote,
            EndCause::WriteStalled | EndCause::Transport(_) => Initiator::Transport,
        }
    }

    /// The code that stands for the cause: the peer's own if it gave one.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match &*self.cause {
            EndCause::Closed { code, .. } | EndCause::GoAway { code, .. } => *code,
            EndCause::PeerEof => ErrorCode::PEER_EOF,
            EndCause::PeerMisbehaved(misbehaved) => misbehaved.code(),
            EndCause::WriteStalled => ErrorCode::WRITE_TIMEOUT,
            EndCause::Transport(_) => ErrorCode::PEER_EOF,
            EndCause::DriverDropped => ErrorCode::SESSION_CLOSED,
        }
    }

    /// The text that came or went with GOAWAY, empty if there was none.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match &*self.cause {
            EndCause::Closed { text, .. } | EndCause::GoAway { text, .. } => text,
            _ => &[],
        }
    }

    /// Whether somebody meant it to end, and nothing was wrong: a close or GOAWAY with code 0.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        matches!(*self.cause, EndCause::Closed { code, .. } | EndCause::GoAway { code, .. } if code == ErrorCode::NO_ERROR)
    }

    /// What was not delivered, when this side closed the session.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }
}

/// Two ends are equal if they tell the same story: cause, code and text.
impl PartialEq for SessionEnd {
    fn eq(&self, other: &SessionEnd) -> bool {
        std::mem::discriminant(&*self.cause) == std::mem::discriminant(&*other.cause)
            && self.code() == other.code()
            && self.text() == other.text()
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cause {
            EndCause::Closed { code, .. } => write!(f, "session closed by this side: {code}")?,
            EndCause::GoAway { code, .. } => write!(f, "session closed by the peer: {code}")?,
            EndCause::PeerEof => f.write_str("the peer's end of the transport closed without a goodbye")?,
            EndCause::PeerMisbehaved(misbehaved) => write!(f, "the peer broke the protocol: {misbehaved}")?,
            EndCause::WriteStalled => f.write_str("the transport stopped taking bytes")?,
            EndCause::Transport(error) => write!(f, "the transport failed: {error}")?,
            EndCause::DriverDropped => f.write_str("the session's driver was dropped")?,
        }
        match self.text() {
            [] => Ok(()),
            text => write!(f, " \"{}\"", text.escape_ascii()),
        }
    }
}

impl std::error::Error for SessionEnd {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.cause {
            EndCause::Transport(error) => Some(error),
            EndCause::PeerMisbehaved(misbehaved) => Some(misbehaved),
            _ => None,
        }
    }
}

impl From<SessionEnd> for io::Error {
    fn from(end: SessionEnd) -> io::Error {
        let kind = match &*end.cause {
            EndCause::Closed { .. } => io::ErrorKind::ConnectionAborted,
            EndCause::WriteStalled => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::UnexpectedEof,
        };
        io::Error::new(kind, end)
    }
}

/// How the peer broke the protocol badly enough to end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// Bytes that are no frame.
    Frame(DecodeError),
    /// The reserved top bit of a stream id was set.
    ReservedBit,
    /// SYN with an id that only this side may open.
    WrongParity,
    /// SYN for a stream that is open.
    DuplicateSyn,
    /// A frame for a stream of ours that was never opened.
    NeverOpened,
    /// More replies were forced than the peer reads.
    TooManyReplies,
    /// More streams were reset than useful work was done.
    TooManyResets,
    /// More useless frames came than useful ones.
    TooManyGlitches,
}

impl PeerMisbehaved {
    /// The code the peer is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            PeerMisbehaved::Frame(error) => error.code(),
            PeerMisbehaved::ReservedBit
            | PeerMisbehaved::WrongParity
            | PeerMisbehaved::DuplicateSyn
            | PeerMisbehaved::NeverOpened => ErrorCode::PROTOCOL_ERROR,
            PeerMisbehaved::TooManyReplies
            | PeerMisbehaved::TooManyResets
            | PeerMisbehaved::TooManyGlitches => ErrorCode::ENHANCE_YOUR_CALM,
        }
    }

    /// The text the peer is told.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            PeerMisbehaved::Frame(error) if error.code() == ErrorCode::FRAME_SIZE_ERROR => "bad frame length",
            PeerMisbehaved::Frame(_) => "bad frame",
            PeerMisbehaved::ReservedBit => "reserved bit set in a stream id",
            PeerMisbehaved::WrongParity => "SYN for an id of the wrong parity",
            PeerMisbehaved::DuplicateSyn => "SYN for a stream that is open",
            PeerMisbehaved::NeverOpened => "frame for a stream that was never opened",
            PeerMisbehaved::TooManyReplies => "too many replies forced and not read",
            PeerMisbehaved::TooManyResets => "too many streams reset",
            PeerMisbehaved::TooManyGlitches => "too many useless frames",
        }
    }
}

impl fmt::Display for PeerMisbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerMisbehaved::Frame(error) => error.fmt(f),
            other => f.write_str(other.text()),
        }
    }
}

impl std::error::Error for PeerMisbehaved {}

/// A stream was reset: both of its directions ended at once.
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

/// A stream was lost with its session, or was too late for it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionLost {
    pub(crate) end: SessionEnd,
    pub(crate) retry: Retry,
}

impl SessionLost {
    /// Why the session ended.
    #[must_use]
    pub fn end(&self) -> &SessionEnd {
        &self.end
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
        Some(&self.end)
    }
}

/// Why a stream failed: the part that reading and writing share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Reset(Reset),
    Lost(SessionLost),
}

/// Reading failed. A clean end of stream is not an error: it is the peer's FIN, and nothing else ever is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream was reset before its end.
    Reset(Reset),
    /// The session ended before the stream did.
    Session(SessionLost),
}

/// Writing or finishing failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The stream was reset.
    Reset(Reset),
    /// The session ended.
    Session(SessionLost),
    /// This side has finished the stream already.
    Finished,
}

/// Opening a stream failed. Nothing was sent, so it is always safe to retry, on another session or later.
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
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptError {
    pub(crate) end: SessionEnd,
}

/// A code that this operation must not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetError {
    /// 0 means no error, and one existing peer does not take it for a reset at all. Use `STREAM_CANCELLED`.
    NoError,
    /// 5 and 9 promise that the application never saw the stream. Use `refuse`.
    PromisesRefusal,
    /// The stream was read from or written to, or was opened by this side: it cannot be refused any more.
    AlreadyUsed,
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> ReadError {
        match failure {
            Failure::Reset(reset) => ReadError::Reset(reset),
            Failure::Lost(lost) => ReadError::Session(lost),
        }
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> WriteError {
        match failure {
            Failure::Reset(reset) => WriteError::Reset(reset),
            Failure::Lost(lost) => WriteError::Session(lost),
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
        }
    }

    /// Which side caused it.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        match self {
            ReadError::Reset(reset) => reset.initiator(),
            ReadError::Session(lost) => lost.end().initiator(),
        }
    }

    /// The code of the reset, or of the session's end.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            ReadError::Reset(reset) => reset.code(),
            ReadError::Session(lost) => lost.end().code(),
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
            WriteError::Finished => Retry::Unknown,
        }
    }

    /// Which side caused it.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        match self {
            WriteError::Reset(reset) => reset.initiator(),
            WriteError::Session(lost) => lost.end().initiator(),
            WriteError::Finished => Initiator::Local,
        }
    }

    /// The code of the reset, or of the session's end; `STREAM_CLOSED` after this side finished.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            WriteError::Reset(reset) => reset.code(),
            WriteError::Session(lost) => lost.end().code(),
            WriteError::Finished => ErrorCode::STREAM_CLOSED,
        }
    }
}

impl OpenError {
    /// Always [`Retry::NotProcessed`]: a stream that was not opened was seen by nobody.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::NotProcessed
    }
}

impl AcceptError {
    /// Why the session ended.
    #[must_use]
    pub fn end(&self) -> &SessionEnd {
        &self.end
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Reset(reset) => reset.fmt(f),
            ReadError::Session(lost) => lost.fmt(f),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Reset(reset) => reset.fmt(f),
            WriteError::Session(lost) => lost.fmt(f),
            WriteError::Finished => f.write_str("this side of the stream is finished"),
        }
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
            ReadError::Reset(_) => None,
            ReadError::Session(lost) => Some(lost.end()),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::Session(lost) => Some(lost.end()),
            WriteError::Reset(_) | WriteError::Finished => None,
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::GoneAway(end) | OpenError::Session(end) => Some(end),
            OpenError::Busy | OpenError::StreamsExhausted | OpenError::Draining => None,
        }
    }
}

impl std::error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.end)
    }
}

impl std::error::Error for ResetError {}

/// The kinds are stable: `ConnectionReset` for a reset by the peer, `ConnectionAborted` for one by this side,
/// `UnexpectedEof` for a lost session. The error itself is inside: `get_ref()` and `downcast_ref::<ReadError>()`.
impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> io::Error {
        let kind = match &error {
            ReadError::Reset(reset) => reset_kind(reset),
            ReadError::Session(_) => io::ErrorKind::UnexpectedEof,
        };
        io::Error::new(kind, error)
    }
}

/// As for [`ReadError`], and `BrokenPipe` for writing after this side has finished. A lost session is `BrokenPipe`
/// too, as a writer of the standard library would see it.
impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> io::Error {
        let kind = match &error {
            WriteError::Reset(reset) => reset_kind(reset),
            WriteError::Session(_) | WriteError::Finished => io::ErrorKind::BrokenPipe,
        };
        io::Error::new(kind, error)
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> io::Error {
        let kind = match &error {
            OpenError::Busy => io::ErrorKind::WouldBlock,
            OpenError::StreamsExhausted | OpenError::Draining | OpenError::GoneAway(_) => {
                io::ErrorKind::ConnectionRefused
            }
            OpenError::Session(_) => io::ErrorKind::NotConnected,
        };
        io::Error::new(kind, error)
    }
}

impl From<AcceptError> for io::Error {
    fn from(error: AcceptError) -> io::Error {
        io::Error::new(io::ErrorKind::NotConnected, error)
    }
}

impl From<ResetError> for io::Error {
    fn from(error: ResetError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, error)
    }
}

fn reset_kind(reset: &Reset) -> io::ErrorKind {
    match reset.initiator {
        Initiator::Local => io::ErrorKind::ConnectionAborted,
        _ => io::ErrorKind::ConnectionReset,
    }
}
