//! Streams with tokio's I/O traits, whole or in two halves.

mod recv;
mod send;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use muxado_core::{Bytes, ErrorCode, ReadError, ResetError, Stopped, StreamId, WriteError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use recv::RecvStream;
pub use send::SendStream;

/// One full-duplex byte stream of a session, with tokio's [`AsyncRead`] and [`AsyncWrite`].
///
/// A read of 0 bytes means the peer's FIN and nothing else. `shutdown` ends our direction with FIN; reading goes on.
/// It does not wait until the bytes have arrived: a program that is about to exit awaits the session's `drain` or
/// `close`. A stream dropped before its shutdown delivers what was accepted and then resets, so that the peer never
/// takes it for the end. One that is dropped after it, with nothing unread, sends nothing: the peer learns that its
/// answer is not wanted when it writes. To tell it at once, call [`reset`](Stream::reset). See
/// [`muxado_core::Stream`] for all of it.
///
/// One task may read and another write; see [`into_split`](Stream::into_split). If a second task reads, or a second
/// writes, the one before is not woken any more. A task that always finds something to read, or room to write, yields
/// now and then, as with tokio's own sockets: see [`tokio::task::coop`].
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
    // The order matters, as in the core: the sending half is let go first.
    send: SendStream,
    recv: RecvStream,
}

impl Stream {
    /// The stream with the futures-io traits. `From` goes both ways.
    #[must_use]
    pub fn into_core(self) -> muxado_core::Stream {
        muxado_core::Stream::from_halves(self.send.inner, self.recv.inner)
    }

    /// The two halves, for two tasks. Costs nothing.
    ///
    /// Dropping the sending half before its shutdown resets the whole stream.
    ///
    /// ```
    /// use muxado_tokio::Stream;
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
    /// let writing = tokio::spawn(async move { send.write_all(b"hello").await.map(|()| send) });
    /// let read = tokio::io::copy(&mut recv, &mut tokio::io::sink()).await?;
    /// let mut stream = Stream::from_halves(writing.await??, recv); // whole again
    /// stream.shutdown().await?;
    /// # assert_eq!(read, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_split(self) -> (SendStream, RecvStream) {
        (self.send, self.recv)
    }

    /// Two halves as one stream again, as [`into_split`](Stream::into_split) gave them. Costs nothing. That both are
    /// of the same stream is not checked: halves of two streams make one that reads the one and writes the other. For an
    /// example see `into_split`.
    #[must_use]
    pub fn from_halves(send: SendStream, recv: RecvStream) -> Stream {
        Stream { send, recv }
    }

    /// The two halves, borrowed: for reading and writing at once in one task.
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
    /// let mut stream = server.accept().await?;
    /// let (send, recv) = stream.halves();
    /// let mut sink = tokio::io::sink();
    /// let (read, written) = tokio::join!(tokio::io::copy(recv, &mut sink), send.write_all(b"hello"));
    /// written?;
    /// stream.shutdown().await?; // it is whole again
    /// # assert_eq!(read?, 4);
    /// # Ok(())
    /// # }
    /// ```
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
    /// use muxado_tokio::{ErrorCode, code_of};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// const TOO_LONG: ErrorCode = ErrorCode::new(1000); // below 256 are the protocol's own
    ///
    /// # let mut opened = client.open().await?;
    /// # opened.write_all(b"a long request").await?;
    /// let mut stream = server.accept().await?;
    /// stream.reset(TOO_LONG)?;
    ///
    /// // and at the peer's end:
    /// let error = opened.read_u8().await.unwrap_err();
    /// assert_eq!(code_of(&error), Some(TOO_LONG));
    /// # Ok(())
    /// # }
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
    /// use muxado_tokio::Retry;
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut opened = client.open().await?;
    /// # opened.finish()?;
    /// server.accept().await?.refuse()?;
    ///
    /// // and at the peer's end:
    /// let error = opened.read_u8().await.unwrap_err();
    /// assert_eq!(Retry::of(&error), Retry::NotProcessed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was used, or opened by this side. The stream is dropped all the same.
    pub fn refuse(self) -> Result<(), ResetError> {
        self.into_core().refuse()
    }

    /// Refuses an accepted stream of which a header was read, to see whose it is, and which nothing else was done with:
    /// that is the caller's promise, and the peer learns from it that it is safe to retry. For an example see
    /// [`muxado_core::Stream::refuse_after_header`].
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was written or reset, or opened by this side. The stream is dropped all the same.
    pub fn refuse_after_header(self) -> Result<(), ResetError> {
        self.into_core().refuse_after_header()
    }

    /// The next bytes, at most `max` of them and at least one, without a copy; `None` at the peer's FIN.
    ///
    /// A chunk may be a slice of a larger buffer, which lives as long as the chunk does: copy what is kept for long.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut opened = client.open().await?;
    /// # opened.write_chunk(muxado_tokio::Bytes::from_static(b"hello")).await?;
    /// # opened.finish()?;
    /// let mut stream = server.accept().await?;
    /// let mut total = 0;
    /// while let Some(chunk) = stream.read_chunk(usize::MAX).await? {
    ///     total += chunk.len(); // a `Bytes`: not copied
    /// }
    /// assert_eq!(total, 5); // the peer's FIN; anything else would have been an error
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        self.recv.read_chunk(max).await
    }

    /// As [`read_chunk`](Stream::read_chunk), to be polled: what a body of HTTP or a stream of `Bytes` is made of. See
    /// [`RecvStream::poll_read_chunk`].
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

    /// Sends all of `chunk`, without a copy but of pieces of up to 512 bytes: resolves once all of it is queued, which
    /// does not mean that it has arrived.
    ///
    /// ```
    /// use muxado_tokio::Bytes;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let page = Bytes::from_static(b"<p>the same for everybody</p>");
    /// let mut stream = client.open().await?;
    /// stream.write_chunk(page.clone()).await?; // of a longer page the memory is shared, not copied
    /// stream.finish()?;
    /// # let mut read = server.accept().await?;
    /// # assert_eq!(read.read_chunk(usize::MAX).await?, Some(page));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.send.write_chunk(chunk).await
    }

    /// Takes as much off the front of `chunk` as there is room for, and says how much that was: 0 only if it is empty. See
    /// [`SendStream::poll_write_chunk`].
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Nothing was taken then.
    pub fn poll_write_chunk(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Bytes,
    ) -> Poll<Result<usize, WriteError>> {
        self.send.poll_write_chunk(cx, chunk)
    }

    /// Ends our direction with FIN, without waiting: what `shutdown` does, for where there is no `await`. Calling it
    /// again does nothing. For an example see [`SendStream::finish`].
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
    /// use muxado_tokio::{ErrorCode, code_of};
    /// # use tokio::io::AsyncWriteExt;
    /// # async fn compute() {
    /// #     std::future::pending().await
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut opened = client.open().await?;
    /// # opened.write_all(b"a question").await?;
    /// let stream = server.accept().await?;
    /// # opened.reset(ErrorCode::STREAM_CANCELLED)?;
    /// tokio::select! {
    ///     () = compute() => { /* and the answer is written */ }
    ///     stopped = stream.stopped() => {
    ///         // The peer does not want it any more, and the work is dropped.
    ///         assert_eq!(code_of(&stopped.unwrap_err()), Some(ErrorCode::STREAM_CANCELLED));
    ///     }
    /// }
    /// # Ok(())
    /// # }
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

    /// As [`stopped`](Stream::stopped), to be polled. See [`SendStream::poll_stopped`].
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        self.send.poll_stopped(cx)
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes. It is for progress: once
    /// this direction is finished it may stop short of all of them. See [`SendStream::consumed`].
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

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed, whether there is something to
    /// read or not; `None`, the default, removes the deadline. Nothing is lost: with another deadline reading can go
    /// on. A task that waits to read is woken. What a small read has taken out before is read first, whatever the
    /// deadline.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use std::time::{Duration, Instant};
    ///
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let mut stream = client.open().await?;
    /// stream.set_read_deadline(Some(Instant::now() + Duration::from_millis(1)));
    /// let error = stream.read_u8().await.unwrap_err(); // the peer says nothing
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// stream.set_deadline(None); // neither direction has one now: reading may go on
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.recv.set_read_deadline(at);
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None`, the default, removes
    /// the deadline. What was accepted before is sent all the same, and with another deadline writing can go on.
    /// `shutdown` has no deadline: it does not wait. A task that waits to write is woken. The clock is tokio's.
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.send.set_write_deadline(at);
    }

    /// Lets the session end without this stream: a drain does not wait for it, and [`SessionEnd::cut`] does not count it.
    /// It fails with the session then, and what it had accepted may be lost, finished or not. For streams without an end of
    /// their own, whose messages are worth nothing once all others are over: where only such streams are left, the session
    /// ends with its last handle. It applies to this side alone, and cannot be taken back.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (session, _peer) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let news = session.open().await?;
    /// news.set_background();
    /// let end = session.drain(Duration::from_secs(60)).await; // at once
    /// assert!(end.is_clean() && end.cut().is_nothing());
    /// # drop(news);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`SessionEnd::cut`]: crate::SessionEnd::cut
    pub fn set_background(&self) {
        self.send.set_background();
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. See
    /// [`SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.send.set_priority(priority);
    }
}

impl From<Stream> for muxado_core::Stream {
    fn from(stream: Stream) -> muxado_core::Stream {
        stream.into_core()
    }
}

impl From<muxado_core::Stream> for Stream {
    fn from(inner: muxado_core::Stream) -> Stream {
        let (send, recv) = inner.into_split();
        Stream { send: send.into(), recv: recv.into() }
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
        Pin::new(&mut self.recv).poll_read(cx, buf)
    }
}

/// `flush` only makes sure that the peer learns of the stream: data goes out by itself. It never fails: whoever writes or reads
/// is told of a stream that was lost, and there may be something to read. `shutdown` sends FIN. Neither waits for the peer. The
/// waker of the last write that had to wait is kept.
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

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.send).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.send).poll_shutdown(cx)
    }
}
