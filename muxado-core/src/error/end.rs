//! Why a session ended.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use muxado_frame::{DecodeError, ErrorCode};

use super::Initiator;
use crate::proto::FrameLog;

/// So much of the peer's text is shown where an error is, in bytes: logs are no place for more (B30).
const SHOWN: usize = 256;

/// The codes by which a peer says that this side broke the protocol (docs/protocol.md, "Error codes").
const BLAMES: [ErrorCode; 5] = [
    ErrorCode::PROTOCOL_ERROR,
    ErrorCode::FLOW_CONTROL_ERROR,
    ErrorCode::STREAM_CLOSED,
    ErrorCode::FRAME_SIZE_ERROR,
    ErrorCode::ENHANCE_YOUR_CALM,
];

/// What a closing session did not deliver.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use std::time::Duration;
///
/// # let mut stream = client.open().await?;
/// # let _ = futures_util::poll!(stream.write_chunk(vec![7; 1 << 20].into()));
/// let end = client.drain(Duration::from_secs(5)).await;
/// let cut = end.cut();
/// if !cut.is_nothing() {
///     println!("{} streams, and {} bytes that were never sent", cut.streams, cut.bytes);
/// }
/// # assert_eq!(cut.streams, 1);
/// # drop(server);
/// # Ok::<(), muxado_core::OpenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cut {
    /// Streams that were still open, or still had something to send.
    pub streams: u64,
    /// Bytes that had been accepted from writers and were never sent. Those in frames that were under way count with their
    /// headers, and our GOAWAY counts too: a transport that takes nothing at all shows here.
    pub bytes: u64,
}

impl Cut {
    /// Whether everything was delivered, but for what streams in the background had.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Cut::default()
    }
}

/// Why a session ended. The first cause is the one that is kept. Cheap to clone.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{ErrorCode, Initiator};
///
/// # drop(server.close(ErrorCode::INTERNAL_ERROR, "out of memory"));
/// let end = client.closed().await;
/// println!("{end}"); // for a log: who, the code, and the text
/// assert_eq!((end.initiator(), end.code()), (Initiator::Remote, ErrorCode::INTERNAL_ERROR));
/// assert!(!end.is_clean() && !end.is_protocol_error()); // unwell, but it speaks muxado: worth connecting again
/// assert_eq!(end.peer_goodbye(), Some((end.code(), end.text())));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct SessionEnd {
    cause: Arc<EndCause>,
    cut: Cut,
    /// What few ends have: in one place, since every error of a stream carries room for an end.
    more: Option<Arc<More>>,
}

/// What few ends have.
#[derive(Clone, Debug, Default)]
struct More {
    peer: Option<Goodbye>,
    frames: Option<Arc<FrameLog>>,
}

/// The code and text of the peer's GOAWAY.
#[derive(Clone)]
struct Goodbye(ErrorCode, Bytes);

impl fmt::Debug for Goodbye {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Goodbye").field(&self.0).field(&Shown(&self.1)).finish()
    }
}

/// A text where an error is shown: escaped, and cut.
struct Shown<'a>(&'a [u8]);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, rest) = self.0.split_at(self.0.len().min(SHOWN));
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if !rest.is_empty() {
            write!(f, " and {} bytes more", rest.len())?;
        }
        Ok(())
    }
}

/// The end of a session as the streams that it took share it: each has room for no more than a pointer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SharedEnd(Arc<SessionEnd>);

impl SharedEnd {
    pub(crate) fn new(end: SessionEnd) -> SharedEnd {
        SharedEnd(Arc::new(end))
    }

    pub(crate) fn get(&self) -> &SessionEnd {
        &self.0
    }
}

/// The ways in which a session ends.
///
/// ```
/// # use muxado_core::{Config, Side};
/// # let world = muxado_testkit::World::new();
/// # let alone = muxado_testkit::alone(&world, Side::Server, &Config::default());
/// # let session = alone.session.clone();
/// # alone.from_peer.cut();
/// # world.block_on(async move {
/// use muxado_core::EndCause;
///
/// match session.closed().await.cause() {
///     EndCause::Closed { .. } | EndCause::GoAway { .. } => println!("somebody said goodbye"),
///     EndCause::PeerEof => println!("the peer went away without a word: did it crash?"),
///     EndCause::Transport(error) => println!("the network: {:?}", error.kind()),
///     cause => println!("{cause:?}"),
/// }
/// # assert!(matches!(session.end().unwrap().cause(), EndCause::PeerEof));
/// # });
/// ```
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

impl fmt::Debug for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = |name: &str, code: &ErrorCode, text: &[u8]| {
            f.debug_struct(name).field("code", code).field("text", &Shown(text)).finish()
        };
        match self {
            EndCause::Closed { code, text } => said("Closed", code, text),
            EndCause::GoAway { code, text } => said("GoAway", code, text),
            EndCause::PeerEof => f.write_str("PeerEof"),
            EndCause::PeerMisbehaved(how) => f.debug_tuple("PeerMisbehaved").field(how).finish(),
            EndCause::WriteStalled => f.write_str("WriteStalled"),
            EndCause::Transport(error) => f.debug_tuple("Transport").field(error).finish(),
            EndCause::DriverDropped => f.write_str("DriverDropped"),
        }
    }
}

impl SessionEnd {
    pub(crate) fn new(cause: EndCause) -> SessionEnd {
        SessionEnd { cause: Arc::new(cause), cut: Cut::default(), more: None }
    }

    pub(crate) fn with_cut(mut self, cut: Cut) -> SessionEnd {
        self.cut = cut;
        self
    }

    pub(crate) fn with_peer(mut self, code: ErrorCode, text: Bytes) -> SessionEnd {
        let more = self.more.as_deref().cloned().unwrap_or_default();
        self.more = Some(Arc::new(More { peer: Some(Goodbye(code, text)), ..more }));
        self
    }

    #[cold]
    pub(crate) fn with_frames(mut self, frames: FrameLog) -> SessionEnd {
        if !frames.is_empty() {
            let more = self.more.as_deref().cloned().unwrap_or_default();
            self.more = Some(Arc::new(More { frames: Some(Arc::new(frames)), ..more }));
        }
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

    /// The text of the GOAWAY that was received or sent, empty if there was none. `Display` and `Debug` show its first 256
    /// bytes.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match &*self.cause {
            EndCause::Closed { text, .. } | EndCause::GoAway { text, .. } => text,
            _ => &[],
        }
    }

    /// Whether the end was intended and nothing was wrong: a close or GOAWAY with [`ErrorCode::NO_ERROR`]. This is
    /// about the cause, which both sides see alike. For what was lost, in a drain whose time was up for instance, ask
    /// [`cut`](SessionEnd::cut) too.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        matches!(*self.cause, EndCause::Closed { code, .. } | EndCause::GoAway { code, .. } if code == ErrorCode::NO_ERROR)
    }

    /// Whether one side says that the other broke the protocol: this one did, or the peer's GOAWAY has a code for it.
    #[must_use]
    pub fn is_protocol_error(&self) -> bool {
        match &*self.cause {
            EndCause::PeerMisbehaved(_) => true,
            EndCause::GoAway { code, .. } => BLAMES.contains(code),
            _ => false,
        }
    }

    /// The last frames before the end, the oldest first, if it was for a protocol error and
    /// [`ConfigBuilder::record_frames`](crate::ConfigBuilder::record_frames) asked for them. The frame at fault is the last
    /// received one, unless that could not even be decoded: then [`cause`](SessionEnd::cause) says what was wrong with
    /// it.
    #[must_use]
    pub fn frames(&self) -> Option<&FrameLog> {
        self.more.as_deref()?.frames.as_deref()
    }

    /// The code and text of the peer's GOAWAY, if one came before the end, whatever the cause was.
    #[must_use]
    pub fn peer_goodbye(&self) -> Option<(ErrorCode, &[u8])> {
        self.more.as_deref()?.peer.as_ref().map(|Goodbye(code, text)| (*code, &text[..]))
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
            EndCause::PeerMisbehaved(how) => write!(f, "the peer broke the protocol: {how}")?,
            EndCause::WriteStalled => f.write_str("the transport stopped taking bytes")?,
            EndCause::Transport(error) => write!(f, "the transport failed: {error}")?,
            EndCause::DriverDropped => {
                f.write_str("the session's driver was dropped: has its runtime been shut down?")?;
            }
        }
        match self.text() {
            [] => Ok(()),
            text => write!(f, " {:?}", Shown(text)),
        }
    }
}

impl std::error::Error for SessionEnd {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.cause {
            // The error itself is in the text already.
            EndCause::Transport(error) => error.source(),
            _ => None,
        }
    }
}

/// How the peer broke the protocol badly enough to end the session.
///
/// ```
/// # use muxado_core::{Config, Side};
/// # let world = muxado_testkit::World::new();
/// # let alone = muxado_testkit::alone(&world, Side::Server, &Config::default());
/// # let session = alone.session.clone();
/// # world.block_on(async move {
/// use muxado_core::{EndCause, ErrorCode, PeerMisbehaved};
///
/// # alone.from_peer.inject(b"GET / HTTP/1.1\r\n\r\n");
/// let end = session.closed().await; // a browser came
/// let EndCause::PeerMisbehaved(how) = end.cause() else { panic!("{end}") };
/// assert!(matches!(how, PeerMisbehaved::Frame(_)));
/// assert_eq!(how.code(), ErrorCode::FRAME_SIZE_ERROR);
/// println!("{how}"); // ends in: does the peer speak muxado?
/// # });
/// ```
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
    /// It forced more replies than it reads.
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
            // What it mostly is, which is no news for the peer: there is no handshake in which it would have shown.
            PeerMisbehaved::Frame(error) => write!(f, "{error}: does the peer speak muxado?"),
            PeerMisbehaved::WrongParity => {
                write!(f, "{}: are both ends clients, or both servers?", self.text())
            }
            other => f.write_str(other.text()),
        }
    }
}

impl std::error::Error for PeerMisbehaved {}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn b30_the_peers_text_is_shown_escaped_and_cut() {
        let shown = |text: &[u8]| {
            let (code, text) = (ErrorCode::NO_ERROR, Bytes::copy_from_slice(text));
            SessionEnd::new(EndCause::GoAway { code, text }).to_string()
        };
        assert!(shown(b"a\n\x1b[2J").ends_with(r#" "a\n\x1b[2J""#));
        assert!(shown(&[b'x'; SHOWN]).ends_with(&format!(" \"{}\"", "x".repeat(SHOWN))));
        let long = [b'x'; SHOWN + 10];
        let cut = format!("\"{}\" and 10 bytes more", "x".repeat(SHOWN));
        assert!(shown(&long).ends_with(&format!(" {cut}")));

        let (code, text) = (ErrorCode::NO_ERROR, Bytes::copy_from_slice(&long));
        let end = SessionEnd::new(EndCause::GoAway { code, text: text.clone() }).with_peer(code, text);
        let debug = format!("{end:?}");
        assert_eq!((debug.matches(&cut).count(), debug.matches("xx").count()), (2, SHOWN), "{debug}");
    }

    #[test]
    fn a_cause_is_printed_as_if_it_were_derived() {
        let closed = EndCause::Closed { code: ErrorCode::NO_ERROR, text: Bytes::from_static(b"bye") };
        let shown = format!("{closed:?}");
        assert!(shown.starts_with("Closed { code: ") && shown.ends_with(", text: \"bye\" }"), "{shown}");
        let misbehaved = EndCause::PeerMisbehaved(PeerMisbehaved::ReservedBit);
        assert_eq!(format!("{misbehaved:?}"), "PeerMisbehaved(ReservedBit)");
        assert_eq!(format!("{:?}", EndCause::PeerEof), "PeerEof");
    }

    #[test]
    fn the_text_of_an_end_says_once_what_was_wrong() {
        let failed = SessionEnd::new(EndCause::Transport(io::Error::other("cable cut")));
        assert_eq!(failed.to_string(), "the transport failed: cable cut");
        assert!(failed.source().is_none());
        let broke = |how| SessionEnd::new(EndCause::PeerMisbehaved(how)).to_string();
        assert_eq!(
            broke(PeerMisbehaved::DuplicateSyn),
            "the peer broke the protocol: SYN for a stream that is open"
        );
        assert!(broke(PeerMisbehaved::WrongParity).ends_with("are both ends clients, or both servers?"));
        let http = muxado_frame::Decoder::new().decode(b"GET / HTTP/1.1").unwrap_err();
        assert!(
            broke(PeerMisbehaved::Frame(http)).ends_with("length of 4670804: does the peer speak muxado?")
        );
    }
}
