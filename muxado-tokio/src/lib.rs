//! Many full-duplex byte streams over one connection, on tokio, speaking muxado v2.
#![forbid(unsafe_code)]

mod io;
mod rt;
mod session;
mod stream;
mod tcp;

pub use muxado_core as core;
pub use muxado_core::{
    AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, EndCause, ErrorCode, Initiator,
    OpenError, ReadError, Reset, ResetError, Retry, SessionEnd, SessionLost, Side, Stats, StreamId,
    WriteError,
};
pub use rt::Tokio;
pub use session::Session;
pub use stream::{RecvStream, SendStream, Stream};
pub use tcp::{Listener, connect, connect_with};
