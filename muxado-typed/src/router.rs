//! Brings each stream to the handler or the queue of its type.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_channel::{Receiver, Sender, bounded};
use async_lock::Semaphore;
use muxado_core::face::Face;
use muxado_core::rt::Runtime;
use muxado_core::{AcceptError, Stream};

use crate::stream_type::StreamType;
use crate::typed::Typed;
use crate::typed_stream::TypedStream;

/// The most that a queue may be said to hold: room for all of it is made when it is.
const MAX_QUEUE: usize = 65_536;

type Handler<T> = Arc<dyn Fn(TypedStream<T>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Accepts the streams of a typed session, and brings each to the handler or the queue of its type.
///
/// A stream is refused if its type has neither, or already has as many streams as it may: the opener learns that it is
/// safe to retry. One type's streams never hold up another's.
///
/// ```
/// use muxado_typed::{Router, Typed};
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
///
/// # smol::block_on(async {
/// # let listener = muxado_smol::Listener::bind("127.0.0.1:0").await?;
/// # let client = Typed::new(muxado_smol::connect(listener.local_addr()?).await?);
/// # let (session, _) = listener.accept().await?;
/// let mut router = Router::new(Typed::new(session)).handle(1, 100, |mut stream| async move {
///     let _ = stream.write_all(b"hello").await; // in a task of its own
///     let _ = stream.close().await;
/// });
/// let twos = router.queue(2, 10);
/// smol::spawn(async move { router.run().await }).detach();
/// # let (mut one, _two) = (client.open(1).await?, client.open(2).await?);
/// # let mut answer = String::new();
/// # one.read_to_string(&mut answer).await?;
/// # assert_eq!(answer, "hello");
/// let two = twos.accept().await; // here
/// # assert_eq!(two.map(|stream| stream.stream_type().get()), Some(2));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// Its queues still give what waits in them, then the end. Handlers that are running go on.
pub struct Router<S: Face> {
    typed: Typed<S>,
    routes: HashMap<StreamType, Route<S::Stream>>,
}

enum Route<T> {
    /// Runs a task for each stream, this many at a time.
    Handler { handler: Handler<T>, places: Arc<Semaphore> },
    /// Holds this many streams until they are accepted.
    Queue(Sender<TypedStream<T>>),
}

impl<S: Face> Router<S> {
    /// A router that knows no type yet.
    #[must_use]
    pub fn new(typed: Typed<S>) -> Router<S> {
        Router { typed, routes: HashMap::new() }
    }

    /// Runs `handler` for each stream of a type, in a task of its own, at most `limit` at a time; more are refused,
    /// with 0 all of them. The last call for a type counts.
    #[must_use]
    pub fn handle<F>(
        mut self,
        stream_type: impl Into<StreamType>,
        limit: usize,
        handler: impl Fn(TypedStream<S::Stream>) -> F + Send + Sync + 'static,
    ) -> Router<S>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let handler: Handler<S::Stream> = Arc::new(move |stream| Box::pin(handler(stream)));
        let places = Arc::new(Semaphore::new(limit));
        self.routes.insert(stream_type.into(), Route::Handler { handler, places });
        self
    }

    /// A queue for the streams of a type, which holds `limit` of them; more are refused. 0 counts as 1, and more than 65,536 as
    /// that. The last call for a type counts.
    #[must_use]
    pub fn queue(&mut self, stream_type: impl Into<StreamType>, limit: usize) -> Queue<S::Stream> {
        let (sender, streams) = bounded(limit.clamp(1, MAX_QUEUE));
        self.routes.insert(stream_type.into(), Route::Queue(sender));
        Queue(Arc::new(Waiting { streams, refuse }))
    }

    /// Brings streams to where they belong, until the session ends, and returns the reason.
    ///
    /// ```
    /// use muxado_typed::{Router, Typed};
    /// # use muxado_smol::{ErrorCode, Listener, connect};
    ///
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = connect(listener.local_addr()?).await?;
    /// # let (session, _) = listener.accept().await?;
    /// # client.close(ErrorCode::NO_ERROR, "bye").await;
    /// let router = Router::new(Typed::new(session)).handle(1, 100, |stream| async move {
    ///     println!("{stream:?}");
    /// });
    /// let ended = router.run().await;
    /// if !ended.end().is_clean() {
    ///     eprintln!("lost the peer: {ended}"); // not when it has said goodbye
    /// }
    /// # assert!(ended.end().is_clean());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream, and it can be run again; handlers that are running go on.
    ///
    /// # Panics
    /// With a session of tokio's: outside a tokio runtime, as `tokio::spawn` does.
    pub async fn run(&self) -> AcceptError {
        loop {
            match self.typed.accept().await {
                Ok(stream) => self.route(stream),
                Err(error) => return error,
            }
        }
    }

    fn route(&self, stream: TypedStream<S::Stream>) {
        match self.routes.get(&stream.stream_type()) {
            Some(Route::Handler { handler, places }) => {
                let Some(place) = places.try_acquire_arc() else { return refuse(stream) };
                // All of it in the task: what it does before its future begins may panic or take its time too.
                let handler = handler.clone();
                self.typed.get_ref().runtime().spawn(async move {
                    handler(stream).await;
                    drop(place);
                });
            }
            // It may have become full or lost its receivers this moment, so it is asked no sooner.
            Some(Route::Queue(queue)) => {
                if let Err(unwanted) = queue.try_send(stream) {
                    refuse(unwanted.into_inner());
                }
            }
            None => refuse(stream),
        }
    }
}

/// Nothing was done with it but to read its type.
fn refuse<T: Into<Stream>>(stream: TypedStream<T>) {
    let _ = stream.refuse();
}

impl<S: Face + fmt::Debug> fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.routes.keys().collect();
        f.debug_struct("Router").field("typed", &self.typed).field("types", &types).finish()
    }
}

/// The streams of one type, as a [`Router`] brings them. Clones share them.
///
/// When the last clone is dropped, the type's streams are refused, those that wait here and those to come. For an example see
/// [`Router`].
pub struct Queue<T>(Arc<Waiting<T>>);

impl<T> Queue<T> {
    /// Waits for the next one; none when the router is gone and all that waited have been taken.
    ///
    /// ```
    /// use muxado_typed::{Router, Typed};
    /// use smol::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # smol::block_on(async {
    /// # let listener = muxado_smol::Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(muxado_smol::connect(listener.local_addr()?).await?);
    /// # let (session, _) = listener.accept().await?;
    /// # let mut news = client.open(1).await?;
    /// # news.write_all(b"it rains").await?;
    /// # news.close().await?;
    /// # smol::spawn(async move { client.get_ref().drain(std::time::Duration::from_secs(5)).await }).detach();
    /// let mut router = Router::new(Typed::new(session));
    /// let queue = router.queue(1, 10);
    /// smol::spawn(async move { router.run().await }).detach();
    ///
    /// # let mut text = String::new();
    /// while let Some(mut news) = queue.accept().await {
    ///     // one after another, in their order
    ///     news.read_to_string(&mut text).await?;
    /// } // until the session has ended
    /// # assert_eq!(text, "it rains");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream.
    pub async fn accept(&self) -> Option<TypedStream<T>> {
        self.0.streams.recv().await.ok()
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue(self.0.clone())
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.0.streams.len()).finish_non_exhaustive()
    }
}

/// What was brought and not accepted yet.
struct Waiting<T> {
    streams: Receiver<TypedStream<T>>,
    refuse: fn(TypedStream<T>),
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        // A channel whose receivers are gone keeps what is in it for as long as there is a sender, which the router has. Closed
        // first, so that what is brought meanwhile is either in there by now or is given back to the router.
        self.streams.close();
        while let Ok(stream) = self.streams.try_recv() {
            (self.refuse)(stream);
        }
    }
}
