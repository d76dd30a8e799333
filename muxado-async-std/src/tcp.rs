//! TCP: connect, bind, accept.

use std::io;
use std::net::SocketAddr;

use async_std::net::{TcpListener, TcpStream, ToSocketAddrs};
use muxado_core::face::{accept, bound_unsent, tune};
use muxado_core::{Config, Side};

use crate::half::WriteHalf;
use crate::listener::Listener;
use crate::{AsyncStd, Session};

/// Connects over TCP and starts the client's end of a session, with the default settings.
///
/// `TCP_NODELAY` and TCP keepalive are on. For an example see [`Listener`].
///
/// How long connecting may take is up to the system, and often minutes. To wait no longer than five seconds:
///
/// ```
/// use std::time::Duration;
///
/// use muxado_async_std::connect;
///
/// # async_std::task::block_on(async {
/// # let listener = muxado_async_std::Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let session = async_std::io::timeout(Duration::from_secs(5), connect(address)).await?;
/// # drop(session);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Whatever resolving and connecting report.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Session> {
    connect_with(address, &Config::default()).await
}

/// As [`connect`], with settings.
///
/// ```
/// use muxado_async_std::{Config, Listener, connect_with};
///
/// # async_std::task::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let config = Config::builder().max_inbound_streams(10_000).build()?;
/// let session = connect_with(address, &config).await?;
/// # drop(session);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Whatever resolving and connecting report.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_with(address: impl ToSocketAddrs, config: &Config) -> io::Result<Session> {
    Ok(over_tcp(TcpStream::connect(address).await?, Side::Client, config))
}

impl Listener<TcpListener> {
    /// Listens on `address`, with the default settings for the sessions.
    ///
    /// ```
    /// use muxado_async_std::Listener;
    ///
    /// # async_std::task::block_on(async {
    /// let listener = Listener::bind("127.0.0.1:0").await?; // port 0: one that is free
    /// let address = listener.local_addr()?; // what clients connect to
    /// # assert_ne!(address.port(), 0);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Listener> {
        Listener::bind_with(address, &Config::default()).await
    }

    /// As [`bind`](Listener::bind), with settings.
    ///
    /// ```
    /// use muxado_async_std::{Config, Listener};
    ///
    /// # async_std::task::block_on(async {
    /// let config = Config::builder().max_inbound_streams(10_000).build()?;
    /// let listener = Listener::bind_with("127.0.0.1:0", &config).await?;
    /// # let _client = muxado_async_std::connect(listener.local_addr()?).await?;
    /// let (session, _peer) = listener.accept().await?;
    /// assert_eq!(session.config().max_inbound_streams(), 10_000); // as in every session of it
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever resolving and binding report.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_with(address: impl ToSocketAddrs, config: &Config) -> io::Result<Listener> {
        Ok(Listener::from_tcp(TcpListener::bind(address).await?, config))
    }

    /// Takes over a listener that was made elsewhere, with these settings for the sessions.
    ///
    /// ```
    /// use muxado_async_std::{Config, Listener};
    ///
    /// # async_std::task::block_on(async {
    /// let socket = std::net::TcpListener::bind("127.0.0.1:0")?; // or one that the system handed over
    /// let listener = Listener::from_tcp(socket.into(), &Config::default());
    /// println!("listening on {}", listener.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn from_tcp(tcp: TcpListener, config: &Config) -> Listener {
        Listener { source: tcp, config: config.clone() }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.local_addr()
    }

    /// Waits for the next connection and starts a session on it. `TCP_NODELAY` and TCP keepalive are on.
    ///
    /// Trouble that concerns one connection, or that passes, is absorbed: an aborted connection is skipped, and when
    /// file descriptors or memory run out it pauses and tries again, so that a busy server does not stop.
    ///
    /// ```
    /// # use muxado_async_std::{ErrorCode, Listener, connect};
    /// # async fn serve<P>(session: muxado_async_std::Session, _peer: P) {
    /// #     session.close(ErrorCode::NO_ERROR, "bye").await;
    /// # }
    /// # async_std::task::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let address = listener.local_addr()?;
    /// async_std::task::spawn(async move {
    ///     while let Ok((session, peer)) = listener.accept().await {
    ///         async_std::task::spawn(serve(session, peer)); // a task each: none waits for another
    ///     }
    /// });
    /// # for _ in 0..2 {
    /// #     let client = connect(address).await?;
    /// #     assert_eq!(client.closed().await.text(), b"bye");
    /// # }
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
        let (tcp, peer) = accept(&AsyncStd, || self.source.accept()).await?;
        Ok((over_tcp(tcp, Side::Server, &self.config), peer))
    }
}

/// Starts one end of a session on a TCP connection that was made elsewhere: through a proxy, from a socket with options
/// of its own, by a listener that is shared with others. Nothing may have been read of what the peer's session sent.
///
/// Does what [`connect`] does beyond connecting: `TCP_NODELAY` and TCP keepalive are on, the session knows its
/// addresses, and its two directions need no lock between them. `Session::client(tcp)` works too, but does none of
/// that: there a small message may wait for the acknowledgement of the one before.
///
/// ```
/// use muxado_async_std::{Config, Listener, Side, over_tcp};
/// use async_std::net::TcpStream;
///
/// # async_std::task::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let tcp = TcpStream::connect(address).await?; // or through a proxy, or by a listener that it shares with others
/// let session = over_tcp(tcp, Side::Client, &Config::default());
/// assert_eq!(session.peer_addr(), Some(address));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub fn over_tcp(tcp: TcpStream, side: Side, config: &Config) -> Session {
    tune(&tcp, config);
    let (local, peer) = (tcp.local_addr().ok(), tcp.peer_addr().ok());
    let (session, driver) = muxado_core::Session::from_halves(
        side,
        tcp.clone(),
        WriteHalf::new(tcp, TcpStream::shutdown),
        config,
        AsyncStd,
    );
    session.set_addresses(local, peer);
    let driver = driver.vectored(true).half_closes(true);
    Session::spawn(session, driver.unsent(|write, bytes| bound_unsent(write.socket(), bytes)))
}
