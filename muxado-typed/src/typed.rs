//! Sessions whose streams begin with their type.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use muxado_core::face::Face;
use muxado_core::rt::Runtime;
use muxado_core::{AcceptError, Bytes, OpenError, Retry, WriteError};

use crate::stream_type::StreamType;
use crate::typed_stream::TypedStream;
use crate::waiting::Waiting;

/// Bytes of a type. They are never split: one existing peer takes them with one read (W13).
const TYPE_LEN: usize = 4;

/// A session, of any face, whose streams all begin with a [`StreamType`]. Cheap to clone.
///
/// Both sides must use it. Everything but opening and accepting is done with the session inside: [`get_ref`](Typed::get_ref).
///
/// ```
/// use muxado_smol::{Listener, connect};
/// use muxado_typed::Typed;
///
/// # smol::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// let client = Typed::new(connect(listener.local_addr()?).await?);
/// let server = Typed::new(listener.accept().await?.0);
///
/// let opened = client.open(7).await?;
/// let accepted = server.accept().await?;
/// assert_eq!(opened.stream_type(), accepted.stream_type());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Draining
/// While its session drains, go on accepting until that fails, or drop all clones. Streams whose type has not arrived are
/// open, as those that wait to be accepted are: with nobody to look after them they hold up a drain until its limit.
///
/// # Dropping
/// When the last clone is dropped, streams whose type has not arrived are refused, and its handle of the session is
/// dropped.
pub struct Typed<S> {
    session: S,
    /// The settings of the session would have a type go out in pieces.
    splits: bool,
    waiting: Arc<Waiting>,
}

impl<S: Face> Typed<S> {
    /// Opens streams of the session with their type, and accepts them by it.
    #[must_use]
    pub fn new(session: S) -> Typed<S> {
        let config = session.core().config();
        let most = (config.window().min(config.max_frame()) as usize).min(config.send_queue());
        let waiting = Arc::new(Waiting::new(session.core()));
        Typed { session, splits: most < TYPE_LEN, waiting }
    }

    /// Opens a stream of type `stream_type`, at no round-trip cost: the type goes out with the stream's first frame.
    ///
    /// ```
    /// use muxado_typed::Typed;
    /// use smol::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// const SHOUT: u32 = 2; // both sides know what it stands for
    ///
    /// # smol::block_on(async {
    /// # let listener = muxado_smol::Listener::bind("127.0.0.1:0").await?;
    /// # let session = Typed::new(muxado_smol::connect(listener.local_addr()?).await?);
    /// # let peer = Typed::new(listener.accept().await?.0);
    /// let mut stream = session.open(SHOUT).await?;
    /// stream.write_all(b"hello").await?;
    /// stream.close().await?; // what comes back can still be read
    /// # let (mut request, mut text) = (peer.accept().await?, String::new());
    /// # request.read_to_string(&mut text).await?;
    /// # assert_eq!((request.stream_type().get(), &*text), (SHOUT, "hello"));
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
        let stream_type = stream_type.into();
        if self.splits {
            return Err(OpenTypedError::WouldSplit);
        }
        let opening = self.session.in_turn(self.session.core().open());
        let mut stream = opening.await.map_err(OpenTypedError::Open)?;
        let bytes = Bytes::copy_from_slice(&stream_type.to_bytes());
        stream.write_chunk(bytes).await.map_err(OpenTypedError::Write)?;
        Ok(TypedStream::new(stream_type, self.session.wrap(stream)))
    }

    /// Waits for the next stream of the peer's whose type has arrived.
    ///
    /// A stream that sends its type late or never, or breaks, holds up no other. It has 10 seconds, then it is reset;
    /// at most [`accept_backlog`](muxado_core::Config::accept_backlog) streams wait for their type at a time, and one
    /// more takes the place of the oldest.
    ///
    /// ```
    /// use muxado_typed::Typed;
    /// # use smol::io::AsyncReadExt;
    /// use smol::io::AsyncWriteExt;
    ///
    /// # smol::block_on(async {
    /// # let listener = muxado_smol::Listener::bind("127.0.0.1:0").await?;
    /// # let peer = Typed::new(muxado_smol::connect(listener.local_addr()?).await?);
    /// # let session = Typed::new(listener.accept().await?.0);
    /// # let (mut time, mut unknown) = (peer.open(1).await?, peer.open(9).await?);
    /// # let peer = smol::spawn(async move {
    /// #     let mut answer = String::new();
    /// #     time.read_to_string(&mut answer).await?;
    /// #     let refused = unknown.read(&mut [0; 16]).await.unwrap_err();
    /// #     assert_eq!(muxado_smol::Retry::of(&refused), muxado_smol::Retry::NotProcessed);
    /// #     drop((time, unknown));
    /// #     peer.get_ref().drain(std::time::Duration::from_secs(5)).await;
    /// #     std::io::Result::Ok(answer)
    /// # });
    /// while let Ok(mut stream) = session.accept().await {
    ///     match stream.stream_type().get() {
    ///         1 => {
    ///             stream.write_all(b"late").await?; // in a task of its own, if it takes long
    ///             stream.close().await?;
    ///         }
    ///         _ => stream.refuse()?,
    ///     }
    /// }
    /// # assert_eq!(peer.await?, "late");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// Several may wait at once: each stream is given to one of them. One that is not polled holds up no other.
    ///
    /// # Errors
    /// [`AcceptError`] once the session has ended; streams that were there are given first.
    ///
    /// # Cancel safety
    /// Dropping the future loses no stream, and nothing of a type that has arrived in part.
    pub async fn accept(&self) -> Result<TypedStream<S::Stream>, AcceptError> {
        let (session, runtime) = (self.session.core(), self.session.runtime());
        let mut seat = self.waiting.seat();
        let next = poll_fn(|cx| self.waiting.poll(cx, &mut seat, session, || runtime.now()));
        let (stream_type, stream) = self.session.in_turn(next).await?;
        Ok(TypedStream::new(stream_type, self.session.wrap(stream)))
    }

    /// The session, for all but opening and accepting.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.session
    }

    /// The session. Streams whose type has not arrived are refused, unless another clone waits for them.
    ///
    /// ```
    /// # use muxado_smol::{Listener, connect};
    /// # use muxado_typed::Typed;
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(connect(listener.local_addr()?).await?);
    /// # let server = Typed::new(listener.accept().await?.0);
    /// let sent = client.get_ref().stats().frames_sent; // the session, for all that has nothing to do with types
    /// let session = client.into_inner();
    /// assert_eq!(session.stats().frames_sent, sent);
    /// # drop(server);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn into_inner(self) -> S {
        self.session
    }
}

impl<S: Clone> Clone for Typed<S> {
    fn clone(&self) -> Typed<S> {
        Typed { session: self.session.clone(), splits: self.splits, waiting: self.waiting.clone() }
    }
}

impl<S> AsRef<S> for Typed<S> {
    fn as_ref(&self) -> &S {
        &self.session
    }
}

impl<S: fmt::Debug> fmt::Debug for Typed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.session).finish()
    }
}

/// Opening a typed stream failed. [`retry`](OpenTypedError::retry) says whether it is safe to try again.
///
/// ```
/// use muxado_smol::Retry;
/// use muxado_typed::OpenTypedError;
///
/// # use muxado_smol::{Listener, connect};
/// # use muxado_typed::Typed;
/// # smol::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let client = Typed::new(connect(listener.local_addr()?).await?);
/// # let server = Typed::new(listener.accept().await?.0);
/// # drop(server);
/// # client.get_ref().go_away();
/// let error = client.open(7).await.unwrap_err();
/// assert_eq!(error.retry(), Retry::NotProcessed); // on another session
/// assert!(matches!(error, OpenTypedError::Open(_)));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OpenTypedError {
    /// The session's window, frames or queues are too small for the four bytes of a type, which must go out in one frame.
    WouldSplit,
    /// No stream could be opened.
    Open(OpenError),
    /// The stream was lost before its type was on its way.
    Write(WriteError),
}

impl OpenTypedError {
    /// Whether it is safe to retry. [`Retry::of`] says the same, except for [`WouldSplit`](OpenTypedError::WouldSplit),
    /// which is [`Retry::Unknown`] to it and which no retry would help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            OpenTypedError::WouldSplit => Retry::NotProcessed,
            OpenTypedError::Open(error) => error.retry(),
            OpenTypedError::Write(error) => error.retry(),
        }
    }
}

impl fmt::Display for OpenTypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenTypedError::WouldSplit => f.write_str("the settings of the session leave no room for a type"),
            OpenTypedError::Open(error) => error.fmt(f),
            OpenTypedError::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenTypedError {
    /// The error inside, though its text is told already: `Retry::of` and `code_of` look for it here.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenTypedError::WouldSplit => None,
            OpenTypedError::Open(error) => Some(error),
            OpenTypedError::Write(error) => Some(error),
        }
    }
}

/// `InvalidInput` for settings that leave no room for a type, else those of the error inside.
impl From<OpenTypedError> for io::Error {
    fn from(error: OpenTypedError) -> io::Error {
        match error {
            OpenTypedError::WouldSplit => io::Error::new(io::ErrorKind::InvalidInput, error),
            OpenTypedError::Open(error) => error.into(),
            OpenTypedError::Write(error) => error.into(),
        }
    }
}
