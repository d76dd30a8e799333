//! HTTP and gRPC over a session, with the libraries that you use already. Each has a feature of its own;
//! any of them brings this module.
//!
//! A session is a listener: `serve_axum`, `serve_hyper` and, for tonic, `incoming`. And it is a connector, a
//! `tower::Service` that opens a stream for each connection whatever the address, for hyper-util's client and tonic's
//! channel. Which side of the session dialled does not matter: a program behind a firewall connects out and serves.
//!
//! When the session ends, calls fail and do not hang. [`Retry::of`](crate::Retry::of) says of the HTTP client's error
//! whether the call may be repeated without the risk of doing it twice.

use std::net::SocketAddr;

use crate::{Stream, StreamId};

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "axum", feature = "hyper"))]
mod serve;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "axum")]
pub use self::axum::serve_axum;
#[cfg(feature = "hyper")]
pub use self::hyper::serve_hyper;
#[cfg(feature = "tonic")]
pub use self::tonic::{Incoming, incoming};
#[cfg(feature = "tower")]
pub use self::tower::Connecting;

/// What is known about a request's connection: `ConnectInfo<StreamInfo>` in axum, an extension of the request in tonic.
///
/// ```
/// use muxado_tokio::http::StreamInfo;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// # let mut opened = client.open().await?;
/// # opened.write_chunk("GET / HTTP/1.1".into()).await?;
/// let stream = server.accept().await?;
/// let info = StreamInfo::of(&stream); // what a handler is told
/// assert_eq!((info.id, info.peer_addr), (stream.id(), stream.peer_addr()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInfo {
    /// The stream's id, the same on both sides.
    pub id: Option<StreamId>,
    /// The address of this end of the session's transport, where it has one.
    pub local_addr: Option<SocketAddr>,
    /// The address of the peer's end of the session's transport, where it has one.
    pub peer_addr: Option<SocketAddr>,
}

impl StreamInfo {
    /// Of this stream.
    #[must_use]
    pub fn of(stream: &Stream) -> StreamInfo {
        StreamInfo { id: stream.id(), local_addr: stream.local_addr(), peer_addr: stream.peer_addr() }
    }
}
