//! What can go wrong, per operation: what happened, which side caused it, and whether it is safe to retry.

mod end;
mod session;
mod stream;

pub use end::{Cut, EndCause, PeerMisbehaved, SessionEnd};
pub use session::{AcceptError, OpenError};
pub(crate) use stream::Failure;
pub use stream::{ReadError, Reset, ResetError, SessionLost, WriteError};

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
