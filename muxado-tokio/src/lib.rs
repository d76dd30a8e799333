#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// With any of these features. Said this way round, since rustdoc would repeat a plain `cfg(any(...))` beside the one feature
// of each item within.
#[cfg_attr(not(any(feature = "axum", feature = "hyper", feature = "tower", feature = "tonic")), cfg(any()))]
pub mod http;
mod io;
mod listener;
mod rt;
mod session;
mod stream;
pub mod tap;
mod tcp;
#[cfg(feature = "tls")]
pub mod tls;
mod turn;
#[cfg(unix)]
mod unix;

pub use listener::Listener;
pub use muxado_core as core;
pub use muxado_core::face::tune;
pub use muxado_core::{
    AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, DecodeError, EndCause, ErrorCode,
    Flags, FrameDirection, FrameLog, FrameRecord, Initiator, Inspection, Kind, Leaving, Observer, OpenError,
    PeerMisbehaved, ReadError, Reset, ResetError, Retry, SessionEnd, SessionLost, Side, Stats, Stopped,
    StreamId, Waiting, WriteError, code_of, inspection,
};
pub use rt::Tokio;
pub use session::Session;
pub use stream::{RecvStream, SendStream, Stream};
pub use tcp::{connect, connect_with, over_tcp};
#[cfg(feature = "tls")]
pub use tls::{connect_tls, connect_tls_with};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};
