//! What the peer may do wrong on one stream, and what that costs it. What ends the session is
//! [`PeerMisbehaved`](crate::error::PeerMisbehaved).

use muxado_frame::ErrorCode;

/// A rule broken, or a limit met, on one stream. The session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// More DATA than the window allows.
    BeyondWindow,
    /// DATA after FIN.
    AfterFin,
    /// DATA for a stream that is not there.
    NotOpen,
    /// A stream more than `max_inbound_streams`, or any while this side drains.
    Refused,
    /// A stream more than `accept_backlog`.
    BacklogFull,
    /// More unread bytes than `max_session_recv`.
    MemoryCap,
}

/// Which budget a violation is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// None: a limit of ours is no fault of the peer's (behaviour, decision 4).
    Nothing,
    /// B18.
    Reset,
    /// B19.
    Glitch,
}

impl Violation {
    /// The code of the RST that answers it.
    pub(super) fn code(self) -> ErrorCode {
        match self {
            Violation::BeyondWindow => ErrorCode::FLOW_CONTROL_ERROR,
            Violation::AfterFin | Violation::NotOpen => ErrorCode::STREAM_CLOSED,
            Violation::Refused => ErrorCode::STREAM_REFUSED,
            Violation::BacklogFull => ErrorCode::ACCEPT_QUEUE_FULL,
            Violation::MemoryCap => ErrorCode::ENHANCE_YOUR_CALM,
        }
    }

    pub(super) fn charge(self) -> Charge {
        match self {
            Violation::BeyondWindow | Violation::AfterFin => Charge::Reset,
            Violation::NotOpen => Charge::Glitch,
            Violation::Refused | Violation::BacklogFull | Violation::MemoryCap => Charge::Nothing,
        }
    }
}
