//! Many full-duplex byte streams over one connection, on async-std, speaking muxado v2.
//!
//! A session is like a listener and a connector at once: either side opens streams at any time, at no round-trip cost,
//! and accepts the other's. A stream is like a TCP connection, with the `AsyncRead` and `AsyncWrite` that async-std uses.
//!
//! ```
//! use muxado_async_std::{Listener, Stream};
//! use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
//!
//! async fn handle(stream: Stream) -> std::io::Result<()> {
//!     let (mut send, mut recv) = stream.into_split();
//!     futures_lite::io::copy(&mut recv, &mut send).await?;
//!     send.close().await
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! async_std::task::block_on(async {
//!     let listener = Listener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     async_std::task::spawn(async move {
//!         while let Ok((session, _peer)) = listener.accept().await {
//!             async_std::task::spawn(async move {
//!                 while let Ok(stream) = session.accept().await {
//!                     async_std::task::spawn(handle(stream));
//!                 }
//!                 println!("session ended: {}", session.closed().await);
//!             });
//!         }
//!     });
//!
//!     let session = muxado_async_std::connect(address).await?; // or Session::client(any AsyncRead + AsyncWrite)
//!     let mut stream = session.open().await?;
//!     stream.write_all(b"hello").await?;
//!     stream.close().await?; // ends our direction only
//!     let mut echo = Vec::new();
//!     stream.read_to_end(&mut echo).await?;
//!     assert_eq!(echo, b"hello");
//!     Ok(())
//! })
//! # }
//! ```
//!
//! What a session promises, and all of its settings, are described in [`core`]: the end of a stream means
//! the peer's FIN and nothing else, every error says whether it is safe to retry, dropping is safe.
//!
//! async-std is discontinued, and its authors point to smol: for something new, take `muxado-smol`, which has the same
//! names. This crate is for programs that are on async-std already.

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
    Initiator, Open, OpenError, ReadError, RecvStream, Reset, ResetError, Retry, SendStream, SessionEnd,
    SessionLost, Side, Stats, Stream, StreamId, WriteError,
};
pub use rt::{AsyncStd, Sleep};
pub use tcp::{connect, connect_with};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};

/// One end of a muxado session. Cheap to clone; every clone is the same session.
pub type Session = muxado_core::face::Session<AsyncStd>;

/// Runs the programs of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
