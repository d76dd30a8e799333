//! TCP: connect, bind, accept.

use std::io;
use std::net::SocketAddr;

use muxado_core::face::{accept, bound_unsent, tune};
use muxado_core::{Config, Side};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::io::Compat;
use crate::listener::Listener;
use crate::rt::Tokio;
use crate::session::Session;

/// Connects over TCP and starts the client's end of a session, with the default settings.
///
/// `TCP_NODELAY` and TCP keepalive are on. For an example see [`Listener`].
///
/// How long connecting may take is up to the system, and often minutes. To wait no longer than five seconds:
///
/// ```
/// use std::time::Duration;
///
/// use muxado_tokio::connect;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = muxado_tokio::Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let session = tokio::time::timeout(Duration::from_secs(5), connect(address)).await??;
/// # drop(session);
/// # Ok(())
/// # }
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
/// use muxado_tokio::{Config, Listener, connect_with};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let config = Config::builder().max_inbound_streams(10_000).build()?;
/// let session = connect_with(address, &config).await?;
/// # drop(session);
/// # Ok(())
/// # }
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
    /// use muxado_tokio::{Listener, connect};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = Listener::bind("127.0.0.1:0").await?; // any port that is free
    /// println!("listening on {}", listener.local_addr()?);
    /// let client = connect(listener.local_addr()?).await?; // clients may come before `accept` is called
    /// # drop(client);
    /// # Ok(())
    /// # }
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
    /// use muxado_tokio::{Config, Listener};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Strangers may have 16 streams each: so much the less memory can one of them claim.
    /// let config = Config::builder().max_inbound_streams(16).build()?;
    /// let listener = Listener::bind_with("127.0.0.1:0", &config).await?;
    /// # let client = muxado_tokio::connect(listener.local_addr()?).await?;
    /// let (session, _peer) = listener.accept().await?;
    /// assert_eq!(session.config().max_inbound_streams(), 16);
    /// # drop(client);
    /// # Ok(())
    /// # }
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
    /// use muxado_tokio::{Config, Listener};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = tokio::net::TcpSocket::new_v4()?; // one with options of its own
    /// socket.bind(([127, 0, 0, 1], 0).into())?;
    /// let listener = Listener::from_tcp(socket.listen(1024)?, &Config::default());
    /// println!("listening on {}", listener.local_addr()?);
    /// # Ok(())
    /// # }
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
    /// use muxado_tokio::{Listener, Session};
    ///
    /// async fn serve(session: Session) { /* accepts streams until the session ends */ }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let address = listener.local_addr()?;
    /// # let (stop, mut stopping) = tokio::sync::oneshot::channel();
    /// # let visit = tokio::spawn(async move {
    /// #     muxado_tokio::connect(address).await.unwrap().closed().await;
    /// #     stop.send(())
    /// # });
    /// loop {
    ///     tokio::select! {
    ///         accepted = listener.accept() => tokio::spawn(serve(accepted?.0)),
    ///         _ = &mut stopping => break, // a signal, for example
    ///     };
    /// }
    /// drop(listener); // nobody can connect any more; the sessions go on
    /// # visit.await?.unwrap();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only what makes the listener itself useless.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        let (tcp, peer) = accept(&Tokio, || self.source.accept()).await?;
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
/// use muxado_tokio::{Config, Listener, Side, over_tcp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let socket = tokio::net::TcpSocket::new_v4()?;
/// socket.set_recv_buffer_size(1 << 20)?; // only before it connects
/// let session = over_tcp(socket.connect(address).await?, Side::Client, &Config::default());
/// assert_eq!(session.peer_addr(), Some(address));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// Outside a tokio runtime, as [`tokio::spawn`] does.
#[track_caller]
pub fn over_tcp(tcp: TcpStream, side: Side, config: &Config) -> Session {
    tune(&tcp, config);
    let (local, peer) = (tcp.local_addr().ok(), tcp.peer_addr().ok());
    let (read, write) = tcp.into_split();
    let (session, driver) =
        muxado_core::Session::from_halves(side, Compat(read), Compat(write), config, Tokio);
    session.set_addresses(local, peer);
    let driver = driver.vectored(true).unsent(|Compat(write), bytes| bound_unsent(write.as_ref(), bytes));
    Session::spawn(session, driver)
}
