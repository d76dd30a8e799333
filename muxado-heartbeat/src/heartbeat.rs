//! The handle: wraps a typed session, sends beats and answers the peer's.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded};
use muxado_core::face::Face;
use muxado_core::rt::Runtime;
use muxado_core::{AcceptError, Bytes, Observer, Stream};
use muxado_typed::{OpenTypedError, Router, StreamType, Typed, TypedStream};

use crate::config::HeartbeatConfig;
use crate::proto::Pulse;
use crate::requester::{Line, Requester, Shared};
use crate::responder::{RESPONDERS, Responders, respond};

/// A typed session with a heartbeat. Cheap to clone.
///
/// The peer's beats are answered by [`accept`](Heartbeat::accept): call it in a loop, whether the peer
/// opens streams or not. With a [`Router`], see [`answer_in`](Heartbeat::answer_in).
///
/// ```
/// use std::time::Duration;
///
/// use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
/// use muxado_smol::{Listener, connect};
/// use muxado_typed::Typed;
///
/// # smol::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// let client = Typed::new(connect(listener.local_addr()?).await?);
/// let server = Typed::new(listener.accept().await?.0);
///
/// let client = Heartbeat::start(client, HeartbeatConfig::default()).await?;
/// let server = Heartbeat::start(server, HeartbeatConfig::default()).await?;
/// smol::spawn(async move { while server.accept().await.is_ok() {} }).detach(); // answers
///
/// let rtt = client.beat(Duration::from_secs(5)).await?;
/// assert_eq!(client.rtt(), Some(rtt));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// Dropping the last clone ends the heartbeat and drops its handle of the session, which does not end the session by
/// itself.
pub struct Heartbeat<S: Face> {
    typed: Typed<S>,
    observer: Observer,
    shared: Arc<Shared>,
    changes: Sender<()>,
    responders: Responders,
}

impl<S: Face> Heartbeat<S> {
    /// Starts a heartbeat, whose task runs on the session's runtime.
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_typed::Typed;
    /// # use std::time::Duration;
    /// # smol::block_on(async {
    /// # let silent = smol::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let session = muxado_smol::connect(silent.local_addr()?).await?;
    /// # let _connection = silent.accept().await?;
    /// let limit = Duration::from_millis(10); // a second or more, over a network
    /// let config = HeartbeatConfig::default().interval(limit).tolerance(limit);
    /// let heartbeat = Heartbeat::start(Typed::new(session), config).await?;
    ///
    /// // The peer has gone without a word: the session ends after the two together, not when TCP gives up.
    /// let end = heartbeat.session().closed().await;
    /// # assert!(!end.is_clean());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`OpenTypedError::WouldSplit`] if beats cannot be sent with the settings of the session. A session that takes no more
    /// streams, or has ended, is none: what it still has to accept is given.
    ///
    /// # Cancel safety
    /// Dropping the future starts nothing, and gives up the place in line or the stream for the beats.
    ///
    /// # Panics
    /// With a session of tokio's: outside a tokio runtime, as `tokio::spawn` does.
    pub async fn start(typed: Typed<S>, config: HeartbeatConfig) -> Result<Heartbeat<S>, OpenTypedError> {
        let runtime = typed.get_ref().runtime();
        let observer = typed.get_ref().core().observer();
        let line = match config.beats {
            true => match typed.open(StreamType::HEARTBEAT).await {
                Ok(stream) => Line::through(core(stream)),
                Err(error @ OpenTypedError::WouldSplit) => return Err(error),
                // What the session still has to give is to be had all the same.
                Err(_) => Line::Shut,
            },
            false => Line::None,
        };
        let start = runtime.now();
        let shared = Shared::new(Pulse::new(config.interval, config.tolerance, Duration::ZERO));
        let (changes, changed) = bounded(1);
        let requester = Requester {
            runtime: runtime.clone(),
            start,
            session: typed.get_ref().core().clone(),
            observer: observer.clone(),
            line,
            unsent: Bytes::new(),
            shared: shared.clone(),
            config,
            changes: changed,
        };
        runtime.spawn(requester.run());
        Ok(Heartbeat { typed, observer, shared, changes, responders: Responders::new() })
    }

    /// Opens a stream of a type. See [`Typed::open`].
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{Listener, connect};
    /// # use muxado_typed::Typed;
    /// use smol::io::AsyncWriteExt;
    ///
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(connect(listener.local_addr()?).await?);
    /// # let client = Heartbeat::start(client, HeartbeatConfig::default()).await?;
    /// # let server = Typed::new(listener.accept().await?.0);
    /// # let server = Heartbeat::start(server, HeartbeatConfig::default()).await?;
    /// let mut stream = client.open(7).await?; // any type but that of the beats
    /// stream.write_all(b"hello").await?;
    /// stream.close().await?;
    /// # assert_eq!(server.accept().await?.stream_type().get(), 7);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`OpenTypedError`], which says whether it is safe to retry.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in line, or the stream that was opened.
    pub async fn open(
        &self,
        stream_type: impl Into<StreamType>,
    ) -> Result<TypedStream<S::Stream>, OpenTypedError> {
        self.typed.open(stream_type).await
    }

    /// Waits for the peer's next stream, and answers the peer's beats meanwhile. See [`Typed::accept`].
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    /// # use muxado_typed::Typed;
    /// # use std::time::Duration;
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(connect(listener.local_addr()?).await?);
    /// # let client = Heartbeat::start(client, HeartbeatConfig::default()).await?;
    /// # let server = Typed::new(listener.accept().await?.0);
    /// # let server = Heartbeat::start(server, HeartbeatConfig::default()).await?;
    /// # let mut seven = client.open(7).await?;
    /// # let peer = smol::spawn(async move {
    /// #     let beat = client.beat(Duration::from_secs(5)).await;
    /// #     let _ = smol::io::AsyncReadExt::read(&mut seven, &mut [0]).await; // until the other side drops it
    /// #     drop(seven);
    /// #     client.session().close(ErrorCode::NO_ERROR, "bye").await;
    /// #     beat
    /// # });
    /// # let mut types = Vec::new();
    /// while let Ok(stream) = server.accept().await {
    ///     // never one of the peer's beats: those are answered in there
    ///     println!("a stream of type {}", stream.stream_type());
    /// #     types.push(stream.stream_type().get());
    /// }
    /// # assert_eq!(types, [7]);
    /// # peer.await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`AcceptError`] once the session has ended; streams that were there are given first.
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream; beats that are being answered still get their answers.
    ///
    /// # Panics
    /// With a session of tokio's: outside a tokio runtime, as `tokio::spawn` does.
    pub async fn accept(&self) -> Result<TypedStream<S::Stream>, AcceptError> {
        loop {
            let stream = self.typed.accept().await?;
            if stream.stream_type() != StreamType::HEARTBEAT {
                return Ok(stream);
            }
            if let Some(answering) = self.responders.answer(core(stream), self.observer.clone()) {
                self.typed.get_ref().runtime().spawn(answering);
            }
        }
    }

    /// Has `router` answer the peer's beats, in place of [`accept`](Heartbeat::accept): a program that routes streams
    /// by type does not call that.
    ///
    /// The router holds a session handle of its own: to be done, drop the router or end the session.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use muxado_typed::Router;
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    /// # use muxado_typed::Typed;
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Heartbeat::start(Typed::new(connect(listener.local_addr()?).await?), HeartbeatConfig::default()).await?;
    /// # let session = Typed::new(listener.accept().await?.0);
    /// let heartbeat = Heartbeat::start(session.clone(), HeartbeatConfig::default()).await?;
    /// let mut router = heartbeat.answer_in(Router::new(session)); // then the routes of the application
    /// # router = router.handle(1, 1, |_| async {});
    /// smol::spawn(async move { router.run().await }).detach();
    /// # assert!(client.beat(Duration::from_secs(10)).await.is_ok());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn answer_in(&self, router: Router<S>) -> Router<S> {
        let observer = self.observer.clone();
        router.handle(StreamType::HEARTBEAT, RESPONDERS, move |stream| {
            let (stream, observer) = (core(stream), observer.clone());
            async move { respond(stream, &observer).await }
        })
    }

    /// Sends a beat now, or waits for the one that is under way, and returns the round-trip time.
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{Listener, connect};
    /// # use muxado_typed::Typed;
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(connect(listener.local_addr()?).await?);
    /// # let client = Heartbeat::start(client, HeartbeatConfig::default()).await?;
    /// # let server = Typed::new(listener.accept().await?.0);
    /// # let server = Heartbeat::start(server, HeartbeatConfig::default()).await?;
    /// # smol::spawn(async move { while server.accept().await.is_ok() {} }).detach();
    /// // Before something important, or when the machine has slept: is anybody there?
    /// match client.beat(Duration::from_secs(2)).await {
    ///     Ok(rtt) => println!("yes, {rtt:?} away"),
    ///     Err(error) => println!("better connect anew: {error}"),
    /// }
    /// # assert!(client.rtt().is_some());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`BeatError::TimedOut`] if the echo did not come within `limit`, as from a peer that answers no beats;
    /// [`BeatError::Ended`] if the heartbeat has ended. Safe to retry.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the beat goes out all the same.
    ///
    /// # Panics
    /// With a session of tokio's: outside a tokio runtime, as `tokio::time::sleep` does.
    pub async fn beat(&self, limit: Duration) -> Result<Duration, BeatError> {
        let tell = self.wait_for_echo().ok_or(BeatError::Ended)?;
        self.shared.lock().pulse.want();
        self.change();
        let mut echo = pin!(tell.recv());
        let mut limit = pin!(self.typed.get_ref().runtime().sleep(limit));
        poll_fn(|cx| {
            if let Poll::Ready(echo) = Future::poll(echo.as_mut(), cx) {
                return Poll::Ready(echo.map_err(|_| BeatError::Ended));
            }
            Future::poll(limit.as_mut(), cx).map(|()| Err(BeatError::TimedOut))
        })
        .await
    }

    /// How long the last beat and its echo took; none before the first echo.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.shared.lock().pulse.rtt()
    }

    /// Waits for the next echo, and gives the time it took; none when the heartbeat has ended. With a peer that answers no
    /// beats it waits as long as the heartbeat lives.
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    /// # use muxado_typed::Typed;
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let config = HeartbeatConfig::default().interval(Duration::from_millis(1));
    /// # let client = Heartbeat::start(Typed::new(connect(listener.local_addr()?).await?), config).await?;
    /// # let server = Heartbeat::start(Typed::new(listener.accept().await?.0), HeartbeatConfig::default()).await?;
    /// # smol::spawn(async move { while server.accept().await.is_ok() {} }).detach();
    /// let mut shortest = Duration::MAX;
    /// while let Some(rtt) = client.next_rtt().await {
    ///     shortest = shortest.min(rtt); // what the link itself takes, without queues on the way
    /// #     client.session().close(ErrorCode::NO_ERROR, "bye").await;
    /// } // until the heartbeat ends
    /// # assert!(shortest < Duration::MAX);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn next_rtt(&self) -> Option<Duration> {
        self.wait_for_echo()?.recv().await.ok()
    }

    /// Changes how often a beat goes out, from now on. See [`HeartbeatConfig::interval`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    /// # use muxado_typed::Typed;
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Heartbeat::start(Typed::new(connect(listener.local_addr()?).await?), HeartbeatConfig::default()).await?;
    /// // From now on it is looked after more closely, while somebody waits for an answer.
    /// client.set_interval(Duration::from_secs(1));
    /// client.set_tolerance(Duration::from_secs(2));
    /// println!("{:?}", client.rtt());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn set_interval(&self, interval: Duration) {
        self.shared.lock().pulse.set_interval(interval);
        self.change();
    }

    /// Changes how much longer than the interval the peer may be silent, from now on. See
    /// [`HeartbeatConfig::tolerance`], and for an example [`set_interval`](Heartbeat::set_interval).
    pub fn set_tolerance(&self, tolerance: Duration) {
        self.shared.lock().pulse.set_tolerance(tolerance);
        self.change();
    }

    /// Gets the time of the next echo; none if the task has ended.
    fn wait_for_echo(&self) -> Option<Receiver<Duration>> {
        let (told, tell) = bounded(1);
        let mut state = self.shared.lock();
        state.waiting.retain(|waiting| !waiting.is_closed());
        state.waiting.push(told);
        // It closes this before it looks through the waiting for the last time.
        (!self.changes.is_closed()).then_some(tell)
    }

    fn change(&self) {
        let _ = self.changes.try_send(());
    }

    /// The session that it all runs on: to close, drain or look at it.
    ///
    /// ```
    /// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    /// # use muxado_typed::Typed;
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// let session = connect(listener.local_addr()?).await?;
    /// let peer = Heartbeat::start(Typed::new(session), HeartbeatConfig::default()).await?;
    /// let end = peer.session().close(ErrorCode::NO_ERROR, "bye").await;
    /// # assert!(end.is_clean());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn session(&self) -> &S {
        self.typed.get_ref()
    }

    /// The typed session.
    #[must_use]
    pub fn get_ref(&self) -> &Typed<S> {
        &self.typed
    }

    /// The typed session, without the heartbeat if this was its last handle.
    #[must_use]
    pub fn into_inner(self) -> Typed<S> {
        self.typed
    }
}

/// The same for all faces, so that what works on it is compiled once.
fn core<T: Into<Stream>>(stream: TypedStream<T>) -> Stream {
    stream.into_inner().into()
}

impl<S: Face> Clone for Heartbeat<S> {
    fn clone(&self) -> Heartbeat<S> {
        Heartbeat {
            typed: self.typed.clone(),
            observer: self.observer.clone(),
            shared: self.shared.clone(),
            changes: self.changes.clone(),
            responders: self.responders.clone(),
        }
    }
}

impl<S: Face + fmt::Debug> fmt::Debug for Heartbeat<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat")
            .field("typed", &self.typed)
            .field("rtt", &self.rtt())
            .finish_non_exhaustive()
    }
}

/// No echo came. What [`Heartbeat::beat`] fails with.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_heartbeat::BeatError;
///
/// # use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
/// # use muxado_smol::{ErrorCode, Listener, connect};
/// # use muxado_typed::Typed;
/// # smol::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let client = Heartbeat::start(Typed::new(connect(listener.local_addr()?).await?), HeartbeatConfig::default()).await?;
/// # let silent = listener.accept().await?;
/// let error = client.beat(Duration::from_millis(10)).await.unwrap_err(); // nobody there answers beats
/// assert_eq!(error, BeatError::TimedOut);
/// client.session().close(ErrorCode::NO_ERROR, "bye").await;
/// assert_eq!(client.beat(Duration::from_secs(10)).await, Err(BeatError::Ended));
/// # drop(silent);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BeatError {
    /// Not within the limit.
    TimedOut,
    /// The heartbeat has ended, or the session with it.
    Ended,
}

impl fmt::Display for BeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BeatError::TimedOut => "no echo within the limit",
            BeatError::Ended => "the heartbeat has ended",
        })
    }
}

impl std::error::Error for BeatError {}

/// `TimedOut` for the limit, `NotConnected` for a heartbeat that has ended. The error itself is inside.
impl From<BeatError> for io::Error {
    fn from(error: BeatError) -> io::Error {
        let kind = match error {
            BeatError::TimedOut => io::ErrorKind::TimedOut,
            BeatError::Ended => io::ErrorKind::NotConnected,
        };
        io::Error::new(kind, error)
    }
}
