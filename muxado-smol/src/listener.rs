//! Listeners, whatever the connections are.

use muxado_core::Config;
use smol::net::TcpListener;

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
/// Whoever wants the sessions as a `Stream` makes one of `accept`:
/// `smol::stream::unfold(listener, |listener| async move { Some((listener.accept().await, listener)) })`.
///
/// # Dropping
/// It stops listening; the sessions it has returned go on. TLS handshakes that are under way are dropped.
#[derive(Debug)]
pub struct Listener<S = TcpListener> {
    pub(crate) source: S,
    pub(crate) config: Config,
}
