//! Sessions over TLS, by rustls.
//!
//! Nothing is muxed before the handshake is done. ALPN offers [`ALPN`] unless the rustls settings name protocols of their
//! own. Client certificates are a matter of those settings too.
//!
//! A connection that ends without TLS's close_notify may have been cut off by somebody in between: unless the peer's
//! GOAWAY had come, the session ends with [`EndCause::Transport`](crate::EndCause::Transport).
//!
//! ```
//! use muxado_tokio::{Listener, connect_tls};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let authority = muxado_testkit::certs::Authority::new();
//! # let (server, client) = (authority.server(), authority.client());
//! // `server` and `client` are settings of rustls; the name is the one in the server's certificate.
//! let listener = Listener::bind_tls("127.0.0.1:0", server).await?;
//! let address = listener.local_addr()?;
//! let (client, server) = tokio::join!(connect_tls(address, "localhost", client), listener.accept());
//! assert_eq!(client?.local_addr(), server?.0.peer_addr());
//! # Ok(())
//! # }
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use muxado_core::Side;
use muxado_core::face::{Arrivals, tune};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, server};

use crate::listener::Listener;
use crate::rt::Tokio;
use crate::session::Session;

pub use muxado_core::face::{ALPN, AlpnMismatch, ArrivalStats, TlsOptions};
pub use tokio_rustls::rustls;

/// Connects over TCP and TLS and starts the client's end of a session, with the default settings.
///
/// `name` is what the server's certificate must be for: a host's name or address. For an example see the [module](self).
///
/// The handshake has a time limit, connecting only that of the system. [`connect`](crate::connect) shows how to set one for
/// all of it.
///
/// # Errors
/// `InvalidInput` for a name that is not valid. Whatever resolving, connecting and the handshake report; the kind
/// `TimedOut` if the handshake takes longer than 10 s.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_tls(
    address: impl ToSocketAddrs,
    name: &str,
    tls: impl Into<Arc<ClientConfig>>,
) -> io::Result<Session> {
    connect_tls_with(address, name, tls, &TlsOptions::new()).await
}

/// As [`connect_tls`], with settings.
///
/// # Errors
/// Those of [`connect_tls`], with the time limit of `options`, and [`AlpnMismatch`] if the protocol is demanded.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_tls_with(
    address: impl ToSocketAddrs,
    name: &str,
    tls: impl Into<Arc<ClientConfig>>,
    options: &TlsOptions,
) -> io::Result<Session> {
    let name = ServerName::try_from(name)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?
        .to_owned();
    let mut tls = tls.into();
    if tls.alpn_protocols.is_empty() {
        Arc::make_mut(&mut tls).alpn_protocols = vec![ALPN.to_vec()];
    }
    let tcp = TcpStream::connect(address).await?;
    tune(&tcp, options.session());
    let ends = (tcp.local_addr().ok(), tcp.peer_addr().ok());
    let stream = options.in_time(&Tokio, TlsConnector::from(tls).connect(name, tcp)).await?;
    options.check_alpn(stream.get_ref().1.alpn_protocol())?;
    Ok(Session::over_with(stream, Side::Client, options.session(), ends))
}

/// What a [`Listener`] with TLS accepts from. [`bind_tls`](Listener::bind_tls) and
/// [`from_tcp_tls`](Listener::from_tcp_tls) make it.
pub struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    options: Arc<TlsOptions>,
    handshakes: Arrivals<Tokio, Arrived>,
}

type Arrived = (server::TlsStream<TcpStream>, SocketAddr);

impl Listener<Tls> {
    /// Listens on `address` for TLS, with the default settings.
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_tls(
        address: impl ToSocketAddrs,
        tls: impl Into<Arc<ServerConfig>>,
    ) -> io::Result<Listener<Tls>> {
        Listener::bind_tls_with(address, tls, TlsOptions::new()).await
    }

    /// As [`bind_tls`](Listener::bind_tls), with settings.
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_tls_with(
        address: impl ToSocketAddrs,
        tls: impl Into<Arc<ServerConfig>>,
        options: TlsOptions,
    ) -> io::Result<Listener<Tls>> {
        Ok(Listener::from_tcp_tls(TcpListener::bind(address).await?, tls, options))
    }

    /// Takes over a TCP listener that was made elsewhere, for TLS: one that the system handed over, or whose socket has
    /// options of its own. Otherwise as [`bind_tls_with`](Listener::bind_tls_with).
    ///
    /// ```
    /// use muxado_tokio::tls::TlsOptions;
    /// use muxado_tokio::{Listener, connect_tls};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let authority = muxado_testkit::certs::Authority::new();
    /// # let (server, client) = (authority.server(), authority.client());
    /// let socket = tokio::net::TcpSocket::new_v4()?;
    /// socket.bind(([127, 0, 0, 1], 0).into())?;
    /// let listener = Listener::from_tcp_tls(socket.listen(1024)?, server, TlsOptions::new());
    /// let address = listener.local_addr()?;
    /// let (client, server) = tokio::join!(connect_tls(address, "localhost", client), listener.accept());
    /// # drop((client?, server?));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_tcp_tls(
        tcp: TcpListener,
        tls: impl Into<Arc<ServerConfig>>,
        options: TlsOptions,
    ) -> Listener<Tls> {
        let mut tls = tls.into();
        if tls.alpn_protocols.is_empty() {
            Arc::make_mut(&mut tls).alpn_protocols = vec![ALPN.to_vec()];
        }
        let config = options.session().clone();
        let source = Tls {
            tcp,
            acceptor: TlsAcceptor::from(tls),
            handshakes: options.handshakes(Tokio),
            options: Arc::new(options),
        };
        Listener { source, config }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.tcp.local_addr()
    }

    /// Waits for the next connection whose handshake is done, and starts a session on it.
    ///
    /// Handshakes are done side by side, in tasks of their own: a slow or silent client holds up no other. One that fails
    /// or takes too long is dropped and counted: see [`handshakes`](Listener::handshakes).
    ///
    /// # Errors
    /// Only what makes the listener itself useless.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        let (stream, peer) = self.accept_stream().await?;
        let ends = (stream.get_ref().0.local_addr().ok(), Some(peer));
        Ok((Session::over_with(stream, Side::Server, &self.config, ends), peer))
    }

    /// As [`accept`](Listener::accept), but gives the connection as it is, for code that wants to look at the client's
    /// certificates or at the protocol before [`Session::server_with`].
    ///
    /// If more than muxado is spoken here, name all protocols in the `alpn_protocols` of the TLS settings, `muxado/2`
    /// included. If none is named, the listener offers `muxado/2` alone, and rustls turns away a client that asks for
    /// something else.
    ///
    /// # Errors
    /// Only what makes the listener itself useless.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept_stream(&self) -> io::Result<(server::TlsStream<TcpStream>, SocketAddr)> {
        let Tls { tcp, acceptor, options, handshakes } = &self.source;
        let shake_hands = |(tcp, peer): (TcpStream, SocketAddr)| {
            tune(&tcp, options.session());
            let (handshake, options) = (acceptor.accept(tcp), options.clone());
            async move {
                let stream = handshake.await?;
                options.check_alpn(stream.get_ref().1.alpn_protocol())?;
                Ok((stream, peer))
            }
        };
        handshakes.next(|| tcp.accept(), shake_hands).await
    }

    /// What became of the handshakes that did not lead to a session, and how many are under way.
    #[must_use]
    pub fn handshakes(&self) -> ArrivalStats {
        self.source.handshakes.stats()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("tcp", &self.tcp).field("options", &self.options).finish_non_exhaustive()
    }
}
