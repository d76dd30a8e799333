//! Many full-duplex byte streams over one ordered, reliable transport, speaking muxado v2.
//!
//! Either side opens streams at any time, at no round-trip cost; each stream has flow control of its own; a slow one
//! stalls nobody. It talks to the Go reference implementation and to the Rust crate `muxado` 0.5, byte for byte.
//!
//! This crate has no runtime, starts no task and opens no socket. On tokio, use `muxado-tokio`, which spawns the driver
//! for you and speaks tokio's traits. Use this crate to bring your own runtime, or to write a library that leaves the
//! choice to its users.
//!
//! # The parts
//!
//! ```text
//!   Session, Stream          what an application holds: open, accept, read, write, end
//!        |  one lock
//!   proto::Mux               the whole protocol as a value: no I/O, no async, no clock
//!        |
//!   Driver                   a future that owns the transport and moves the bytes
//!        |
//!   AsyncRead + AsyncWrite   TCP, TLS, a Unix socket, a pipe, a WebSocket, ...
//! ```
//!
//! # Example
//!
//! ```
//! use futures_util::{AsyncReadExt, AsyncWriteExt};
//! use muxado_core::rt::Runtime;
//! use muxado_core::{Config, Session};
//!
//! # use muxado_testkit::World;
//! # let runtime = World::new();
//! # let (near, far) = muxado_testkit::pipe(4096);
//! # let world = runtime.clone();
//! # world.block_on(async move {
//! // `near` and `far` are the two ends of any transport; `runtime` is yours.
//! let config = Config::default();
//! let (client, driver) = Session::client(near, &config, runtime.clone());
//! runtime.spawn(async { drop(driver.await) });
//! let (server, driver) = Session::server(far, &config, runtime.clone());
//! runtime.spawn(async { drop(driver.await) });
//!
//! let mut question = client.open().await?;
//! question.write_all(b"how are you?").await?;
//! question.close().await?; // our direction ends; theirs goes on
//!
//! let mut asked = server.accept().await?;
//! let mut text = String::new();
//! asked.read_to_string(&mut text).await?;
//! asked.write_all(b"fine").await?;
//! asked.close().await?;
//!
//! let mut answer = String::new();
//! question.read_to_string(&mut answer).await?;
//! assert_eq!((text.as_str(), answer.as_str()), ("how are you?", "fine"));
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! # What can be relied on
//!
//! - *The end of a stream means the peer's FIN and nothing else.* A reset, a lost transport, a closed session: an error.
//! - *Every error says whether the request is safe to retry* ([`Retry`]), which side caused it, and with which code.
//! - *Dropping is safe.* What was accepted is delivered; an unfinished stream then ends in a reset, not in a false end.
//! - *A peer cannot make a session hold more than its limits*, all of which are in [`Config`]; a limit never ends a
//!   session, only a flood does.
//! - *Cancelling* a future of this crate loses no bytes, no stream and no place that is not its own.
//!
//! # Stability
//!
//! Texts of errors, default settings and the values of [`Stats`] may change in any release.

#![forbid(unsafe_code)]

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

pub use bytes::Bytes;
pub use config::{Config, ConfigBuilder, ConfigError, DEFAULT_WINDOW};
pub use error::{
    AcceptError, Cut, EndCause, Initiator, OpenError, PeerMisbehaved, ReadError, Reset, ResetError, Retry,
    SessionEnd, SessionLost, WriteError,
};
pub use muxado_frame::{ErrorCode, Side, StreamId};
pub use proto::Stats;
pub use session::{Accept, Closed, Driver, Half, Leaving, Observer, Open, Session};
pub use stream::{ReadChunk, RecvStream, SendStream, Stream, WriteChunk};

/// Runs the programs of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
