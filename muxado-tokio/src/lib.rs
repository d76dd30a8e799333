//! Many full-duplex byte streams over one connection, on tokio, speaking muxado v2.
//!
//! A session is like a listener and a connector at once: either side opens streams at any time, at no round-trip cost,
//! and accepts the other's. A stream is like a TCP connection, with tokio's `AsyncRead` and `AsyncWrite`.
//!
//! ```
//! use muxado_tokio::{Listener, Session, Stream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # async fn handle(mut stream: Stream) -> std::io::Result<()> {
//! #     let (mut send, mut recv) = stream.into_split();
//! #     tokio::io::copy(&mut recv, &mut send).await?;
//! #     send.shutdown().await
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = Listener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! tokio::spawn(async move {
//!     loop {
//!         let (session, _peer) = listener.accept().await?;
//!         tokio::spawn(async move {
//!             while let Ok(stream) = session.accept().await {
//!                 tokio::spawn(handle(stream));
//!             }
//!             println!("session ended: {}", session.closed().await);
//!         });
//!     }
//!     # #[allow(unreachable_code)]
//!     # Ok::<(), std::io::Error>(())
//! });
//!
//! let session = muxado_tokio::connect(address).await?; // or Session::client(any AsyncRead + AsyncWrite)
//! let mut stream = session.open().await?;
//! stream.write_all(b"hello").await?;
//! stream.shutdown().await?;
//! let mut echo = Vec::new();
//! stream.read_to_end(&mut echo).await?;
//! assert_eq!(echo, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! What a session promises, and all of its settings, are described in [`core`]: the end of a stream means
//! the peer's FIN and nothing else, every error says whether it is safe to retry, dropping is safe.
//!
//! # Cancel safety
//! `open` and `accept` may be cancelled at any point. Reads and writes are those of tokio's traits: a cancelled `read`
//! loses nothing, a cancelled `write_all` may have written a part.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "axum", feature = "hyper", feature = "tower", feature = "tonic"))]
pub mod http;
mod io;
mod listener;
mod rt;
mod session;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
#[cfg(unix)]
mod unix;

pub use listener::Listener;
pub use muxado_core as core;
pub use muxado_core::{
    AcceptError, Bytes, Closed, Config, ConfigBuilder, ConfigError, Cut, EndCause, ErrorCode, Initiator,
    OpenError, ReadError, Reset, ResetError, Retry, SessionEnd, SessionLost, Side, Stats, StreamId,
    WriteError,
};
pub use rt::Tokio;
pub use session::Session;
pub use stream::{RecvStream, SendStream, Stream};
pub use tcp::{connect, connect_with};
#[cfg(feature = "tls")]
pub use tls::{connect_tls, connect_tls_with};
#[cfg(unix)]
pub use unix::{connect_unix, connect_unix_with};

/// Runs the programs of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;

/// Runs the programs of the page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;
