//! How a session comes to its end: open, then draining or closing, then ended with one cause that is kept.

use bytes::Bytes;
use muxado_frame::ErrorCode;

use crate::error::{Cut, EndCause, SessionEnd};

/// The most text we send with GOAWAY, in bytes (B13).
const MAX_TEXT: usize = 256;

/// The most text of the peer's GOAWAY that is kept, in bytes (B17).
pub(super) const MAX_PEER_TEXT: usize = 1024;

/// How far the end has come.
///
/// ```text
///   Open --> Draining --> Closing --> Ended
///     \          \____________________^ ^
///      \________________________________|   any may be skipped, none is taken back
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Streams come and go.
    Open,
    /// No new streams; those there are go on.
    Draining,
    /// Closed by this side: what finished streams have queued still goes out.
    Closing,
    /// Nothing is taken in any more; at most a GOAWAY goes out.
    Ended,
}

/// Our GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// Not yet.
    None,
    /// When the streams are over.
    WhenDrained,
    /// Before anything else.
    Now,
    /// It has gone out, or never will.
    Done,
}

/// What is known of the session's end.
#[derive(Debug)]
pub(super) struct Shutdown {
    pub(super) phase: Phase,
    pub(super) goodbye: Goodbye,
    pub(super) code: ErrorCode,
    pub(super) text: Bytes,
    /// GOAWAY went out early, with the filler behind it, and must not go out again (behaviour, decision 3).
    pub(super) said_early: bool,
    /// The end as the application sees it. The first cause is kept.
    pub(super) end: Option<SessionEnd>,
    pub(super) cut: Cut,
    /// The peer's GOAWAY.
    pub(super) peer: Option<PeerGoodbye>,
}

/// The peer's GOAWAY.
#[derive(Debug)]
pub(super) struct PeerGoodbye {
    /// Streams of ours above this were not processed.
    pub(super) last: u32,
    pub(super) code: ErrorCode,
    /// At most [`MAX_PEER_TEXT`] bytes, complete once the frame is.
    pub(super) text: Vec<u8>,
}

impl PeerGoodbye {
    pub(super) fn end(&self) -> SessionEnd {
        SessionEnd::new(EndCause::GoAway { code: self.code, text: Bytes::copy_from_slice(&self.text) })
    }
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown {
            phase: Phase::Open,
            goodbye: Goodbye::None,
            code: ErrorCode::NO_ERROR,
            text: Bytes::new(),
            said_early: false,
            end: None,
            cut: Cut::default(),
            peer: None,
        }
    }
}

impl Shutdown {
    /// Moves on to `phase`, never back.
    pub(super) fn reach(&mut self, phase: Phase) {
        self.phase = self.phase.max(phase);
    }

    /// Says what the GOAWAY will say, cut to what may be sent.
    pub(super) fn say(&mut self, code: ErrorCode, text: &[u8]) {
        self.code = code;
        self.text = Bytes::copy_from_slice(text.get(..MAX_TEXT).unwrap_or(text));
    }

    /// The end that `say` leads to.
    pub(super) fn closed(&self) -> SessionEnd {
        SessionEnd::new(EndCause::Closed { code: self.code, text: self.text.clone() })
    }
}
