//! A session whose driver is spawned for its owner.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use muxado_frame::{ErrorCode, Side};

use crate::rt::Runtime;
use crate::{
    Accept, Closed, Config, Driver, FrameLog, Inspection, Leaving, Observer, Open, OpenError, SessionEnd,
    Stats, Stream,
};

/// One end of a muxado session, on the runtime `R`. Cheap to clone; every clone is the same session.
///
/// A face gives it a name for its runtime, as `muxado-smol` does, and so can you:
///
/// ```
/// use futures_util::{AsyncReadExt, AsyncWriteExt};
/// # use muxado_testkit::Here as MyRuntime;
///
/// type Session = muxado_core::face::Session<MyRuntime>;
///
/// # let (near, far) = muxado_testkit::pipe(4096);
/// # MyRuntime.block_on(async move {
/// let (client, server) = (Session::client(near), Session::server(far)); // any two ends of a transport
/// let mut stream = client.open().await?;
/// stream.write_all(b"hello").await?;
/// stream.close().await?;
///
/// let mut text = String::new();
/// server.accept().await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// When the last handle is dropped, no new streams are opened or accepted, and those that wait to be accepted are refused;
/// existing streams live on, and the session ends when the last of them does. When the runtime drops its tasks,
/// the session ends at once.
pub struct Session<R> {
    pub(super) inner: crate::Session,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime + Default> Session<R> {
    /// The client's end of a session over any transport with the futures-io traits, with the default settings.
    ///
    /// The roles only decide which ids streams get; either side may open. For TCP, `connect` and `Listener` know more
    /// about the transport: how to half-close it, and that its directions need no lock between them. They also set the
    /// socket up, which this leaves as it is; `tune` does so for one that is inside of `transport`. For a transport of two
    /// halves there is [`from_halves`](Session::from_halves).
    #[must_use]
    pub fn client<T>(transport: T) -> Session<R>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::client_with(transport, &Config::default())
    }

    /// The server's end of a session over any transport with the futures-io traits, with the default settings; see
    /// [`client`](Session::client).
    #[must_use]
    pub fn server<T>(transport: T) -> Session<R>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Session::server_with(transport, &Config::default())
    }

    /// As [`client`](Session::client), with settings.
    ///
    /// ```
    /// # use muxado_testkit::Here as MyRuntime;
    /// # let (transport, _far) = muxado_testkit::pipe(4096);
    /// use muxado_core::Config;
    /// use muxado_core::face::Session;
    ///
    /// # MyRuntime.block_on(async move {
    /// let config = Config::builder().max_inbound_streams(0).build()?; // nobody asks us
    /// let session = Session::<MyRuntime>::client_with(transport, &config);
    /// assert_eq!(session.config(), &config);
    /// # Ok::<(), muxado_core::ConfigError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn client_with<T>(transport: T, config: &Config) -> Session<R>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (session, driver) = crate::Session::client(transport, config, R::default());
        Session::spawn(session, driver)
    }

    /// As [`server`](Session::server), with settings.
    #[must_use]
    pub fn server_with<T>(transport: T, config: &Config) -> Session<R>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (session, driver) = crate::Session::server(transport, config, R::default());
        Session::spawn(session, driver)
    }

    /// Either end of a session over a transport whose two directions are separate, such as the pipes of a child process.
    ///
    /// When the session ends, `write` is closed and dropped, and then the peer's end of `read` is waited for. Pipes tell the
    /// other end only when they are dropped: joined to one transport, a child with a stream that is open would learn of the
    /// end seconds later.
    ///
    /// ```
    /// use muxado_core::{Config, Side};
    /// # use muxado_testkit::{Here, pipe};
    /// # type Session = muxado_core::face::Session<Here>;
    ///
    /// # let (parent, child) = pipe(4096);
    /// # let (stdout, stdin) = (parent.read, parent.write);
    /// let session = Session::from_halves(Side::Client, stdout, stdin, &Config::default());
    /// // and in the child: `Side::Server`, its standard input and output
    /// # let child = Session::from_halves(Side::Server, child.read, child.write, &Config::default());
    /// # Here.block_on(async move {
    /// #     drop(session);
    /// #     assert!(child.closed().await.is_clean());
    /// # });
    /// ```
    #[must_use]
    pub fn from_halves<I, O>(side: Side, read: I, write: O, config: &Config) -> Session<R>
    where
        I: AsyncRead + Send + Unpin + 'static,
        O: AsyncWrite + Send + Unpin + 'static,
    {
        let (session, driver) = crate::Session::from_halves(side, read, write, config, R::default());
        Session::spawn(session, driver.half_closes(true))
    }

    /// Spawns the driver of a session. For code that knows more about the transport than [`client`](Session::client)
    /// does: that it takes vectored writes, or that it can be half-closed.
    ///
    /// ```
    /// # use muxado_testkit::Here as MyRuntime;
    /// # let (transport, _far) = muxado_testkit::pipe(4096);
    /// use muxado_core::Config;
    /// use muxado_core::face::Session;
    ///
    /// # MyRuntime.block_on(async move {
    /// let (session, driver) = muxado_core::Session::client(transport, &Config::default(), MyRuntime);
    /// let session = Session::spawn(session, driver.vectored(true)); // it takes many slices at once
    /// assert!(session.end().is_none());
    /// # });
    /// ```
    #[must_use]
    pub fn spawn<I, O>(session: crate::Session, driver: Driver<I, O, R>) -> Session<R>
    where
        I: AsyncRead + Send + Unpin + 'static,
        O: AsyncWrite + Send + Unpin + 'static,
    {
        R::default().spawn(async { drop(driver.await) });
        Session { inner: session, runtime: PhantomData }
    }
}

impl<R> Session<R> {
    /// Opens a stream, at no round-trip cost. Waits while `max_outbound_streams` are open, first come first served.
    ///
    /// The peer learns of the stream with its first data, or when the first thing done with it is a flush, a read or a
    /// close. See [`crate::Session::open`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// use futures_util::AsyncWriteExt;
    ///
    /// for request in ["how are you?", "what time is it?"] {
    ///     let mut stream = client.open().await?; // one for each request
    ///     stream.write_all(request.as_bytes()).await?;
    ///     stream.close().await?;
    /// }
    /// # assert_eq!(client.stats().opened, 2);
    /// # drop(server);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`OpenError`], always safe to retry: the session has ended, or takes no more streams.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in line, and nothing else.
    pub fn open(&self) -> Open {
        self.inner.open()
    }

    /// Opens a stream without waiting.
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// match client.try_open() {
    ///     Ok(stream) => println!("{:?}", stream.id()),
    ///     Err(error) => println!("not now: {error}"), // and answer with an error of one's own
    /// }
    /// # drop(server);
    /// # });
    /// ```
    ///
    /// # Errors
    /// As [`open`](Session::open), and [`OpenError::Busy`] where that would wait.
    pub fn try_open(&self) -> Result<Stream, OpenError> {
        self.inner.try_open()
    }

    /// Waits for the next stream that the peer opens. Not accepting harms no other stream. See [`crate::Session::accept`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// # use futures_util::{AsyncReadExt, AsyncWriteExt};
    /// # use muxado_core::rt::Runtime;
    /// # async fn answer(mut stream: muxado_core::Stream) {
    /// #     stream.write_all(b"fine").await.unwrap();
    /// #     stream.finish().unwrap();
    /// # }
    /// # Here.spawn(async move {
    /// #     let mut text = Vec::new();
    /// #     let mut asking = client.open().await.unwrap();
    /// #     asking.finish().unwrap();
    /// #     asking.read_to_end(&mut text).await.unwrap();
    /// #     assert_eq!(text, b"fine");
    /// #     client.close(muxado_core::ErrorCode::NO_ERROR, "bye").await;
    /// # });
    /// # let spawn = |answer| Here.spawn(answer);
    /// while let Ok(stream) = server.accept().await {
    ///     spawn(answer(stream)); // a task for each: a slow one holds up no other
    /// }
    /// assert!(server.closed().await.is_clean());
    /// # });
    /// ```
    ///
    /// # Errors
    /// [`AcceptError`](crate::AcceptError) with the reason once the session has ended; streams that were waiting by then
    /// are given first, unless this side closed it.
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream.
    pub fn accept(&self) -> Accept {
        self.inner.accept()
    }

    /// Takes no new streams, and ends the session when the existing ones have ended. See [`crate::Session::go_away`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// let stream = client.open().await?;
    /// client.go_away();
    /// assert!(client.try_open().is_err() && client.end().is_none());
    /// drop(stream); // the last one
    /// assert!(client.closed().await.is_clean());
    /// # drop(server);
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    pub fn go_away(&self) {
        self.inner.go_away();
    }

    /// As [`go_away`](Session::go_away), but what has not ended within `limit` is cut off. Starts at once, awaited or
    /// not; resolves as [`closed`](Session::closed) does. [`SessionEnd::cut`] says what was lost.
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// use std::time::Duration;
    ///
    /// # let mut asking = client.open().await?;
    /// # futures_util::AsyncWriteExt::flush(&mut asking).await?;
    /// # let _asked = server.accept().await?;
    /// let end = server.drain(Duration::from_secs(10)).await; // the process is to end
    /// if !end.cut().is_nothing() {
    ///     println!("{} streams took too long", end.cut().streams);
    /// }
    /// # assert_eq!(end.cut().streams, 1);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session drains all the same.
    pub fn drain(&self, limit: Duration) -> Closed {
        self.inner.drain(limit)
    }

    /// Ends the session now and tells the peer why, with at most 256 bytes of `text`. What finished or dropped streams
    /// have accepted is still sent, for at most `close_linger`. Starts at once, awaited or not; resolves as
    /// [`closed`](Session::closed) does. [`SessionEnd::cut`] says what was lost. See [`crate::Session::close`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// use muxado_core::ErrorCode;
    ///
    /// const BAD_LOGIN: ErrorCode = ErrorCode::new(1001); // below 256 are the protocol's own
    ///
    /// server.close(BAD_LOGIN, "no such user").await;
    /// let end = client.closed().await; // at the peer's end
    /// assert_eq!((end.code(), end.text()), (BAD_LOGIN, &b"no such user"[..]));
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session closes all the same.
    pub fn close(&self, code: ErrorCode, text: &str) -> Closed {
        self.inner.close(code, text)
    }

    /// Waits until this side can open no more streams: the session is ending, or the peer has said that it is. See
    /// [`crate::Session::leaving`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// server.go_away();
    /// client.leaving().await; // time for another session, before there is anything to open
    /// assert!(client.try_open().is_err());
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn leaving(&self) -> Leaving {
        self.inner.leaving()
    }

    /// Watches the session without keeping it open. From then on the session notes when the peer last showed that it
    /// is alive.
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// let observer = client.observer();
    /// drop(client); // the last handle
    /// assert!(observer.closed().await.is_clean());
    /// # drop(server);
    /// # });
    /// ```
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.inner.observer()
    }

    /// Waits until the session has ended and its transport is closed, and says why it ended. Does not keep the session
    /// open.
    ///
    /// If this side ended it, the peer closes last. This does not wait for a peer that has been silent for 250 ms. Over
    /// a connection from `connect` or `Listener`, the task of the session waits on, for as long as the close or drain
    /// has time, and `drain_timeout`: a program that exits earlier may take back what such a peer has not read yet. See
    /// [`crate::Session::closed`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// let closed = client.closed();
    /// drop(client); // the last handle
    /// let end = closed.await;
    /// println!("{end}"); // for a log
    /// assert!(end.is_clean());
    /// # drop(server);
    /// # });
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
    /// tell them: see [`crate::Session::set_addresses`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (_client, server) = Here.connected();
    /// let visitor = Some(([192, 0, 2, 7], 50000).into());
    /// server.set_addresses(None, visitor);
    /// assert_eq!((server.local_addr(), server.peer_addr()), (None, visitor));
    /// assert_eq!(server.try_open()?.peer_addr(), visitor); // and so for each of its streams
    /// # Ok::<(), muxado_core::OpenError>(())
    /// ```
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
    /// [`crate::Session::inspect`].
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, server) = Here.connected();
    /// # Here.block_on(async move {
    /// let _stream = client.open().await?;
    /// let inside = client.inspect();
    /// println!("{inside}"); // a table, with what each stream waits for
    /// assert_eq!(inside.streams.len(), client.stats().streams);
    /// # drop(server);
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        self.inner.inspect()
    }

    /// The last frames that passed, as many as were asked for. For an example see [`crate::Session::frames`].
    #[must_use]
    pub fn frames(&self) -> FrameLog {
        self.inner.frames()
    }

    /// What the session has counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// The session with the core's type, which does not know its runtime.
    ///
    /// ```
    /// # use muxado_testkit::Here;
    /// # let (client, _server) = Here.connected();
    /// fn watch(session: &muxado_core::Session) -> String {
    ///     format!("{session:?}") // works with the sessions of every runtime
    /// }
    ///
    /// println!("{}", watch(&client.into_core()));
    /// ```
    #[must_use]
    pub fn into_core(self) -> crate::Session {
        self.inner
    }
}

impl<R> Clone for Session<R> {
    fn clone(&self) -> Session<R> {
        Session { inner: self.inner.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for Session<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
