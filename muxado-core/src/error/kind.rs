//! The kind of `io::Error` that each error of ours becomes.
//!
//! Never as `UnexpectedEof`: that is what helpers like `read_exact` make of a clean end that comes too early, and much code
//! takes it for harmless. As `TimedOut` only after a deadline of the stream, since code that sees it tries again.

use std::io;

use super::{
    AcceptError, EndCause, Initiator, OpenError, ReadError, Reset, ResetError, SessionEnd, WriteError,
};

/// What is asked of a session that has ended. Not the kind of its cause: a loop that accepts takes `ConnectionReset` and
/// `ConnectionAborted` for the trouble of one connection, and would go on for ever.
const ENDED: io::ErrorKind = io::ErrorKind::NotConnected;

impl EndCause {
    /// What is lost with the session. If the transport failed, its own kind is of no use: it may be one of those that
    /// mean something else on a stream.
    fn kind(&self) -> io::ErrorKind {
        match self {
            EndCause::Closed { .. } | EndCause::WriteStalled | EndCause::DriverDropped => {
                io::ErrorKind::ConnectionAborted
            }
            EndCause::GoAway { .. }
            | EndCause::PeerEof
            | EndCause::PeerMisbehaved(_)
            | EndCause::Transport(_) => io::ErrorKind::ConnectionReset,
        }
    }
}

impl Reset {
    fn kind(&self) -> io::ErrorKind {
        match self.initiator {
            Initiator::Local => io::ErrorKind::ConnectionAborted,
            Initiator::Remote | Initiator::Transport => io::ErrorKind::ConnectionReset,
        }
    }
}

/// The kinds are stable:
///
/// | cause | kind |
/// |---|---|
/// | [`Closed`](EndCause::Closed), [`DriverDropped`](EndCause::DriverDropped): this side ended it | `ConnectionAborted` |
/// | [`WriteStalled`](EndCause::WriteStalled): this side gave it up | `ConnectionAborted` |
/// | [`GoAway`](EndCause::GoAway), [`PeerMisbehaved`](EndCause::PeerMisbehaved): the peer ended it, or was the cause | `ConnectionReset` |
/// | [`PeerEof`](EndCause::PeerEof), [`Transport`](EndCause::Transport): the peer or the transport is gone | `ConnectionReset` |
///
/// The end itself is inside: `get_ref()` and `downcast_ref::<SessionEnd>()`.
impl From<SessionEnd> for io::Error {
    fn from(end: SessionEnd) -> io::Error {
        io::Error::new(end.cause().kind(), end)
    }
}

/// `WouldBlock` for `Busy`, `NotConnected` for a session that has ended, `ConnectionRefused` for one that takes no more
/// streams. The error itself is inside.
impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> io::Error {
        let kind = match &error {
            OpenError::Busy => io::ErrorKind::WouldBlock,
            OpenError::StreamsExhausted | OpenError::Draining | OpenError::GoneAway(_) => {
                io::ErrorKind::ConnectionRefused
            }
            OpenError::Session(_) => ENDED,
        };
        io::Error::new(kind, error)
    }
}

/// `NotConnected`, whatever the session ended with: accept loops take the other kinds for trouble with a single
/// connection. The error itself is inside.
impl From<AcceptError> for io::Error {
    fn from(error: AcceptError) -> io::Error {
        io::Error::new(ENDED, error)
    }
}

/// The kinds are stable:
///
/// | error | kind |
/// |---|---|
/// | a reset by the peer | `ConnectionReset` |
/// | a reset by this side | `ConnectionAborted` |
/// | a lost session | that of its end: `ConnectionReset` or `ConnectionAborted`, see [`SessionEnd`] |
/// | a deadline, and nothing else | `TimedOut` |
///
/// Never `UnexpectedEof`: if a helper like `read_exact` says that, the peer's FIN came earlier than expected. The
/// error itself is inside: `get_ref()` and `downcast_ref::<ReadError>()`.
impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> io::Error {
        let kind = match &error {
            ReadError::Reset(reset) => reset.kind(),
            ReadError::Session(lost) => lost.end.cause().kind(),
            ReadError::TimedOut => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, error)
    }
}

/// As for [`ReadError`], and `BrokenPipe` for writing after this side has finished.
impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> io::Error {
        let kind = match &error {
            WriteError::Reset(reset) => reset.kind(),
            WriteError::Session(lost) => lost.end.cause().kind(),
            WriteError::Finished => io::ErrorKind::BrokenPipe,
            WriteError::TimedOut => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, error)
    }
}

/// `InvalidInput`. The error itself is inside.
impl From<ResetError> for io::Error {
    fn from(error: ResetError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, error)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use muxado_frame::ErrorCode;

    use super::super::{Failure, PeerMisbehaved, Retry, SharedEnd};
    use super::*;

    #[test]
    fn an_end_has_one_kind_wherever_it_shows() {
        let (code, text) = (ErrorCode::NO_ERROR, Bytes::new());
        for (cause, kind) in [
            (EndCause::Closed { code, text: text.clone() }, io::ErrorKind::ConnectionAborted),
            (EndCause::DriverDropped, io::ErrorKind::ConnectionAborted),
            (EndCause::WriteStalled, io::ErrorKind::ConnectionAborted),
            (EndCause::GoAway { code, text }, io::ErrorKind::ConnectionReset),
            (EndCause::PeerMisbehaved(PeerMisbehaved::ReservedBit), io::ErrorKind::ConnectionReset),
            (EndCause::PeerEof, io::ErrorKind::ConnectionReset),
            (EndCause::Transport(io::ErrorKind::TimedOut.into()), io::ErrorKind::ConnectionReset),
            (EndCause::Transport(io::ErrorKind::UnexpectedEof.into()), io::ErrorKind::ConnectionReset),
        ] {
            let end = SessionEnd::new(cause);
            let lost = Failure::Lost(SharedEnd::new(end.clone()), Retry::Unknown);
            assert_eq!(io::Error::from(ReadError::from(lost.clone())).kind(), kind, "{end:?}");
            assert_eq!(io::Error::from(WriteError::from(lost)).kind(), kind, "{end:?}");
            assert_eq!(io::Error::from(end.clone()).kind(), kind, "{end:?}");
            assert_eq!(io::Error::from(OpenError::Session(end.clone())).kind(), ENDED);
            assert_eq!(io::Error::from(AcceptError { end }).kind(), ENDED);
        }
    }

    #[test]
    fn a_reset_says_by_its_kind_who_reset() {
        for (initiator, kind) in [
            (Initiator::Local, io::ErrorKind::ConnectionAborted),
            (Initiator::Remote, io::ErrorKind::ConnectionReset),
        ] {
            let reset = Reset { code: ErrorCode::UNKNOWN, initiator };
            assert_eq!(io::Error::from(ReadError::Reset(reset)).kind(), kind);
            assert_eq!(io::Error::from(WriteError::Reset(reset)).kind(), kind);
        }
    }

    #[test]
    fn what_is_refused_and_what_is_late_have_kinds_of_their_own() {
        for (error, kind) in [
            (OpenError::Busy.into(), io::ErrorKind::WouldBlock),
            (OpenError::StreamsExhausted.into(), io::ErrorKind::ConnectionRefused),
            (OpenError::Draining.into(), io::ErrorKind::ConnectionRefused),
            (ReadError::TimedOut.into(), io::ErrorKind::TimedOut),
            (WriteError::TimedOut.into(), io::ErrorKind::TimedOut),
            (WriteError::Finished.into(), io::ErrorKind::BrokenPipe),
            (ResetError::NoError.into(), io::ErrorKind::InvalidInput),
        ] {
            let error: io::Error = error;
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}
