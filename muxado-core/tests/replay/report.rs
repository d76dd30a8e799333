//! What our side reports of a replayed session.

use muxado_core::proto::StreamKey;
use muxado_core::{EndCause, OpenError, ReadError, Retry, SessionEnd, SessionLost, WriteError};
use muxado_frame::ErrorCode;

/// How a read or a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: u32,
    /// Lost with the session, and whether the peer can have seen the stream.
    pub(crate) lost: Option<Retry>,
}

/// How reading came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Eof,
    Failed(Fault),
}

/// What our side knows of one stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) id: u32,
    pub(crate) key: StreamKey,
    /// The application has let go of it.
    pub(crate) released: bool,
    pub(crate) read: Vec<u8>,
    pub(crate) end: Option<End>,
    pub(crate) write: Option<Fault>,
    /// Whether a write that failed in the recording was tried.
    pub(crate) tried: bool,
}

impl Held {
    pub(crate) fn new(id: u32, key: StreamKey) -> Held {
        Held { id, key, released: false, read: Vec::new(), end: None, write: None, tried: false }
    }
}

/// An open, and the code it failed with: in the recording, and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) recorded: Option<u32>,
    pub(crate) ours: Option<u32>,
}

/// Everything that our side reports.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) accepted: Vec<u32>,
    pub(crate) streams: Vec<Held>,
    pub(crate) opens: Vec<Opened>,
    pub(crate) end: Option<SessionEnd>,
    /// The end that the peer announced with GOAWAY.
    pub(crate) goodbye: Option<SessionEnd>,
    /// The recorded side did something that ours cannot do.
    pub(crate) unplayable: bool,
}

fn lost(lost: &SessionLost) -> Fault {
    Fault { code: lost.end().code().get(), lost: Some(lost.retry()) }
}

pub(crate) fn read_fault(error: &ReadError) -> Fault {
    match error {
        ReadError::Session(session) => lost(session),
        _ => Fault { code: error.code().expect("the machine knows no deadlines").get(), lost: None },
    }
}

pub(crate) fn write_fault(error: &WriteError) -> Fault {
    match error {
        WriteError::Session(session) => lost(session),
        _ => Fault { code: error.code().expect("the machine knows no deadlines").get(), lost: None },
    }
}

/// The code that the recorded implementations have for it.
pub(crate) fn open_code(error: &OpenError) -> u32 {
    let code = match error {
        OpenError::GoneAway(_) => ErrorCode::REMOTE_GONE_AWAY,
        OpenError::Session(end) if matches!(end.cause(), EndCause::GoAway { .. }) => {
            ErrorCode::REMOTE_GONE_AWAY
        }
        OpenError::StreamsExhausted => ErrorCode::STREAMS_EXHAUSTED,
        _ => ErrorCode::SESSION_CLOSED,
    };
    code.get()
}
