//! Unix sockets: connect, bind, accept.

use std::io;
use std::path::Path;

use async_std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use muxado_core::face::accept;
use muxado_core::{Config, Side};

use crate::half::WriteHalf;
use crate::listener::Listener;
use crate::{AsyncStd, Session};

/// Connects to a Unix socket and starts the client's end of a session, with the default settings.
///
/// ```
/// use muxado_async_std::{Listener, connect_unix};
///
/// # async_std::task::block_on(async {
/// # let path = std::env::temp_dir().join(format!("muxado_async_std_{}", std::process::id()));
/// let listener = Listener::bind_unix(&path).await?;
/// let client = connect_unix(&path).await?;
/// let (server, _) = listener.accept().await?;
/// # std::fs::remove_file(&path)?;
/// # drop((client, server));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
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
/// use muxado_async_std::{Config, connect_unix_with};
///
/// # async_std::task::block_on(async {
/// # let path = std::env::temp_dir().join(format!("muxado_async_std_connect_with_{}", std::process::id()));
/// # let listener = muxado_async_std::Listener::bind_unix(&path).await?;
/// let config = Config::builder().max_inbound_streams(10_000).build()?;
/// let session = connect_unix_with(&path, &config).await?;
/// # std::fs::remove_file(&path)?;
/// # drop((session, listener));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Whatever connecting reports.
///
/// # Cancel safety
/// Dropping the future gives the connection up.
pub async fn connect_unix_with(path: impl AsRef<Path>, config: &Config) -> io::Result<Session> {
    Ok(over_unix(UnixStream::connect(path.as_ref()).await?, Side::Client, config))
}

impl Listener<UnixListener> {
    /// Listens on a Unix socket, with the default settings for the sessions.
    ///
    /// This creates the file, which stays when the listener is gone: remove it before you listen there again.
    ///
    /// ```
    /// use muxado_async_std::Listener;
    ///
    /// # async_std::task::block_on(async {
    /// # let path = std::env::temp_dir().join(format!("muxado_async_std_bind_{}", std::process::id()));
    /// # drop(Listener::bind_unix(&path).await?);
    /// let _ = std::fs::remove_file(&path); // what an earlier run has left
    /// let listener = Listener::bind_unix(&path).await?;
    /// # std::fs::remove_file(&path)?;
    /// # drop(listener);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever binding reports: `AddrInUse` if there is such a file.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_unix(path: impl AsRef<Path>) -> io::Result<Listener<UnixListener>> {
        Listener::bind_unix_with(path, &Config::default()).await
    }

    /// As [`bind_unix`](Listener::bind_unix), with settings.
    ///
    /// ```
    /// use muxado_async_std::{Config, Listener};
    ///
    /// # async_std::task::block_on(async {
    /// # let path = std::env::temp_dir().join(format!("muxado_async_std_bind_with_{}", std::process::id()));
    /// let config = Config::builder().max_inbound_streams(10_000).build()?;
    /// let listener = Listener::bind_unix_with(&path, &config).await?;
    /// # let _client = muxado_async_std::connect_unix(&path).await?;
    /// let (session, _peer) = listener.accept().await?;
    /// assert_eq!(session.config().max_inbound_streams(), 10_000); // as in every session of it
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Whatever binding reports: `AddrInUse` if there is such a file.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing bound.
    pub async fn bind_unix_with(
        path: impl AsRef<Path>,
        config: &Config,
    ) -> io::Result<Listener<UnixListener>> {
        Ok(Listener::from_unix(UnixListener::bind(path.as_ref()).await?, config))
    }

    /// Takes over a listener that was made elsewhere, with these settings for the sessions.
    ///
    /// ```
    /// use async_std::os::unix::net::UnixListener;
    /// use muxado_async_std::{Config, Listener};
    ///
    /// # async_std::task::block_on(async {
    /// # let path = std::env::temp_dir().join(format!("muxado_async_std_from_{}", std::process::id()));
    /// let socket = UnixListener::bind(&path).await?;
    /// let listener = Listener::from_unix(socket, &Config::default());
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
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
    /// # use muxado_async_std::{ErrorCode, Listener, connect_unix};
    /// # async fn serve<P>(session: muxado_async_std::Session, _peer: P) {
    /// #     session.close(ErrorCode::NO_ERROR, "bye").await;
    /// # }
    /// # async_std::task::block_on(async {
    /// # let path = std::env::temp_dir().join(format!("muxado_async_std_accept_{}", std::process::id()));
    /// # let listener = Listener::bind_unix(&path).await?;
    /// async_std::task::spawn(async move {
    ///     while let Ok((session, peer)) = listener.accept().await {
    ///         async_std::task::spawn(serve(session, peer)); // a task each: none waits for another
    ///     }
    /// });
    /// # for _ in 0..2 {
    /// #     let client = connect_unix(&path).await?;
    /// #     assert_eq!(client.closed().await.text(), b"bye");
    /// # }
    /// # std::fs::remove_file(&path)?;
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
        let (unix, peer) = accept(&AsyncStd, || self.source.accept()).await?;
        Ok((over_unix(unix, Side::Server, &self.config), peer))
    }
}

/// Whether a vectored write really takes many slices at once. Not on these sockets, unlike TCP's: it takes the first, and each
/// would be a system call of its own.
const VECTORED: bool = false;

fn over_unix(unix: UnixStream, side: Side, config: &Config) -> Session {
    let write = WriteHalf::new(unix.clone(), UnixStream::shutdown);
    let (session, driver) = muxado_core::Session::from_halves(side, unix, write, config, AsyncStd);
    Session::spawn(session, driver.vectored(VECTORED).half_closes(true))
}

#[cfg(test)]
mod tests {
    use muxado_testkit::takes_many_slices;

    use super::*;

    #[test]
    fn what_is_said_of_vectored_writes_is_true() {
        let (mut near, _far) = UnixStream::pair().unwrap();
        assert_eq!(async_std::task::block_on(takes_many_slices(&mut near)).unwrap(), VECTORED);
    }
}
