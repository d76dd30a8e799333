//! The receiving half of a stream.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use muxado_core::{Bytes, ErrorCode, ReadError, ResetError, StreamId};
use tokio::io::{AsyncRead, ReadBuf};

use crate::turn::in_turn;

/// The receiving half of a [`Stream`](crate::Stream).
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
    pub(super) inner: muxado_core::RecvStream,
}

impl RecvStream {
    /// The half with the futures-io traits. `From` goes both ways.
    #[must_use]
    pub fn into_core(self) -> muxado_core::RecvStream {
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

    /// The next bytes, at most `max` of them and at least one, without a copy; `None` at the peer's FIN.
    ///
    /// A chunk may be a slice of a larger buffer, which lives as long as the chunk does: copy what is kept for long.
    ///
    /// ```
    /// # use muxado_tokio::Bytes;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let (there, back) = (client.open().await?, server.open().await?);
    /// # let ((mut first, _there), (mut to, _back)) = (there.into_split(), back.into_split());
    /// # first.write_chunk(Bytes::from_static(b"hello")).await?;
    /// # first.finish()?;
    /// # let (_send, mut from) = server.accept().await?.into_split();
    /// // From one stream to another, without a copy between them.
    /// while let Some(chunk) = from.read_chunk(usize::MAX).await? {
    ///     to.write_chunk(chunk).await?;
    /// }
    /// to.finish()?; // the peer's FIN is passed on too
    /// # assert_eq!(client.accept().await?.read_chunk(usize::MAX).await?, Some(Bytes::from_static(b"hello")));
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
        poll_fn(|cx| self.poll_read_chunk(cx, max)).await
    }

    /// As [`read_chunk`](RecvStream::read_chunk), to be polled: what a body of HTTP or a stream of `Bytes` is made of. See
    /// [`muxado_core::RecvStream::poll_read_chunk`] for which waker is kept.
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// # let mut asking = client.open().await?;
    /// # asking.write_chunk("hello".into()).await?;
    /// let (_send, mut recv) = server.accept().await?.into_split();
    /// let chunk = poll_fn(|cx| recv.poll_read_chunk(cx, 64 * 1024)).await?;
    /// assert_eq!(chunk.unwrap(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        in_turn(cx, |cx| self.inner.poll_read_chunk(cx, max))
    }

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed, whether there is something to
    /// read or not; `None`, the default, removes the deadline. Nothing is lost: with another deadline reading can go
    /// on. A task that waits to read is woken. What a small read has taken out before is read first, whatever the
    /// deadline.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused. For an example see
    /// [`Stream::set_read_deadline`](crate::Stream::set_read_deadline).
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.inner.set_read_deadline(at);
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but [`ErrorCode::NO_ERROR`],
    /// [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`]. The sending half fails too, and what it has queued
    /// is dropped: muxado has no way to stop one direction only. What a small read has taken out before can still be read.
    ///
    /// ```
    /// use muxado_tokio::{ErrorCode, code_of};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
    /// const ENOUGH: ErrorCode = ErrorCode::new(1000); // below 256 are the protocol's own
    ///
    /// # let mut opened = client.open().await?;
    /// # opened.write_all(b"found it, and more").await?;
    /// let (_writing, mut reading) = server.accept().await?.into_split();
    /// let mut found = [0; 8];
    /// reading.read_exact(&mut found).await?;
    /// reading.stop(ENOUGH)?;
    ///
    /// // and at the peer's end:
    /// let error = opened.read_u8().await.unwrap_err();
    /// assert_eq!(code_of(&error), Some(ENOUGH));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn stop(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.stop(code)
    }
}

impl From<RecvStream> for muxado_core::RecvStream {
    fn from(half: RecvStream) -> muxado_core::RecvStream {
        half.into_core()
    }
}

impl From<muxado_core::RecvStream> for RecvStream {
    fn from(inner: muxado_core::RecvStream) -> RecvStream {
        RecvStream { inner }
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
        in_turn(cx, |cx| self.inner.poll_read_with(cx, room, |piece| buf.put_slice(piece)))
            .map_ok(|_| ())
            .map_err(io::Error::from)
    }
}
