#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod error;
pub mod face;
#[cfg(test)]
#[cfg(muxado_models)]
mod models;
pub mod proto;
pub mod rt;
mod session;
mod stream;
pub mod tap;

pub use bytes::Bytes;
pub use config::{Config, ConfigBuilder, DEFAULT_WINDOW};
pub use error::{
    AcceptError, ConfigError, Cut, EndCause, Initiator, OpenError, PeerMisbehaved, ReadError, Reset,
    ResetError, Retry, SessionEnd, SessionLost, WriteError, code_of,
};
pub use muxado_frame::{DecodeError, ErrorCode, Flags, Kind, Side, StreamId};
pub use proto::inspection;
pub use proto::{FrameDirection, FrameLog, FrameRecord, Inspection, Stats, Waiting};
pub use session::{Accept, Closed, Driver, Half, Leaving, Observer, Open, Session};
pub use stream::{ReadChunk, RecvStream, SendStream, Stopped, Stream, WriteChunk};
