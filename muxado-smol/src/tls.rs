//! Sessions over TLS, by rustls.
//!
//! Nothing is muxed before the handshake is done. ALPN offers [`ALPN`] unless the rustls settings name protocols of their
//! own. Client certificates are a matter of those settings too.
//!
//! A connection that ends without TLS's close_notify may have been cut off by somebody in between: unless the peer's
//! GOAWAY had come, the session ends with [`EndCause::Transport`](crate::EndCause::Transport).
//!
//! ```
//! use muxado_smol::{Listener, connect_tls};
//!
//! # smol::block_on(async {
//! # let authority = muxado_testkit::certs::Authority::new();
//! # let (server, client) = (authority.server(), authority.client());
//! // `server` and `client` are settings of rustls; the name is the one in the server's certificate.
//! let listener = Listener::bind_tls("127.0.0.1:0", server).await?;
//! let address = listener.local_addr()?;
//! let (client, server) = smol::future::zip(connect_tls(address, "localhost", client), listener.accept()).await;
//! assert_eq!(client?.local_addr(), server?.0.peer_addr());
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_rustls::pki_types::ServerName;
use futures_rustls::rustls::{ClientConfig, ServerConfig};
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream, server};
use muxado_core::face::{Arrivals, bound_unsent, tune};
use muxado_core::{Config, Half, Side};
use smol::net::{AsyncToSocketAddrs, TcpListener, TcpStream};

use crate::listener::Listener;
use crate::{Session, Smol};

pub use futures_rustls::rustls;
pub use muxado_core::face::{ALPN, AlpnMismatch, ArrivalStats, TlsOptions};

/// Connects over TCP and TLS and starts the client's end of a session, with the default settings.
///
/// `name` is what the server's certificate must be for: a host's name or address.
///
/// The handshake has a time limit, connecting only that of the system. [`connect`](crate::connect) shows how to set one for
/// all of it.
///
/// ```
/// use muxado_smol::connect_tls;
/// use muxado_smol::tls::rustls::pki_types::{CertificateDer, pem::PemObject};
/// use muxado_smol::tls::rustls::{ClientConfig, RootCertStore};
///
/// # smol::block_on(async {
/// # let authority = muxado_testkit::certs::Authority::new();
/// # let listener = muxado_smol::Listener::bind_tls("127.0.0.1:0", authority.server()).await?;
/// # let (address, pem) = (listener.local_addr()?, authority.pem());
/// # smol::spawn(async move { listener.accept().await }).detach();
/// let mut roots = RootCertStore::empty();
/// roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?; // whoever has issued the server's
/// let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
/// let session = connect_tls(address, "localhost", tls).await?;
/// # assert_eq!(session.peer_addr(), Some(address));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// `InvalidInput` for a name that is not valid. Whatever resolving, connecting and the handshake report; the kind
/// `TimedOut` if the handshake takes longer than 10 s.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_tls(
    address: impl AsyncToSocketAddrs,
    name: &str,
    tls: impl Into<Arc<ClientConfig>>,
) -> io::Result<Session> {
    connect_tls_with(address, name, tls, &TlsOptions::new()).await
}

/// As [`connect_tls`], with settings.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_smol::connect_tls_with;
/// use muxado_smol::tls::TlsOptions;
///
/// # smol::block_on(async {
/// # let authority = muxado_testkit::certs::Authority::new();
/// # let listener = muxado_smol::Listener::bind_tls("127.0.0.1:0", authority.server()).await?;
/// # let (address, tls) = (listener.local_addr()?, authority.client());
/// # smol::spawn(async move { listener.accept().await }).detach();
/// let options = TlsOptions::new().require_alpn(true).handshake_timeout(Duration::from_secs(3));
/// let session = connect_tls_with(address, "localhost", tls, &options).await?;
/// # assert_eq!(session.peer_addr(), Some(address));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Those of [`connect_tls`], with the time limit of `options`, and [`AlpnMismatch`] if the protocol is demanded.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_tls_with(
    address: impl AsyncToSocketAddrs,
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
    let peer = tcp.peer_addr().ok();
    let stream = options.in_time(&Smol, TlsConnector::from(tls).connect(name, tcp)).await?;
    options.check_alpn(stream.get_ref().1.alpn_protocol())?;
    Ok(over_tls(stream.into(), Side::Client, options.session(), peer))
}

/// What a [`Listener`] with TLS accepts from. [`bind_tls`](Listener::bind_tls) and
/// [`from_tcp_tls`](Listener::from_tcp_tls) make it.
///
/// ```
/// use muxado_smol::Listener;
/// use muxado_smol::tls::Tls;
///
/// async fn serve(listener: Listener<Tls>) -> std::io::Result<()> {
///     loop {
///         let (session, peer) = listener.accept().await?;
///         println!("{peer}; {} handshakes have failed so far", listener.handshakes().failed);
/// #       drop(session);
///     }
/// }
/// ```
pub struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    options: Arc<TlsOptions>,
    handshakes: Arrivals<Smol, Arrived>,
}

type Arrived = (server::TlsStream<TcpStream>, SocketAddr);

impl Listener<Tls> {
    /// Listens on `address` for TLS, with the default settings.
    ///
    /// ```
    /// use muxado_smol::Listener;
    /// use muxado_smol::tls::rustls::ServerConfig;
    /// use muxado_smol::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    ///
    /// # smol::block_on(async {
    /// # let identity = muxado_testkit::certs::Authority::new().issue();
    /// # let (pem, key_pem) = (identity.cert_pem, identity.key_pem);
    /// let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes())?]; // and those between it and the root
    /// let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())?;
    /// let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    /// let listener = Listener::bind_tls("127.0.0.1:0", tls).await?;
    /// # drop(listener);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_tls(
        address: impl AsyncToSocketAddrs,
        tls: impl Into<Arc<ServerConfig>>,
    ) -> io::Result<Listener<Tls>> {
        Listener::bind_tls_with(address, tls, &TlsOptions::new()).await
    }

    /// As [`bind_tls`](Listener::bind_tls), with settings.
    ///
    /// ```
    /// use muxado_smol::tls::TlsOptions;
    /// use muxado_smol::{Config, Listener};
    ///
    /// # smol::block_on(async {
    /// # let tls = muxado_testkit::certs::Authority::new().server();
    /// let config = Config::builder().max_inbound_streams(10_000).build()?; // of the sessions
    /// let options = TlsOptions::new().config(config).max_handshakes(100);
    /// let listener = Listener::bind_tls_with("127.0.0.1:0", tls, &options).await?;
    /// # drop(listener);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_tls_with(
        address: impl AsyncToSocketAddrs,
        tls: impl Into<Arc<ServerConfig>>,
        options: &TlsOptions,
    ) -> io::Result<Listener<Tls>> {
        Ok(Listener::from_tcp_tls(TcpListener::bind(address).await?, tls, options))
    }

    /// Takes over a TCP listener that was made elsewhere, for TLS: one that the system handed over, or whose socket has
    /// options of its own. Otherwise as [`bind_tls_with`](Listener::bind_tls_with).
    ///
    /// ```
    /// use muxado_smol::tls::TlsOptions;
    /// use muxado_smol::{Listener, connect_tls};
    ///
    /// # smol::block_on(async {
    /// # let authority = muxado_testkit::certs::Authority::new();
    /// # let (server, client) = (authority.server(), authority.client());
    /// let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let listener = Listener::from_tcp_tls(socket.try_into()?, server, &TlsOptions::new());
    /// let address = listener.local_addr()?;
    /// let (client, server) = smol::future::zip(connect_tls(address, "localhost", client), listener.accept()).await;
    /// # drop((client?, server?));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn from_tcp_tls(
        tcp: TcpListener,
        tls: impl Into<Arc<ServerConfig>>,
        options: &TlsOptions,
    ) -> Listener<Tls> {
        let mut tls = tls.into();
        if tls.alpn_protocols.is_empty() {
            Arc::make_mut(&mut tls).alpn_protocols = vec![ALPN.to_vec()];
        }
        let source = Tls {
            tcp,
            acceptor: TlsAcceptor::from(tls),
            handshakes: options.handshakes(Smol),
            options: Arc::new(options.clone()),
        };
        Listener { source, config: options.session().clone() }
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
    /// ```
    /// # use muxado_smol::{ErrorCode, Listener, connect_tls};
    /// # async fn serve<P>(session: muxado_smol::Session, _peer: P) {
    /// #     session.close(ErrorCode::NO_ERROR, "bye").await;
    /// # }
    /// # smol::block_on(async {
    /// # let authority = muxado_testkit::certs::Authority::new();
    /// # let listener = Listener::bind_tls("127.0.0.1:0", authority.server()).await?;
    /// # let address = listener.local_addr()?;
    /// # let strange = muxado_testkit::certs::Authority::new().client();
    /// smol::spawn(async move {
    ///     while let Ok((session, peer)) = listener.accept().await {
    ///         smol::spawn(serve(session, peer)).detach(); // a task each: none waits for another
    ///     }
    /// })
    /// .detach();
    /// # assert!(connect_tls(address, "localhost", strange).await.is_err());
    /// # let client = connect_tls(address, "localhost", authority.client()).await?;
    /// # assert_eq!(client.closed().await.text(), b"bye");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Only what makes the listener itself useless.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        let (stream, peer) = self.accept_stream().await?;
        Ok((over_tls(stream.into(), Side::Server, &self.config, Some(peer)), peer))
    }

    /// As [`accept`](Listener::accept), but gives the connection as it is, for code that wants to look at the client's
    /// certificates or at the protocol before [`Session::server_with`].
    ///
    /// If more than muxado is spoken here, name all protocols in the `alpn_protocols` of the TLS settings, `muxado/2`
    /// included. If none is named, the listener offers `muxado/2` alone, and rustls turns away a client that asks for
    /// something else.
    ///
    /// ```
    /// use muxado_smol::tls::ALPN;
    /// use muxado_smol::{Listener, Session};
    ///
    /// # smol::block_on(async {
    /// # let authority = muxado_testkit::certs::Authority::new();
    /// # let (mut tls, client) = (authority.server(), authority.client());
    /// tls.alpn_protocols = vec![ALPN.to_vec(), b"http/1.1".to_vec()];
    /// let listener = Listener::bind_tls("127.0.0.1:0", tls).await?;
    /// # let client = smol::spawn(muxado_smol::connect_tls(listener.local_addr()?, "localhost", client));
    /// let (stream, _peer) = listener.accept_stream().await?;
    /// if stream.get_ref().1.alpn_protocol() == Some(b"http/1.1") {
    ///     // it is for the web server
    /// #     panic!("the client offers muxado/2");
    /// } else {
    ///     let session = Session::server(stream);
    /// #     drop((session, client.await?));
    /// }
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
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
    ///
    /// ```
    /// use muxado_smol::{Listener, connect_tls};
    ///
    /// # smol::block_on(async {
    /// # let authority = muxado_testkit::certs::Authority::new();
    /// # let (server, client) = (authority.server(), authority.client());
    /// let listener = Listener::bind_tls("127.0.0.1:0", server).await?;
    /// let address = listener.local_addr()?;
    /// let silent = smol::net::TcpStream::connect(address).await?; // begins no handshake
    /// let (client, accepted) = smol::future::zip(connect_tls(address, "localhost", client), listener.accept()).await;
    /// assert_eq!(listener.handshakes().pending, 1); // the silent one, for as long as a handshake may take
    /// # drop((client?, accepted?, silent));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
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

fn over_tls(tls: TlsStream<TcpStream>, side: Side, config: &Config, peer: Option<SocketAddr>) -> Session {
    let local = tls.get_ref().0.local_addr().ok();
    let (session, driver) = muxado_core::Session::new(side, tls, config, Smol);
    session.set_addresses(local, peer);
    let unsent = |half: &Half<TlsStream<TcpStream>>, bytes| {
        half.look(|tls| bound_unsent(tls.get_ref().0, bytes));
    };
    Session::spawn(session, driver.vectored(true).half_closes(true).unsent(unsent))
}
