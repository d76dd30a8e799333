//! Unix sockets: connect, bind, accept.

use std::io;
use std::path::Path;

use muxado_core::face::accept;
use muxado_core::{Config, Side};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use crate::listener::Listener;
use crate::rt::Tokio;
use crate::session::Session;

/// Connects to a Unix socket and starts the client's end of a session, with the default settings.
///
/// ```
/// use muxado_tokio::{Listener, connect_unix};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("muxado_tokio_{}", std::process::id()));
/// let listener = Listener::bind_unix(&path)?;
/// let client = connect_unix(&path).await?;
/// let (server, _) = listener.accept().await?;
/// # std::fs::remove_file(&path)?;
/// # drop((client, server));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Whatever connecting reports.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_unix(path: impl AsRef<Path>) -> io::Result<Session> {
    connect_unix_with(path, &Config::default()).await
}

/// As [`connect_unix`], with settings.
///
/// ```
/// use muxado_tokio::{Config, connect_unix_with};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("muxado_tokio_with_{}", std::process::id()));
/// # let listener = muxado_tokio::Listener::bind_unix(&path)?;
/// // Both programs are ours, and set the same window.
/// let config = Config::builder().window(1 << 20).window_agreed_out_of_band().build()?;
/// let session = connect_unix_with(&path, &config).await?;
/// assert_eq!(session.config().window(), 1 << 20);
/// # std::fs::remove_file(&path)?;
/// # drop(listener);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Whatever connecting reports.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_unix_with(path: impl AsRef<Path>, config: &Config) -> io::Result<Session> {
    Ok(over_unix(UnixStream::connect(path).await?, Side::Client, config))
}

impl Listener<UnixListener> {
    /// Listens on a Unix socket, with the default settings for the sessions.
    ///
    /// This creates the file, which stays when the listener is gone: remove it before you listen there again.
    ///
    /// ```
    /// use muxado_tokio::Listener;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("muxado_tokio_bind_{}", std::process::id()));
    /// # drop(Listener::bind_unix(&path)?);
    /// let _ = std::fs::remove_file(&path); // what an earlier run has left
    /// let listener = Listener::bind_unix(&path)?;
    /// # std::fs::remove_file(&path)?;
    /// # drop(listener);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever binding reports: `AddrInUse` if there is such a file.
    ///
    /// # Panics
    /// Outside a tokio runtime, as tokio's listener does.
    pub fn bind_unix(path: impl AsRef<Path>) -> io::Result<Listener<UnixListener>> {
        Listener::bind_unix_with(path, &Config::default())
    }

    /// As [`bind_unix`](Listener::bind_unix), with settings.
    ///
    /// ```
    /// use muxado_tokio::{Config, Listener};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("muxado_tokio_bind_with_{}", std::process::id()));
    /// let config = Config::builder().max_inbound_streams(10_000).build()?;
    /// let listener = Listener::bind_unix_with(&path, &config)?;
    /// # let _client = muxado_tokio::connect_unix(&path).await?;
    /// let (session, _peer) = listener.accept().await?;
    /// assert_eq!(session.config().max_inbound_streams(), 10_000); // as in every session of it
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever binding reports: `AddrInUse` if there is such a file.
    ///
    /// # Panics
    /// Outside a tokio runtime, as tokio's listener does.
    pub fn bind_unix_with(path: impl AsRef<Path>, config: &Config) -> io::Result<Listener<UnixListener>> {
        Ok(Listener::from_unix(UnixListener::bind(path)?, config))
    }

    /// Takes over a listener that was made elsewhere, with these settings for the sessions.
    ///
    /// ```
    /// use muxado_tokio::{Config, Listener};
    /// use tokio::net::UnixListener;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("muxado_tokio_from_{}", std::process::id()));
    /// let socket = UnixListener::bind(&path)?; // or `from_std`, if the system handed it over
    /// let listener = Listener::from_unix(socket, &Config::default());
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_unix(unix: UnixListener, config: &Config) -> Listener<UnixListener> {
        Listener { source: unix, config: config.clone() }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.local_addr()
    }

    /// Waits for the next connection and starts a session on it.
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
    /// # let path = std::env::temp_dir().join(format!("muxado_tokio_accept_{}", std::process::id()));
    /// let listener = Listener::bind_unix(&path)?;
    /// # let client = muxado_tokio::connect_unix(&path).await?;
    /// let (session, _peer) = listener.accept().await?; // clients seldom have an address
    /// tokio::spawn(serve(session)); // in a task of its own, so that the next client need not wait
    /// # std::fs::remove_file(&path)?;
    /// # drop(client);
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
        let (unix, peer) = accept(&Tokio, || self.source.accept()).await?;
        Ok((over_unix(unix, Side::Server, &self.config), peer))
    }
}

fn over_unix(unix: UnixStream, side: Side, config: &Config) -> Session {
    let (read, write) = unix.into_split();
    Session::from_halves(side, read, write, config)
}
