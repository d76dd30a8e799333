//! Sessions on tokio: the driver is spawned for you.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use muxado_core::face::Face;
use muxado_core::{
    AcceptError, Closed, Config, Driver, ErrorCode, FrameLog, Inspection, Leaving, Observer, OpenError,
    SessionEnd, Side, Stats,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::cooperative;

use crate::io::Compat;
use crate::rt::Tokio;
use crate::stream::Stream;

/// One end of a muxado session. Cheap to clone; every clone is the same session.
///
/// ```
/// use muxado_tokio::{ErrorCode, Session};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (near, far) = tokio::io::duplex(4096); // or any other transport; for TCP there are `connect` and `Listener`
/// let (client, server) = (Session::client(near), Session::server(far));
///
/// let mut sending = client.open().await?;
/// sending.write_all(b"hello").await?;
/// sending.shutdown().await?;
///
/// let mut text = String::new();
/// server.accept().await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
///
/// client.close(ErrorCode::NO_ERROR, "bye").await;
/// assert!(server.closed().await.is_clean());
/// # Ok(())
/// # }
/// ```
///
/// # Dropping
/// When the last handle is dropped, no new streams are opened or accepted, and those that wait to be accepted are refused;
/// existing streams live on, and the session ends when the last of them does. When the runtime shuts down,
/// the session ends at once.
#[derive(Clone, Debug)]
pub struct Session {
    inner: muxado_core::Session,
}

impl Session {
    /// The client's end of a session over any tokio transport, with the default settings.
    ///
    /// The roles only decide which ids streams get; either side may open. For a TCP connection there is
    /// [`over_tcp`](crate::over_tcp): it sets the socket up, which this leaves as it is; [`tune`](crate::tune) does so for one
    /// that is inside of `transport`. For a transport of two halves there is [`from_halves`](Session::from_halves).
    ///
    /// Shutting the transport down is taken to tell the peer, as it does with sockets: after a close the session waits a
    /// while for the peer's end.
    ///
    /// # Panics
    /// Outside a tokio runtime, as [`tokio::spawn`] does. A runtime without its timers enabled ends the session with
    /// [`EndCause::DriverDropped`](crate::EndCause::DriverDropped) at the first time limit: enable them.
    #[must_use]
    #[track_caller]
    pub fn client<T>(transport: T) -> Session
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::client_with(transport, &Config::default())
    }

    /// The server's end of a session over any tokio transport, with the default settings; see
    /// [`client`](Session::client).
    ///
    /// # Panics
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use]
    #[track_caller]
    pub fn server<T>(transport: T) -> Session
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::server_with(transport, &Config::default())
    }

    /// As [`client`](Session::client), with settings.
    ///
    /// # Panics
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use]
    #[track_caller]
    pub fn client_with<T>(transport: T, config: &Config) -> Session
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::over(transport, Side::Client, config)
    }

    /// As [`server`](Session::server), with settings.
    ///
    /// # Panics
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use]
    #[track_caller]
    pub fn server_with<T>(transport: T, config: &Config) -> Session
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::over(transport, Side::Server, config)
    }

    /// Either end of a session over a transport whose two directions are separate, such as the pipes of a child process.
    ///
    /// When the session ends, `write` is shut down and dropped, and then the peer's end of `read` is waited for. A pipe ends
    /// only when it is dropped: joined to one transport by [`tokio::io::join`], a child with a stream that is open would
    /// learn of the end seconds later.
    ///
    /// ```no_run
    /// use std::process::Stdio;
    ///
    /// use muxado_tokio::{Config, Session, Side};
    /// use tokio::process::Command;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    /// let (Some(read), Some(write)) = (child.stdout.take(), child.stdin.take()) else { unreachable!("piped") };
    /// let session = Session::from_halves(Side::Client, read, write, &Config::default());
    /// // and in the worker: `Side::Server`, `tokio::io::stdin()` and `tokio::io::stdout()`
    /// # drop(session);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a tokio runtime, as [`tokio::spawn`] does.
    #[must_use]
    #[track_caller]
    pub fn from_halves<R, W>(side: Side, read: R, write: W, config: &Config) -> Session
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let vectored = write.is_write_vectored();
        let (session, driver) =
            muxado_core::Session::from_halves(side, Compat(read), Compat(write), config, Tokio);
        Session::spawn(session, driver.vectored(vectored))
    }

    #[track_caller]
    fn over<T>(transport: T, side: Side, config: &Config) -> Session
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let vectored = transport.is_write_vectored();
        let (session, driver) = muxado_core::Session::new(side, Compat(transport), config, Tokio);
        Session::spawn(session, driver.vectored(vectored))
    }

    /// Spawns the driver of a session over a transport whose shutdown tells the peer.
    #[track_caller]
    pub(crate) fn spawn<R, W>(inner: muxado_core::Session, driver: Driver<R, W, Tokio>) -> Session
    where
        R: futures_io::AsyncRead + Send + Unpin + 'static,
        W: futures_io::AsyncWrite + Send + Unpin + 'static,
    {
        tokio::spawn(driver.half_closes(true));
        Session { inner }
    }

    /// Opens a stream, at no round-trip cost. Waits while `max_outbound_streams` are open, first come first served.
    ///
    /// The peer learns of the stream with its first data, or when the first thing done with it is a flush, a read or a
    /// shutdown. See [`muxado_core::Session::open`].
    ///
    /// ```
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let answering = tokio::spawn(async move {
    /// #     let (_report, mut ping) = (server.accept().await.unwrap(), server.accept().await.unwrap());
    /// #     ping.write_all(b"yes").await.unwrap();
    /// #     std::future::pending::<()>().await
    /// # });
    /// // One stream for each question: none waits for the answer to another.
    /// let mut report = client.open().await?;
    /// report.write_all(b"the figures of all years").await?;
    /// let mut ping = client.open().await?;
    /// ping.write_all(b"are you there?").await?;
    /// let mut answer = [0; 3];
    /// ping.read_exact(&mut answer).await?; // while the report takes its time
    /// assert_eq!(&answer, b"yes");
    /// # answering.abort();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OpenError`], always safe to retry: the session has ended, or takes no more streams.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in line, and nothing else.
    pub async fn open(&self) -> Result<Stream, OpenError> {
        cooperative(self.inner.open()).await.map(Stream::from)
    }

    /// Opens a stream without waiting.
    ///
    /// ```
    /// use muxado_tokio::{Config, OpenError, Session};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, _far) = tokio::io::duplex(4096);
    /// let config = Config::builder().max_outbound_streams(1).build()?;
    /// let session = Session::client_with(near, &config);
    /// let _first = session.try_open()?;
    /// assert_eq!(session.try_open().unwrap_err(), OpenError::Busy);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Session::open), and [`OpenError::Busy`] where that would wait.
    pub fn try_open(&self) -> Result<Stream, OpenError> {
        self.inner.try_open().map(Stream::from)
    }

    /// Waits for the next stream that the peer opens. Not accepting harms no other stream. See
    /// [`muxado_core::Session::accept`].
    ///
    /// ```
    /// # use tokio::io::AsyncWriteExt;
    /// use muxado_tokio::Stream;
    ///
    /// async fn answer(stream: Stream) { /* reads the question, writes the answer */ }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # client.open().await?.write_all(b"hello").await?;
    /// # drop(client.close(muxado_tokio::ErrorCode::NO_ERROR, "bye"));
    /// while let Ok(stream) = server.accept().await {
    ///     tokio::spawn(answer(stream)); // in a task of its own, so that the next one need not wait
    /// }
    /// let end = server.closed().await; // why there are no more
    /// assert!(end.is_clean());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AcceptError`] with the reason once the session has ended; streams that were waiting by then are given first,
    /// unless this side closed it.
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream.
    pub async fn accept(&self) -> Result<Stream, AcceptError> {
        cooperative(self.inner.accept()).await.map(Stream::from)
    }

    /// Takes no new streams, and ends the session when the existing ones have ended. See
    /// [`muxado_core::Session::go_away`], and for an example [`leaving`](Session::leaving).
    pub fn go_away(&self) {
        self.inner.go_away();
    }

    /// As [`go_away`](Session::go_away), but what has not ended within `limit` is cut off. Starts at once, awaited or
    /// not; resolves as [`closed`](Session::closed) does. [`SessionEnd::cut`] says what was lost.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let stream = client.open().await?;
    /// let drained = client.drain(Duration::from_secs(5));
    /// assert!(client.open().await.is_err(), "no more streams");
    /// drop(stream); // the last one: the drain has nothing left to wait for
    /// assert!(drained.await.cut().is_nothing());
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session drains all the same.
    pub fn drain(&self, limit: Duration) -> Closed {
        self.inner.drain(limit)
    }

    /// Ends the session now and tells the peer why, with at most 256 bytes of `text`. What finished or dropped streams
    /// have accepted is still sent, for at most `close_linger`. Starts at once, awaited or not; resolves as
    /// [`closed`](Session::closed) does. [`SessionEnd::cut`] says what was lost. See [`muxado_core::Session::close`].
    ///
    /// ```
    /// use muxado_tokio::ErrorCode;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let reading = tokio::spawn(async move {
    /// #     let mut text = String::new();
    /// #     server.accept().await.unwrap().read_to_string(&mut text).await.unwrap();
    /// #     (text, server.closed().await)
    /// # });
    /// let mut stream = client.open().await?;
    /// stream.write_all(b"last words").await?;
    /// stream.shutdown().await?;
    /// let end = client.close(ErrorCode::NO_ERROR, "restarting").await; // then the program may exit
    /// assert_eq!(end.cut().bytes, 0, "all that was written has been sent");
    /// # let (text, end) = reading.await?;
    /// # assert_eq!((text.as_str(), end.text()), ("last words", &b"restarting"[..]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session closes all the same.
    pub fn close(&self, code: ErrorCode, text: &str) -> Closed {
        self.inner.close(code, text)
    }

    /// Waits until this side can open no more streams: the session is ending, or the peer has said that it is. See
    /// [`muxado_core::Session::leaving`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let keeping = tokio::spawn(async move {
    ///     client.leaving().await;
    ///     // now is the time to connect elsewhere
    /// });
    /// server.go_away(); // there are no streams to wait for
    /// keeping.await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn leaving(&self) -> Leaving {
        self.inner.leaving()
    }

    /// Watches the session without keeping it open. From then on the session notes when the peer last showed that it
    /// is alive. For an example see [`Observer`].
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.inner.observer()
    }

    /// Waits until the session has ended and its transport is closed, and says why it ended. Does not keep the session
    /// open.
    ///
    /// If this side ended it, the peer closes last. Only the task of the session waits on for a peer that has been
    /// silent for 250 ms, for as long as the close or drain has time, and `drain_timeout`: a runtime that is shut down
    /// earlier may take back what such a peer has not read yet.
    ///
    /// ```
    /// use muxado_tokio::ErrorCode;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// client.close(ErrorCode::NO_ERROR, "bye").await;
    /// let end = server.closed().await;
    /// assert!(end.is_clean());
    /// assert_eq!(end.text(), b"bye");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[must_use = "futures do nothing unless polled"]
    pub fn closed(&self) -> Closed {
        self.inner.closed()
    }

    /// Why the session has ended, or none while it lives.
    #[doc(alias = "is_closed")]
    #[must_use]
    pub fn end(&self) -> Option<SessionEnd> {
        self.inner.end()
    }

    /// The settings that it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.inner.config()
    }

    /// Which side this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.inner.side()
    }

    /// Tells the session the addresses of the transport's ends, if it does not know any. For a transport that does not
    /// tell them. For an example see [`muxado_core::Session::set_addresses`].
    pub fn set_addresses(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        self.inner.set_addresses(local, peer);
    }

    /// The address of this end of the transport, where it is known.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address of the peer's end of the transport, where it is known.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The session and all of its streams as they are now, and what each of them waits for, in plain words. See
    /// [`muxado_core::Session::inspect`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, _peer) = tokio::io::duplex(1024);
    /// # let session = muxado_tokio::Session::client(near);
    /// let _stream = session.open().await?;
    /// println!("{}", session.inspect());
    /// assert_eq!(session.inspect().streams.len(), session.stats().streams);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        self.inner.inspect()
    }

    /// The last frames that passed, as many as were asked for. For an example see [`muxado_core::Session::frames`].
    #[must_use]
    pub fn frames(&self) -> FrameLog {
        self.inner.frames()
    }

    /// What the session has counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// The session with the core's type, whose streams have the futures-io traits.
    #[must_use]
    pub fn into_core(self) -> muxado_core::Session {
        self.inner
    }
}

impl Face for Session {
    type Stream = Stream;
    type Runtime = Tokio;

    fn core(&self) -> &muxado_core::Session {
        &self.inner
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn wrap(&self, stream: muxado_core::Stream) -> Stream {
        Stream::from(stream)
    }

    fn in_turn<F: Future + Send>(&self, future: F) -> impl Future<Output = F::Output> + Send {
        cooperative(future)
    }
}
