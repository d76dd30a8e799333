//! What a stream or a session can wait for, in an enum and in words.

use std::fmt;
use std::time::Duration;

use super::text::Seconds;

/// What one direction of a stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// Reading: somebody reads, and there is nothing yet. The peer has to send.
    Data,
    /// Reading: bytes are there, and nobody reads them. Our application has to read.
    Reader,
    /// The stream waits to be accepted by our application.
    Accept,
    /// Both directions are over, and the application still holds the stream.
    Release,
    /// Writing: what is queued may not go out before the peer's application reads.
    Credit,
    /// Writing: a writer waits because the streams of the session have together queued as much as they may.
    SendQueue,
    /// Writing: what is queued may go out, as soon as the transport takes it and others have had their turns.
    Turn,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Waiting::Data => "reading: waits for data",
            Waiting::Reader => "nobody reads",
            Waiting::Accept => "not accepted yet",
            Waiting::Release => "over, and still held by the application",
            Waiting::Credit => "writing: waits for the peer to read (no credit)",
            Waiting::SendQueue => "writing: waits for the session's send queue",
            Waiting::Turn => "writing: waits for its turn",
        })
    }
}

/// What is waited for, and how long so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// What for.
    pub what: Waiting,
    /// How long so far; none unless the session was made with
    /// [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection).
    pub so_far: Option<Duration>,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)?;
        show_time(self.so_far, f)
    }
}

/// What the driver of a session does or waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Driving {
    /// It runs, or its task is about to.
    Busy,
    /// There is nothing to do before the peer sends something or the application asks for something.
    Idle,
    /// There is something to send, and the transport takes nothing. Without
    /// [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection) it is noticed once there is more than the transport was
    /// last offered.
    Transport,
    /// The session has ended: the last frames go out, and the transport is closed.
    Goodbye,
    /// It is done, or was dropped.
    Gone,
}

impl fmt::Display for Driving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Driving::Busy => "busy",
            Driving::Idle => "idle",
            Driving::Transport => "waits for the transport to take bytes",
            Driving::Goodbye => "says goodbye",
            Driving::Gone => "gone",
        })
    }
}

/// What the driver does or waits for, and how long so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverWait {
    /// What for.
    pub what: Driving,
    /// How long so far, for [`Driving::Transport`]; none unless the session was made with
    /// [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection).
    pub so_far: Option<Duration>,
}

impl DriverWait {
    pub(crate) fn new(what: Driving, so_far: Option<Duration>) -> DriverWait {
        DriverWait { what, so_far }
    }
}

impl fmt::Display for DriverWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)?;
        show_time(self.so_far, f)
    }
}

fn show_time(so_far: Option<Duration>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match so_far {
        Some(so_far) => write!(f, ", {}", Seconds(so_far)),
        None => Ok(()),
    }
}
