//! Many full-duplex byte streams over one connection, on smol, speaking muxado v2.
//!
//! A session is like a listener and a connector at once: either side opens streams at any time, at no round-trip cost,
//! and accepts the other's. A stream is like a TCP connection, with the `AsyncRead` and `AsyncWrite` that smol uses.
//!
//! ```
//! use muxado_smol::{Listener, Stream};
//! use smol::io::{AsyncReadExt, AsyncWriteExt};
//!
//! async fn handle(stream: Stream) -> std::io::Result<()> {
//!     let (mut send, mut recv) = stream.into_split();
//!     smol::io::copy(&mut recv, &mut send).await?;
//!     send.close().await
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! smol::block_on(async {
//!     let listener = Listener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     smol::spawn(async move {
//!         while let Ok((session, _peer)) = listener.accept().await {
//!             smol::spawn(async move {
//!                 while let Ok(stream) = session.accept().await {
//!                     smol::spawn(handle(stream)).detach();
//!                 }
//!                 println!("session ended: {}", session.closed().await);
//!             })
//!             .detach();
//!         }
//!     })
//!     .detach();
//!
//!     let session = muxado_smol::connect(address).await?; // or Session::client(any AsyncRead + AsyncWrite)
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
//! Sessions run on smol's global executor, as everything does that [`smol::spawn`] starts.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod listener;
mod rt;
mod tcp;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
#[cfg(unix)]
mod unix;

pub use listener::Listener;
pub use muxado_core as core;
pub use muxado_core::{
    Accept, AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, EndCause, ErrorCode,
    Initiator, Open, OpenError, ReadError, RecvStream, Reset, ResetError, Retry, SendStream, SessionEnd,
    SessionLost, Side, Stats, Stream, StreamId, WriteError,
};
pub use rt::{Sleep, Smol};
pub use tcp::{connect, connect_with};
#[cfg(feature = "tls")]
pub use tls::{connect_tls, connect_tls_with};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};

/// One end of a muxado session. Cheap to clone; every clone is the same session.
pub type Session = muxado_core::face::Session<Smol>;

/// Runs the programs of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
