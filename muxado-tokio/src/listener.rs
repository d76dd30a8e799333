//! Listeners, whatever the connections are.

use muxado_core::Config;
use tokio::net::TcpListener;

/// Accepts connections and starts the server's end of a session on each: over TCP with [`bind`](Listener::bind), over Unix
/// sockets with `bind_unix`, and with the feature `tls` over TLS with `bind_tls`.
#[derive(Debug)]
pub struct Listener<S = TcpListener> {
    pub(crate) source: S,
    pub(crate) config: Config,
}
