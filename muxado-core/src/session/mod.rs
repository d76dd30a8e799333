//! The session as applications hold it: open, accept, and the end.

mod addresses;
mod alarm;
mod deadlines;
mod driver;
mod goodbye;
mod halves;
mod inspect;
mod observer;
pub(crate) mod pool;
mod pull;
mod read;
mod retry;
pub(crate) mod shared;
mod small_credit;
pub(crate) mod stock;
mod sync;
mod timers;
pub(crate) mod trace;
mod wait;
pub(crate) mod wakers;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use muxado_frame::{ErrorCode, Side};

pub use driver::Driver;
pub use halves::Half;
pub use observer::Observer;
pub use wait::{Accept, Closed, Leaving, Open};

use crate::config::Config;
use crate::error::{OpenError, SessionEnd};
use crate::proto::{FrameLog, Inspection, Mux, Stats};
use crate::rt::Runtime;
use crate::stream::Stream;
use shared::Shared;

/// One end of a muxado session: opens streams, accepts the peer's, and ends.
///
/// Cheap to clone; every clone is the same session, and all methods take `&self`. The work is done by the
/// [`Driver`] that comes with it, which an adapter crate spawns for you.
///
/// ```
/// use futures_util::{AsyncReadExt, AsyncWriteExt};
/// use muxado_core::rt::Runtime;
/// use muxado_core::{Config, Session};
///
/// # use muxado_testkit::World;
/// # let runtime = World::new();
/// # let (near, far) = muxado_testkit::pipe(4096);
/// # let world = runtime.clone();
/// # world.block_on(async move {
/// // `near` and `far` are the two ends of any transport; `runtime` is yours.
/// let config = Config::default();
/// let (client, driver) = Session::client(near, &config, runtime.clone());
/// runtime.spawn(async { drop(driver.await) });
/// let (server, driver) = Session::server(far, &config, runtime.clone());
/// runtime.spawn(async { drop(driver.await) });
///
/// let mut question = client.open().await?;
/// question.write_all(b"how are you?").await?;
/// question.close().await?; // our direction ends; theirs goes on
///
/// let mut asked = server.accept().await?;
/// let mut text = String::new();
/// asked.read_to_string(&mut text).await?;
/// asked.write_all(b"fine").await?;
/// asked.close().await?;
///
/// let mut answer = String::new();
/// question.read_to_string(&mut answer).await?;
/// assert_eq!((text.as_str(), answer.as_str()), ("how are you?", "fine"));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// When the last handle is dropped, no new streams are opened or accepted, and those that wait to be accepted are refused;
/// existing streams live on, and the session ends when the last of them does.
pub struct Session {
    shared: Arc<Shared>,
}

impl Session {
    /// The client's end of a session over `transport`: anything ordered and reliable.
    ///
    /// The roles only decide which ids streams get; either side may open. Poll or spawn the [`Driver`]. A transport
    /// that can be split without a lock is better given to [`from_halves`](Session::from_halves).
    pub fn client<IO, T>(
        transport: IO,
        config: &Config,
        runtime: T,
    ) -> (Session, Driver<Half<IO>, Half<IO>, T>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
        T: Runtime,
    {
        Session::new(Side::Client, transport, config, runtime)
    }

    /// The server's end of a session over `transport`; see [`client`](Session::client).
    pub fn server<IO, T>(
        transport: IO,
        config: &Config,
        runtime: T,
    ) -> (Session, Driver<Half<IO>, Half<IO>, T>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
        T: Runtime,
    {
        Session::new(Side::Server, transport, config, runtime)
    }

    /// Either end of a session over `transport`; see [`client`](Session::client).
    pub fn new<IO, T>(
        side: Side,
        transport: IO,
        config: &Config,
        runtime: T,
    ) -> (Session, Driver<Half<IO>, Half<IO>, T>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
        T: Runtime,
    {
        let (read, write) = Half::both(transport);
        Session::from_halves(side, read, write, config, runtime)
    }

    /// A session over a transport whose two directions are separate; see [`client`](Session::client).
    ///
    /// Once `write` is closed it is dropped, before `read` is: pipes tell the other end only then.
    ///
    /// ```
    /// use muxado_core::{Config, Session, Side, rt::Runtime};
    ///
    /// # let (runtime, (near, _far)) = (muxado_testkit::World::new(), muxado_testkit::pipe(4096));
    /// # let (stdout, stdin, config) = (near.read, near.write, Config::default());
    /// let (session, driver) = Session::from_halves(Side::Client, stdout, stdin, &config, runtime.clone());
    /// runtime.spawn(async { drop(driver.await) }); // over the pipes of a child process, which is the server
    /// assert_eq!((session.side(), session.config()), (Side::Client, &config));
    /// ```
    pub fn from_halves<R, W, T>(
        side: Side,
        read: R,
        write: W,
        config: &Config,
        runtime: T,
    ) -> (Session, Driver<R, W, T>)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
        T: Runtime,
    {
        let clock = runtime.clone();
        let shared = Shared::new(Mux::new(side, config), Box::new(move || clock.now()));
        let driver = Driver::new(shared.clone(), read, write, runtime);
        (Session { shared }, driver)
    }

    /// Opens a stream, at no round-trip cost. Waits while [`Config::max_outbound_streams`] are open, first come
    /// first served; a task that is slow to follow its wake-up may find the place taken, and is then first in line
    /// again. A future that is kept and not polled holds up no other, but for one place.
    ///
    /// Nothing is sent yet: the peer learns of the stream with its first data, or when the first thing done with it
    /// is a flush, a read or a shutdown.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// use muxado_core::Config;
    ///
    /// # let world = World::new();
    /// let config = Config::builder().max_outbound_streams(1).build()?;
    /// # let pair = connected(&world, 4096, &config);
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// let first = session.open().await?;
    /// let second = session.open(); // stands in line
    /// drop(first);
    /// second.await?;
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OpenError`], always safe to retry: the session has ended, or takes no more streams.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in line, and nothing else.
    pub fn open(&self) -> Open {
        Open::new(self.shared.clone())
    }

    /// Opens a stream without waiting.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// use muxado_core::{Config, OpenError};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::builder().max_outbound_streams(1).build()?;
    /// # let world = World::new();
    /// # let session = connected(&world, 4096, &config).client;
    /// let _first = session.try_open()?;
    /// assert_eq!(session.try_open().unwrap_err(), OpenError::Busy);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Session::open), and [`OpenError::Busy`] where that would wait.
    pub fn try_open(&self) -> Result<Stream, OpenError> {
        let opened = self.shared.with(|state| {
            let opened = if state.wakers.open.is_empty() { state.mux.open() } else { Err(OpenError::Busy) };
            opened.map(|key| Stream::new(self.shared.clone(), key))
        });
        opened.map(Stream::hand_out)
    }

    /// Waits for the next stream that the peer opens.
    ///
    /// Not accepting harms nothing else: other streams go on, and when [`Config::accept_backlog`] streams wait, more
    /// are refused in a way that the peer may retry.
    /// Several may wait: each stream is given to one of them, first come first served. A future that is kept and not polled
    /// holds up no other, but for one stream.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # let runtime = world.clone();
    /// # world.block_on(async move {
    /// # use futures_util::{AsyncReadExt, AsyncWriteExt};
    /// use muxado_core::rt::Runtime;
    ///
    /// # async fn answer(mut stream: muxado_core::Stream) {
    /// #     stream.write_all(b"fine").await.unwrap();
    /// #     stream.finish().unwrap();
    /// # }
    /// # runtime.spawn(async move {
    /// #     let mut text = Vec::new();
    /// #     let mut asking = client.open().await.unwrap();
    /// #     asking.finish().unwrap();
    /// #     asking.read_to_end(&mut text).await.unwrap();
    /// #     assert_eq!(text, b"fine");
    /// #     client.close(muxado_core::ErrorCode::NO_ERROR, "bye").await;
    /// # });
    /// while let Ok(stream) = server.accept().await {
    ///     runtime.spawn(answer(stream)); // a task for each: a slow one holds up no other
    /// }
    /// assert!(server.closed().await.is_clean());
    /// # });
    /// ```
    ///
    /// # Errors
    /// [`AcceptError`](crate::AcceptError) with the reason once the session has ended; streams that were waiting by then
    /// are given first, with what had arrived of them, unless this side closed it. A stream that the peer resets before
    /// it is accepted is never seen.
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream.
    pub fn accept(&self) -> Accept {
        Accept::new(self.shared.clone())
    }

    /// Tells the peer to open no more streams, and ends the session when the existing ones have ended.
    ///
    /// The peer is told at once only with [`peer_drains`](crate::ConfigBuilder::peer_drains); until it is told, its new
    /// streams are refused, and safe to retry. There is no time limit: for one, see [`drain`](Session::drain).
    pub fn go_away(&self) {
        self.shared.with(|state| state.mux.go_away());
    }

    /// As [`go_away`](Session::go_away), but what has not ended within `limit` is cut off. Resolves as
    /// [`closed`](Session::closed) does; [`SessionEnd::cut`] says what was lost. Starts at once, awaited or not; of several
    /// limits the earliest counts.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// use std::time::Duration;
    ///
    /// let stream = session.open().await?;
    /// let drained = session.drain(Duration::from_secs(5));
    /// assert!(session.open().await.is_err(), "no more streams");
    /// drop(stream); // the last one: the drain has nothing left to wait for
    /// assert!(drained.await.cut().is_nothing());
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session drains all the same.
    pub fn drain(&self, limit: Duration) -> Closed {
        self.shared.with(|state| {
            state.mux.go_away();
            state.limit_to(limit);
        });
        self.closed()
    }

    /// Ends the session now, and tells the peer why, with at most 256 bytes of `text`. Code 0
    /// ([`ErrorCode::NO_ERROR`]) is an ordinary goodbye.
    ///
    /// What finished or dropped streams have accepted is still sent, for at most [`Config::close_linger`]; streams that
    /// are open fail at once. Resolves as [`closed`](Session::closed) does; [`SessionEnd::cut`] says what was lost.
    /// Starts at once, awaited or not; the first close counts.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use muxado_core::ErrorCode;
    ///
    /// let end = client.close(ErrorCode::NO_ERROR, "bye").await;
    /// assert!(end.is_clean() && end.cut().is_nothing());
    /// assert_eq!(server.closed().await.text(), b"bye");
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the session closes all the same.
    pub fn close(&self, code: ErrorCode, text: &str) -> Closed {
        self.shared.close(code, text)
    }

    /// Waits until this side can open no more streams: the session drains, is closed or has ended, or the peer has said
    /// GOAWAY. A client that is not about to open anything learns here that it is time for another session.
    ///
    /// A peer that drains says so at once only with [`peer_drains`](crate::ConfigBuilder::peer_drains).
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use muxado_core::ErrorCode;
    ///
    /// let leaving = client.leaving();
    /// server.close(ErrorCode::NO_ERROR, "bye").await;
    /// leaving.await; // now is the time to connect elsewhere
    /// assert!(client.try_open().is_err());
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn leaving(&self) -> Leaving {
        Leaving::new(self.shared.clone())
    }

    /// Watches the session without keeping it open. From then on the session notes when the peer last showed that it is
    /// alive.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer::new(self.shared.clone())
    }

    /// Waits until the session has ended and its transport is closed, and says why it ended.
    ///
    /// If this side ended it, the peer closes last, and may first have to read what is still on its way. A peer that has
    /// been silent for 250 ms keeps only the [`Driver`] waiting, if anything: see
    /// [`half_closes`](Driver::half_closes). Code that must know that the transport is gone, at the end of a process
    /// for instance, awaits the driver.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use muxado_core::Initiator;
    ///
    /// # drop(server.close(muxado_core::ErrorCode::INTERNAL_ERROR, "out of memory"));
    /// let end = client.closed().await; // what to log, and whether to connect again
    /// assert!(!end.is_clean());
    /// assert_eq!((end.initiator(), end.text()), (Initiator::Remote, &b"out of memory"[..]));
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[must_use = "futures do nothing unless polled"]
    pub fn closed(&self) -> Closed {
        Closed::new(self.shared.clone())
    }

    /// Why the session has ended, or none while it lives.
    #[must_use]
    pub fn end(&self) -> Option<SessionEnd> {
        self.shared.with(|state| state.mux.end())
    }

    /// The settings that it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.shared.config()
    }

    /// Which side this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.shared.with(|state| state.mux.side())
    }

    /// Whether what the session keeps count of adds up, for tests.
    ///
    /// # Errors
    /// What does not add up, in words.
    #[doc(hidden)]
    pub fn audit(&self) -> Result<(), String> {
        self.shared.with(|state| state.mux.audit())
    }

    /// The session and all of its streams as they are now: states, windows, queued and unread bytes, and what each stream
    /// waits for, in plain words. Print it: its `Display` is a table.
    ///
    /// How long each has waited is there too if the session was made with
    /// [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection).
    ///
    /// A stream that was asked for bytes, or for room to write, and had none is reported as waiting until it is asked
    /// again, even if the task that asked has turned to something else.
    ///
    /// Holds up the session while it walks over all of its streams, for a time in proportion to their number: the
    /// example `channels` of `muxado-tokio` prints how long it takes for ten thousand. Once a second is no burden; once
    /// for each request is.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// let _stream = session.open().await?;
    /// println!("{}", session.inspect());
    /// assert_eq!(session.inspect().streams.len(), 1);
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        self.shared.inspect()
    }

    /// The last frames that passed, the oldest first: as many as
    /// [`ConfigBuilder::record_frames`](crate::ConfigBuilder::record_frames) asked for, which by default is none.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// use muxado_core::Config;
    ///
    /// # let world = World::new();
    /// let config = Config::builder().record_frames(100).build()?;
    /// # let pair = connected(&world, 4096, &config);
    /// # let (session, peer) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// # let mut stream = session.open().await.unwrap();
    /// # stream.finish().unwrap();
    /// # peer.accept().await.unwrap();
    /// println!("{}", session.frames()); // one line for each
    /// assert!(session.frames().passed() > 0);
    /// # });
    /// # Ok::<(), muxado_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn frames(&self) -> FrameLog {
        self.shared.frames()
    }

    /// What the session has counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.with(|state| state.mux.stats())
    }
}

impl Clone for Session {
    fn clone(&self) -> Session {
        self.shared.add_handle();
        Session { shared: self.shared.clone() }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.drop_handle();
    }
}
