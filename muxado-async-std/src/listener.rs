//! Listeners, whatever the connections are.

use async_std::net::TcpListener;
use muxado_core::Config;

/// Accepts connections and starts the server's end of a session on each: over TCP with [`bind`](Listener::bind), over Unix
/// sockets with `bind_unix`.
///
/// ```
/// use muxado_async_std::{Listener, connect};
///
/// # async_std::task::block_on(async {
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
/// `futures_util::stream::unfold(listener, |listener| async move { Some((listener.accept().await, listener)) })`.
///
/// # Dropping
/// It stops listening; the sessions it has returned go on.
#[derive(Debug)]
pub struct Listener<S = TcpListener> {
    pub(crate) source: S,
    pub(crate) config: Config,
}
