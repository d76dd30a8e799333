#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod half;
mod listener;
mod rt;
mod tcp;
#[cfg(unix)]
mod unix;

pub use listener::Listener;
pub use muxado_core as core;
pub use muxado_core::{
    Accept, AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, EndCause, ErrorCode,
    FrameLog, Initiator, Inspection, Leaving, Open, OpenError, ReadError, RecvStream, Reset, ResetError,
    Retry, SendStream, SessionEnd, SessionLost, Side, Stats, Stream, StreamId, Waiting, WriteError, code_of,
    inspection,
};
pub use rt::{AsyncStd, Sleep};
pub use tcp::{connect, connect_with};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};

/// One end of a muxado session. Cheap to clone; every clone is the same session.
pub type Session = muxado_core::face::Session<AsyncStd>;
