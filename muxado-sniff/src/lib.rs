//! Several protocols on one port, told apart by their first bytes.
//!
//! A [`Sniffer`] accepts connections, from a socket or from anything else, and looks at how each begins. Every [`Matcher`]
//! has a [`Listener`] of its own, whose connections are read from their first byte, as if nobody had looked.
//!
//! ```text
//!                                    matchers, in order
//!   accept ---> looked at, side by ---> http2_header ---> Listener ---> gRPC
//!               side: bounded in        http1        ---> Listener ---> HTTP
//!               number, bytes, time     tls          ---> Listener ---> TLS, and perhaps a Sniffer once more
//!                                       any          ---> Listener ---> whoever is left over, or silent
//! ```
//!
//! On tokio, with the feature `tokio`:
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn serve() -> std::io::Result<()> {
//! use muxado_sniff::{Limits, Sniffer, any, http1, tls};
//!
//! let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let mut sniffer = Sniffer::tokio(Limits::new());
//! let web = sniffer.listen(http1());
//! let secure = sniffer.listen(tls().alpn("h2"));
//! let rest = sniffer.listen(any());
//! tokio::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
//! while let Some(connection) = web.accept().await {
//!     // AsyncRead + AsyncWrite; the address is that of `connection.get_ref()`
//! }
//! # Ok(())
//! # }
//! ```
//!
//! On any other runtime, with the futures-io traits:
//!
//! ```
//! use muxado_sniff::{Limits, Sniffer, http1};
//! use smol::net::TcpListener;
//!
//! # smol::block_on(async {
//! let port = TcpListener::bind("127.0.0.1:0").await?;
//! # let mut client = smol::net::TcpStream::connect(port.local_addr()?).await?;
//! # smol::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\n").await?;
//! let mut sniffer = Sniffer::on(muxado_smol::Smol::default(), Limits::new());
//! let web = sniffer.listen(http1());
//! smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await }).detach();
//! let connection = web.accept().await;
//! # assert!(connection.is_some());
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```
//!
//! # What can be relied on
//!
//! - *No connection holds up another*: not a silent one, not one whose listener nobody accepts from.
//! - *Nothing that clients can grow is without a bound*: see [`Limits`], where each has its default.
//! - *Nothing is lost*: whoever serves a connection reads all of it, and what is closed is counted in [`SniffStats`].
//! - *It is decided once*, by the first bytes of a connection: further requests on it go to the same listener.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod decide;
mod io;
mod limits;
mod listener;
mod matcher;
mod sniff;
mod sniffed;
mod sniffer;

#[cfg(feature = "tokio")]
pub use io::Tokio;
pub use io::{FuturesIo, Io};
pub use limits::Limits;
pub use listener::{Incoming, Listener};
pub use matcher::{
    ClientHello, Matcher, OneOf, Parsed, Tls, Verdict, any, client_hello, http1, http1_header,
    http1_header_prefix, http1_methods, http2, muxado, one_of, prefix, ssh, tls,
};
#[cfg(feature = "hpack")]
pub use matcher::{Http2Header, http2_header, http2_header_prefix};
pub use sniffed::Sniffed;
pub use sniffer::{SniffStats, Sniffer};

/// Runs the programs of the page as tests.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct CrateReadme;
