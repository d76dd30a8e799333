//! The stream as applications hold it, whole or in two halves.

mod ahead;
mod chunk;
mod recv;
mod send;
mod stopped;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use muxado_frame::{ErrorCode, StreamId};

pub use chunk::{ReadChunk, WriteChunk};
pub use recv::RecvStream;
pub use send::SendStream;
pub use stopped::Stopped;

use crate::error::{ReadError, ResetError, WriteError};
use crate::proto::StreamKey;
use crate::session::shared::Shared;

/// One full-duplex byte stream of a session. Reads and writes with the futures-io traits, and with `Bytes`, of which only
/// small ones are copied.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use futures_util::{AsyncReadExt, AsyncWriteExt};
///
/// let mut asking = client.open().await?;
/// asking.write_all(b"how are you?").await?;
/// asking.close().await?; // our direction ends; theirs goes on
///
/// let mut asked = server.accept().await?;
/// let mut question = String::new();
/// asked.read_to_string(&mut question).await?; // up to the peer's FIN; anything else is an error
/// assert_eq!(question, "how are you?");
/// asked.write_all(b"fine").await?;
/// asked.close().await?;
///
/// let mut answer = String::new();
/// asking.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "fine");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Flow control
/// Each direction has a window, 256 KiB by default: the sender may be so far ahead of what the receiving application
/// has read, and no further. A stream that is not read fills its window and stops there; it stalls no other.
///
/// # Ending
/// `close` of the futures-io traits, or [`SendStream::finish`], ends our direction with FIN; reading goes on until the
/// peer's FIN. A read of 0 bytes means FIN and nothing else: a reset, a lost transport or a closed session is an error.
///
/// # Dropping
/// A stream dropped before it was finished still delivers what was accepted, and then resets: the peer sees an error,
/// never a clean end. A finished stream that is dropped with unread bytes resets after its FIN. With none it sends
/// nothing, and the peer learns that nobody reads when it writes; to tell it at once, call [`reset`](Stream::reset).
/// A stream that was never used disappears without a trace.
///
/// # Tasks
/// One task may read and another write. Each direction keeps one waker, that of the last poll that had to wait: if a
/// second task polls the same direction, the first is forgotten and not woken. Besides these two, any number may wait
/// in [`stopped`](Stream::stopped).
///
/// # Cancel safety
/// A single read that is dropped has taken nothing, a single write has had nothing accepted. What is made of several,
/// `read_exact`, `write_all` or [`write_chunk`](Stream::write_chunk), may have done a part.
#[derive(Debug)]
pub struct Stream {
    // The order matters: the sending half is let go first, so that the receiving half knows whether it was finished.
    send: SendStream,
    recv: RecvStream,
}

impl Stream {
    pub(crate) fn new(shared: Arc<Shared>, key: StreamKey) -> Stream {
        Stream { send: SendStream::new(shared.clone(), key), recv: RecvStream::new(shared, key) }
    }

    /// The application has it now. Not under the lock.
    pub(crate) fn hand_out(mut self) -> Stream {
        self.recv.trace = self.send.hand_out();
        self
    }

    /// The two halves, each with its own waker and its own drop behaviour. Costs nothing. Dropping the sending half
    /// before it is finished resets the whole stream.
    #[must_use]
    pub fn into_split(self) -> (SendStream, RecvStream) {
        (self.send, self.recv)
    }

    /// Two halves as one stream again, as [`into_split`](Stream::into_split) gave them. Costs nothing. That both are
    /// of the same stream is not checked: halves of two streams make one that reads the one and writes the other.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # world.block_on(async move {
    /// let (send, recv) = pair.client.open().await?.into_split(); // for a task each
    /// let mut stream = muxado_core::Stream::from_halves(send, recv);
    /// let (send, recv) = stream.halves(); // for two futures of one task
    /// assert_eq!(send.id(), recv.id());
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn from_halves(send: SendStream, recv: RecvStream) -> Stream {
        Stream { send, recv }
    }

    /// The two halves, borrowed: for reading and writing at once in one task.
    pub fn halves(&mut self) -> (&mut SendStream, &mut RecvStream) {
        (&mut self.send, &mut self.recv)
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.send.id()
    }

    /// The address of this end of the transport, where it is known.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.send.local_addr()
    }

    /// The address of the peer's end of the transport, where it is known.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.send.peer_addr()
    }

    /// Ends both directions at once with `code`, any but [`ErrorCode::NO_ERROR`], [`ErrorCode::STREAM_REFUSED`] and
    /// [`ErrorCode::ACCEPT_QUEUE_FULL`]. What is queued or unread is dropped. Nothing happens to a stream that both sides
    /// have finished.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use futures_util::{AsyncReadExt, AsyncWriteExt};
    /// use muxado_core::{ErrorCode, code_of};
    ///
    /// const TOO_LONG: ErrorCode = ErrorCode::new(1000); // below 256 are the protocol's own
    ///
    /// # let mut opened = client.open().await?;
    /// # opened.write_all(b"a long request").await?;
    /// let mut stream = server.accept().await?;
    /// stream.reset(TOO_LONG)?;
    ///
    /// // and at the peer's end:
    /// let error = opened.read(&mut [0; 16]).await.unwrap_err();
    /// assert_eq!(code_of(&error), Some(TOO_LONG));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.send.reset(code)
    }

    /// Refuses an accepted stream before it was read or written. The peer learns that it is safe to retry.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use futures_util::AsyncReadExt;
    /// use muxado_core::Retry;
    ///
    /// # let mut opened = client.open().await?;
    /// # opened.finish()?;
    /// server.accept().await?.refuse()?;
    ///
    /// // and at the peer's end:
    /// let error = opened.read(&mut [0; 16]).await.unwrap_err();
    /// assert_eq!(Retry::of(&error), Retry::NotProcessed);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was used, or opened by this side. The stream is dropped all the same.
    pub fn refuse(self) -> Result<(), ResetError> {
        self.send.refuse()
    }

    /// Refuses an accepted stream of which a header was read, to see whose it is, and which nothing else was done with:
    /// that is the caller's promise, and the peer learns from it that it is safe to retry.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use futures_util::{AsyncReadExt, AsyncWriteExt};
    /// use muxado_core::Retry;
    ///
    /// # let mut opened = client.open().await?;
    /// # opened.write_all(b"\x07job").await?;
    /// let mut stream = server.accept().await?;
    /// let mut kind = [0];
    /// stream.read_exact(&mut kind).await?;
    /// if kind != [1] {
    ///     stream.refuse_after_header()?; // of a kind that nobody here knows
    /// }
    ///
    /// // and at the peer's end:
    /// let error = opened.read(&mut kind).await.unwrap_err();
    /// assert_eq!(Retry::of(&error), Retry::NotProcessed);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was written or reset, or opened by this side. The stream is dropped all the same.
    pub fn refuse_after_header(self) -> Result<(), ResetError> {
        self.send.refuse_after_header()
    }

    /// The next bytes, at most `max` of them and at least one, without a copy; `None` at the peer's FIN. See
    /// [`RecvStream::read_chunk`].
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// # let mut asking = client.open().await?;
    /// # asking.write_chunk("hello".into()).await?;
    /// # asking.finish()?;
    /// # let mut from = server.accept().await?;
    /// # let mut to = server.open().await?;
    /// while let Some(chunk) = from.read_chunk(64 * 1024).await? {
    ///     to.write_chunk(chunk).await?; // the same memory, if it is long
    /// }
    /// to.finish()?; // the end is passed on too
    /// # let chunk = client.accept().await?.read_chunk(100).await?;
    /// # assert_eq!(chunk.unwrap(), "hello");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn read_chunk(&mut self, max: usize) -> ReadChunk<'_> {
        self.recv.read_chunk(max)
    }

    /// As [`read_chunk`](Stream::read_chunk), to be polled. See [`RecvStream::poll_read_chunk`] for which waker is kept.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        self.recv.poll_read_chunk(cx, max)
    }

    /// Sends all of `chunk`, without a copy where it is not small. See [`SendStream::write_chunk`].
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use muxado_core::Bytes;
    ///
    /// # let mut stream = client.open().await?;
    /// let page: Vec<u8> = vec![b'x'; 100_000];
    /// # let send = async {
    /// stream.write_chunk(Bytes::from(page)).await?; // gives the memory away
    /// stream.finish()?;
    /// #     Ok(())
    /// # };
    /// # let mut read = Vec::new();
    /// # let receive = async {
    /// #     futures_util::AsyncReadExt::read_to_end(&mut server.accept().await?, &mut read).await
    /// # };
    /// # futures_util::try_join!(send, receive)?;
    /// # assert_eq!(read.len(), 100_000);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub fn write_chunk(&mut self, chunk: Bytes) -> WriteChunk<'_> {
        self.send.write_chunk(chunk)
    }

    /// Takes as much off the front of `chunk` as there is room for, and says how much that was. See
    /// [`SendStream::poll_write_chunk`] for which waker is kept.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished. Nothing was taken then.
    pub fn poll_write_chunk(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Bytes,
    ) -> Poll<Result<usize, WriteError>> {
        self.send.poll_write_chunk(cx, chunk)
    }

    /// Ends our direction: what was accepted goes out, then FIN. Reading goes on. See [`SendStream::finish`].
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use futures_util::{AsyncReadExt, AsyncWriteExt};
    ///
    /// let mut stream = client.open().await?;
    /// stream.write_all(b"that is all").await?;
    /// stream.finish()?;
    ///
    /// // and at the peer's end, which can still answer:
    /// let mut request = String::new();
    /// server.accept().await?.read_to_string(&mut request).await?;
    /// assert_eq!(request, "that is all");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        self.send.finish()
    }

    /// Waits until the peer has reset the stream, or the session is lost, or both sides have finished. Borrows nothing. See
    /// [`SendStream::stopped`].
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # let runtime = world.clone();
    /// # world.block_on(async move {
    /// # use muxado_core::rt::Runtime;
    /// # let spawn = |watching| runtime.spawn(watching);
    /// # let mut asking = client.open().await?;
    /// # asking.finish()?;
    /// # let asked = server.accept().await?;
    /// # let mut compute = async || -> std::io::Result<()> {
    /// #     asking.reset(muxado_core::ErrorCode::STREAM_CANCELLED)?;
    /// #     std::future::pending().await
    /// # };
    /// let (computing, handle) = futures_util::future::abortable(compute());
    /// let stopped = asked.stopped();
    /// spawn(async move {
    ///     if stopped.await.is_err() {
    ///         handle.abort(); // the client does not want the answer any more
    ///     }
    /// });
    /// assert!(computing.await.is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn stopped(&self) -> Stopped {
        self.send.stopped()
    }

    /// As [`stopped`](Stream::stopped), to be polled. See [`SendStream::poll_stopped`] for which waker is kept.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        self.send.poll_stopped(cx)
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes. See
    /// [`SendStream::consumed`].
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.send.consumed()
    }

    /// Sets both deadlines: [`set_read_deadline`](Stream::set_read_deadline),
    /// [`set_write_deadline`](Stream::set_write_deadline). Default: none.
    pub fn set_deadline(&self, at: Option<Instant>) {
        self.set_read_deadline(at);
        self.set_write_deadline(at);
    }

    /// After `at` reading fails. See [`RecvStream::set_read_deadline`].
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.recv.set_read_deadline(at);
    }

    /// After `at` writing fails. See [`SendStream::set_write_deadline`].
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.send.set_write_deadline(at);
    }

    /// Lets the session end without this stream: a drain does not wait for it, and [`SessionEnd::cut`] does not count it.
    /// It fails with the session then, and what it had accepted may be lost, finished or not. For streams without an end of
    /// their own, whose messages are worth nothing once all others are over: where only such streams are left, the session
    /// ends with its last handle. It applies to this side alone, and cannot be taken back.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let session = pair.client;
    /// # world.block_on(async move {
    /// use std::time::Duration;
    ///
    /// let news = session.open().await?;
    /// news.set_background();
    /// let end = session.drain(Duration::from_secs(60)).await; // at once
    /// assert!(end.is_clean() && end.cut().is_nothing());
    /// # drop(news);
    /// # Ok::<(), muxado_core::OpenError>(())
    /// # }).unwrap();
    /// # assert!(world.elapsed() < std::time::Duration::from_secs(1));
    /// ```
    ///
    /// [`SessionEnd::cut`]: crate::SessionEnd::cut
    pub fn set_background(&self) {
        self.send.set_background();
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. See [`SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.send.set_priority(priority);
    }
}

/// A read of 0 bytes into a buffer that is not empty means the peer's FIN, and nothing else. See [`RecvStream`].
impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.recv).poll_read(cx, buf)
    }
}

/// `flush` only makes sure that the peer learns of the stream, and never fails: data goes out by itself. `close` is
/// [`finish`](Stream::finish). Neither waits for the peer. See [`SendStream`].
impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.send).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.send).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.send).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.send).poll_close(cx)
    }
}
