//! Listeners, whatever the connections are.

use std::future::Future;
use std::io;

use muxado_core::Config;
use smol::net::TcpListener;
use smol::stream::{self, Stream};

use crate::Session;

/// Accepts connections and starts the server's end of a session on each: over TCP with [`bind`](Listener::bind), over Unix
/// sockets with `bind_unix`, and with the feature `tls` over TLS with `bind_tls`.
///
/// ```
/// use muxado_smol::{Listener, connect};
///
/// # smol::block_on(async {
/// let listener = Listener::bind("127.0.0.1:0").await?;
/// let client = connect(listener.local_addr()?).await?;
/// let (server, peer) = listener.accept().await?;
/// assert_eq!(client.local_addr(), Some(peer));
/// assert_eq!(client.peer_addr(), server.local_addr());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// It listens no more; the sessions that it gave go on. TLS handshakes that are under way are dropped.
#[derive(Debug)]
pub struct Listener<S = TcpListener> {
    pub(crate) source: S,
    pub(crate) config: Config,
}

/// What `accept` gives, for ever.
pub(crate) fn incoming<'l, F>(
    accept: impl Fn() -> F + Send + 'l,
) -> impl Stream<Item = io::Result<Session>> + Send + Unpin + 'l
where
    F: Future<Output = io::Result<Session>> + Send + 'l,
{
    Box::pin(stream::unfold(accept, |accept| async move { Some((accept().await, accept)) }))
}
