//! Streams with tokio's I/O traits.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_io::AsyncWrite as _;
use muxado_core::{Bytes, ErrorCode, ReadError, ResetError, StreamId, WriteError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One full-duplex byte stream of a session, with tokio's [`AsyncRead`] and [`AsyncWrite`].
///
/// A read of 0 bytes means the peer's FIN and nothing else. `shutdown` ends our direction with FIN; reading goes on. It
/// does not wait until the bytes have arrived: a program that is about to exit awaits the session's `drain` or `close`.
/// A stream dropped before its shutdown delivers what was accepted and then resets, so that the peer never takes it for
/// the end. One that is dropped after it, with nothing unread, sends nothing: the peer learns that its answer is not wanted
/// when it writes, or at once by [`reset`](Stream::reset). See [`muxado_core::Stream`] for all of it.
///
/// One task may read and another write; see [`into_split`](Stream::into_split). A third that does the same as one of them
/// takes its place.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// # tokio::spawn(async move {
/// #     let mut stream = server.accept().await.unwrap();
/// #     let mut question = String::new();
/// #     stream.read_to_string(&mut question).await.unwrap();
/// #     stream.write_all(b"fine").await.unwrap();
/// #     stream.shutdown().await.unwrap();
/// # });
/// let mut stream = client.open().await?;
/// stream.write_all(b"how are you?").await?;
/// stream.shutdown().await?; // our direction ends; theirs goes on
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer).await?; // up to the peer's FIN; anything else is an error
/// assert_eq!(answer, "fine");
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// A single read that is dropped has taken nothing, a single write has had nothing accepted. What is made of several,
/// `read_exact`, `write_all` or [`write_chunk`](Stream::write_chunk), may have done a part.
#[derive(Debug)]
pub struct Stream {
    inner: muxado_core::Stream,
}

/// The sending half of a [`Stream`].
///
/// ```
/// use muxado_tokio::Bytes;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (near, _peer) = tokio::io::duplex(4096);
/// # let session = muxado_tokio::Session::client(near);
/// let (mut send, recv) = session.open().await?.into_split();
/// send.write_all(b"copied, ").await?;
/// send.write_chunk(Bytes::from_static(b"not copied")).await?;
/// send.shutdown().await?; // dropped without this, it would reset the stream
/// # drop(recv);
/// # Ok(())
/// # }
/// ```
///
/// # Dropping
/// Dropped before its shutdown, it delivers what was accepted and then resets the whole stream. See
/// [`muxado_core::SendStream`].
#[derive(Debug)]
pub struct SendStream {
    inner: muxado_core::SendStream,
}

/// The receiving half of a [`Stream`].
///
/// ```
/// # use tokio::io::AsyncWriteExt;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, session) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// # let mut hello = client.open().await?;
/// # hello.write_all(b"hello").await?;
/// # hello.shutdown().await?;
/// let (send, mut recv) = session.accept().await?.into_split();
/// let mut total = 0;
/// while let Some(chunk) = recv.read_chunk(usize::MAX).await? {
///     total += chunk.len(); // a `Bytes`: not copied
/// }
/// assert_eq!(total, 5); // the peer's FIN; anything else would have been an error
/// # drop(send);
/// # Ok(())
/// # }
/// ```
///
/// # Dropping
/// The rest of what the peer sends is thrown away; the sending half goes on. See [`muxado_core::RecvStream`].
#[derive(Debug)]
pub struct RecvStream {
    inner: muxado_core::RecvStream,
}

impl Stream {
    pub(crate) fn new(inner: muxado_core::Stream) -> Stream {
        Stream { inner }
    }

    /// The stream with the futures-io traits.
    #[must_use]
    pub fn into_core(self) -> muxado_core::Stream {
        self.inner
    }

    /// The two halves, for two tasks. Costs nothing.
    ///
    /// Dropping the sending half before its shutdown resets the whole stream.
    ///
    /// ```
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut other = client.open().await?;
    /// # other.write_all(b"echo").await?;
    /// # other.shutdown().await?;
    /// let (mut send, mut recv) = server.accept().await?.into_split();
    /// let writing = tokio::spawn(async move {
    ///     send.write_all(b"hello").await?;
    ///     send.shutdown().await
    /// });
    /// let read = tokio::io::copy(&mut recv, &mut tokio::io::sink()).await?;
    /// writing.await??;
    /// # assert_eq!(read, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_split(self) -> (SendStream, RecvStream) {
        let (send, recv) = self.inner.into_split();
        (SendStream { inner: send }, RecvStream { inner: recv })
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.inner.id()
    }

    /// The address of this end of the transport, where it has one.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address of the peer's end of the transport, where it has one.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }

    /// Ends both directions at once with `code`, any but [`ErrorCode::NO_ERROR`], [`ErrorCode::STREAM_REFUSED`] and
    /// [`ErrorCode::ACCEPT_QUEUE_FULL`]. What is queued or unread is dropped. Nothing happens to a stream that both sides
    /// have finished.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.reset(code)
    }

    /// Refuses an accepted stream before it was read or written. The peer learns that it is safe to retry.
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was used, or opened by this side. The stream is dropped all the same.
    pub fn refuse(self) -> Result<(), ResetError> {
        self.inner.refuse()
    }

    /// The next bytes, at most `max` of them and at least one, without a copy; `None` at the peer's FIN.
    ///
    /// A chunk may be a slice of a larger buffer, which lives as long as the chunk does: copy what is kept for long.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        self.inner.read_chunk(max).await
    }

    /// Sends all of `chunk` without a copy: resolves once it is accepted, which says nothing of whether it has arrived.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.inner.write_chunk(chunk).await
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes. See
    /// [`muxado_core::SendStream::consumed`].
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.inner.consumed()
    }

    /// Sets both deadlines: [`set_read_deadline`](Stream::set_read_deadline),
    /// [`set_write_deadline`](Stream::set_write_deadline). Default: none.
    pub fn set_deadline(&self, at: Option<Instant>) {
        self.inner.set_deadline(at);
    }

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed, whether there is something to read or
    /// not; `None`, the default, takes the deadline away. Nothing is lost: with another deadline the stream can be read on.
    /// Whoever waits to read looks again.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.inner.set_read_deadline(at);
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None`, the default, takes the deadline
    /// away. What was accepted before is sent all the same, and with another deadline the stream can be written on.
    /// `shutdown` has no deadline: it does not wait. Whoever waits to write looks again. The clock is tokio's.
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.inner.set_write_deadline(at);
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. See
    /// [`muxado_core::SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.inner.set_priority(priority);
    }
}

impl SendStream {
    /// The half with the futures-io traits.
    #[must_use]
    pub fn into_core(self) -> muxado_core::SendStream {
        self.inner
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.inner.id()
    }

    /// The address of this end of the transport, where it has one.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address of the peer's end of the transport, where it has one.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }

    /// Ends our direction with FIN, without waiting: what `shutdown` does, for where there is no `await`. Doing it again
    /// does nothing.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        self.inner.finish()
    }

    /// Ends both directions at once with `code`, any but [`ErrorCode::NO_ERROR`], [`ErrorCode::STREAM_REFUSED`] and
    /// [`ErrorCode::ACCEPT_QUEUE_FULL`]. What is queued or unread is dropped. Nothing happens to a stream that both sides
    /// have finished.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.reset(code)
    }

    /// Sends all of `chunk` without a copy: resolves once it is accepted, which says nothing of whether it has arrived.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.inner.write_chunk(chunk).await
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes. See
    /// [`muxado_core::SendStream::consumed`].
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.inner.consumed()
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None`, the default, takes the deadline
    /// away. What was accepted before is sent all the same, and with another deadline the stream can be written on.
    /// `shutdown` has no deadline: it does not wait. Whoever waits to write looks again. The clock is tokio's.
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.inner.set_write_deadline(at);
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. See
    /// [`muxado_core::SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.inner.set_priority(priority);
    }
}

impl RecvStream {
    /// The half with the futures-io traits.
    #[must_use]
    pub fn into_core(self) -> muxado_core::RecvStream {
        self.inner
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.inner.id()
    }

    /// The address of this end of the transport, where it has one.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address of the peer's end of the transport, where it has one.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The next bytes, at most `max` of them and at least one, without a copy; `None` at the peer's FIN.
    ///
    /// A chunk may be a slice of a larger buffer, which lives as long as the chunk does: copy what is kept for long.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        self.inner.read_chunk(max).await
    }

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed, whether there is something to read or
    /// not; `None`, the default, takes the deadline away. Nothing is lost: with another deadline the stream can be read on.
    /// Whoever waits to read looks again.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.inner.set_read_deadline(at);
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but [`ErrorCode::NO_ERROR`],
    /// [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`]. The sending half fails too, and what it has queued
    /// is dropped: muxado has no way to stop one direction only.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn stop(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.stop(code)
    }
}

impl From<Stream> for muxado_core::Stream {
    fn from(stream: Stream) -> muxado_core::Stream {
        stream.inner
    }
}

/// A read of 0 bytes into a buffer that is not full means the peer's FIN, and nothing else. The waker of the last read that
/// had to wait is kept.
impl AsyncRead for RecvStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        self.inner
            .poll_read_with(cx, room, |piece| buf.put_slice(piece))
            .map_ok(|_| ())
            .map_err(io::Error::from)
    }
}

/// A read of 0 bytes into a buffer that is not full means the peer's FIN, and nothing else. The waker of the last read that
/// had to wait is kept.
impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let (_, recv) = self.inner.halves();
        recv.poll_read_with(cx, room, |piece| buf.put_slice(piece)).map_ok(|_| ()).map_err(io::Error::from)
    }
}

/// `flush` only makes sure that the peer learns of the stream: data goes out by itself. `shutdown` sends FIN. Neither waits
/// for the peer. The waker of the last write that had to wait is kept.
impl AsyncWrite for SendStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// `flush` only makes sure that the peer learns of the stream: data goes out by itself. `shutdown` sends FIN. Neither waits
/// for the peer. The waker of the last write that had to wait is kept.
impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
