//! Listeners, whatever the connections are.

use std::future::Future;
use std::io;

use muxado_core::Config;
use smol::net::TcpListener;
use smol::stream::{self, Stream};

use crate::Session;

/// Accepts connections and starts the server's end of a session on each: over TCP with [`bind`](Listener::bind), over Unix
/// sockets with `bind_unix`, and with the feature `tls` over TLS with `bind_tls`.
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
