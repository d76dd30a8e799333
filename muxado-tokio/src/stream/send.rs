//! The sending half of a stream.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_io::AsyncWrite as _;
use muxado_core::{Bytes, ErrorCode, ResetError, Stopped, StreamId, WriteError};
use tokio::io::AsyncWrite;
use tokio::task::coop::cooperative;

use crate::turn::in_turn;

/// The sending half of a [`Stream`](crate::Stream).
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
/// send.set_priority(1); // before the streams that have 0
/// send.write_all(b"copied, ").await?;
/// send.write_chunk(Bytes::from_static(b"handed over")).await?;
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
    pub(super) inner: muxado_core::SendStream,
}

impl SendStream {
    /// The half with the futures-io traits. `From` goes both ways.
    #[must_use]
    pub fn into_core(self) -> muxado_core::SendStream {
        self.inner
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.inner.id()
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

    /// Ends our direction with FIN, without waiting: what `shutdown` does, for where there is no `await`. Calling it
    /// again does nothing.
    ///
    /// ```
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let (mut writing, mut reading) = client.open().await?.into_split();
    /// writing.write_all(b"ping").await?;
    /// writing.finish()?;
    /// # let mut accepted = server.accept().await?;
    /// # accepted.write_all(b"pong").await?;
    /// # accepted.finish()?;
    /// let mut answer = String::new();
    /// reading.read_to_string(&mut answer).await?; // reading goes on
    /// assert_eq!(answer, "pong");
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// use muxado_tokio::ErrorCode;
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, _server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// const GIVEN_UP: ErrorCode = ErrorCode::new(1000); // below 256 are the protocol's own
    ///
    /// let (mut writing, mut reading) = client.open().await?.into_split();
    /// writing.write_all(b"half of an answer").await?;
    /// writing.reset(GIVEN_UP)?;
    /// assert!(reading.read_u8().await.is_err()); // both directions are over
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.reset(code)
    }

    /// Sends all of `chunk`, without a copy but of pieces of up to 512 bytes: resolves once all of it is queued, which
    /// does not mean that it has arrived.
    ///
    /// ```
    /// use muxado_tokio::Bytes;
    /// # fn compute() -> Vec<u8> {
    /// #     vec![7; 1000]
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// let (mut send, recv) = client.open().await?.into_split();
    /// let report: Vec<u8> = compute();
    /// send.write_chunk(Bytes::from(report)).await?; // its memory is handed over
    /// send.finish()?;
    /// # assert_eq!(server.accept().await?.read_chunk(usize::MAX).await?, Some(compute().into()));
    /// # drop(recv);
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
        cooperative(self.inner.write_chunk(chunk)).await
    }

    /// Takes as much off the front of `chunk` as there is room for, and says how much that was: 0 only if it is empty. See
    /// [`muxado_core::SendStream::poll_write_chunk`] for which waker is kept.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let (mut send, _recv) = client.open().await?.into_split();
    /// # let mut chunk = muxado_tokio::Bytes::from("hello");
    /// poll_fn(|cx| {
    ///     if let Poll::Ready(stopped) = send.poll_stopped(cx) {
    ///         return Poll::Ready(stopped); // by the peer: there is no use in waiting for room
    ///     }
    ///     while !chunk.is_empty() {
    ///         ready!(send.poll_write_chunk(cx, &mut chunk))?;
    ///     }
    ///     Poll::Ready(Ok(()))
    /// })
    /// .await?;
    /// # assert_eq!(server.accept().await?.read_chunk(100).await?.unwrap(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Nothing was taken then.
    pub fn poll_write_chunk(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Bytes,
    ) -> Poll<Result<usize, WriteError>> {
        in_turn(cx, |cx| self.inner.poll_write_chunk(cx, chunk))
    }

    /// Waits until the peer has reset the stream, or the session is lost: for a server that works on an answer, and
    /// neither reads nor writes, while its client may lose interest.
    ///
    /// Resolves with `Ok` when there is nothing left to stop: both sides have finished the stream, or both of its
    /// halves are dropped. After the shutdown it therefore goes on waiting until the peer has shut down too.
    ///
    /// A peer that loses interest says so with [`reset`](SendStream::reset) or [`stop`](crate::RecvStream::stop). One that has shut
    /// down, and then drops what it holds, says nothing until something is sent to it.
    ///
    /// The future borrows nothing: it can be waited for beside work that writes, and in another task. Any number may wait,
    /// and all are told; whoever reads or writes keeps a waker of its own.
    ///
    /// ```
    /// use muxado_tokio::{ErrorCode, Stream};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # async fn compute(_: &str, _: &mut muxado_tokio::SendStream) -> std::io::Result<()> { std::future::pending().await }
    /// async fn answer(stream: Stream) -> std::io::Result<()> {
    ///     let (mut send, mut recv) = stream.into_split();
    ///     let mut request = String::new();
    ///     recv.read_to_string(&mut request).await?;
    ///     let stopped = send.stopped(); // before `send` is borrowed by the work
    ///     tokio::select! {
    ///         done = compute(&request, &mut send) => done?, // takes its time, and writes now and then
    ///         stopped = stopped => stopped?, // the client does not want it any more
    ///     }
    ///     send.shutdown().await
    /// }
    /// #
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut asking = client.open().await?;
    /// # asking.shutdown().await?;
    /// # let answering = tokio::spawn(answer(server.accept().await?));
    /// # tokio::task::yield_now().await;
    /// # asking.reset(ErrorCode::STREAM_CANCELLED)?;
    /// # let error = answering.await?.unwrap_err();
    /// # assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`WriteError`], the one that a write would fail with now if the stream was not finished: it was reset, by either side,
    /// or lost. The write deadline does not count here.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn stopped(&self) -> Stopped {
        self.inner.stopped()
    }

    /// As [`stopped`](SendStream::stopped), to be polled. See [`muxado_core::SendStream::poll_stopped`] for which waker is
    /// kept, and [`poll_write_chunk`](SendStream::poll_write_chunk) for an example.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        self.inner.poll_stopped(cx)
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes. It is for progress: once
    /// this direction is finished it may stop short of all of them. See [`muxado_core::SendStream::consumed`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let (mut send, _recv) = client.open().await?.into_split();
    /// send.write_chunk(vec![b'x'; 200_000].into()).await?;
    /// # let mut peer = server.accept().await?;
    /// # tokio::io::AsyncReadExt::read_exact(&mut peer, &mut vec![0; 200_000]).await?;
    /// # while send.consumed() < 100_000 {
    /// #     tokio::task::yield_now().await;
    /// # }
    /// println!("{} of 200000 bytes are read", send.consumed());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.inner.consumed()
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None`, the default, removes
    /// the deadline. What was accepted before is sent all the same, and with another deadline writing can go on.
    /// `shutdown` has no deadline: it does not wait. A task that waits to write is woken. The clock is tokio's.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use muxado_tokio::WriteError;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let (mut send, _recv) = client.open().await?.into_split();
    /// send.set_write_deadline(Some(Instant::now() + Duration::from_millis(1)));
    /// let error = send.write_chunk(vec![b'x'; 10_000_000].into()).await.unwrap_err(); // nobody reads
    /// assert_eq!(error, WriteError::TimedOut);
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.inner.set_write_deadline(at);
    }

    /// Lets the session end without this stream. See [`Stream::set_background`](crate::Stream::set_background).
    pub fn set_background(&self) {
        self.inner.set_background();
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. See
    /// [`muxado_core::SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.inner.set_priority(priority);
    }
}

impl From<SendStream> for muxado_core::SendStream {
    fn from(half: SendStream) -> muxado_core::SendStream {
        half.into_core()
    }
}

impl From<muxado_core::SendStream> for SendStream {
    fn from(inner: muxado_core::SendStream) -> SendStream {
        SendStream { inner }
    }
}

/// `flush` only makes sure that the peer learns of the stream: data goes out by itself. It never fails: whoever writes or reads
/// is told of a stream that was lost, and there may be something to read. `shutdown` sends FIN. Neither waits for the peer. The
/// waker of the last write that had to wait is kept.
impl AsyncWrite for SendStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        in_turn(cx, |cx| Pin::new(&mut self.inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        in_turn(cx, |cx| Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))
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
