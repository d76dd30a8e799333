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
/// the end. See [`muxado_core::Stream`] for all of it.
///
/// One task may read and another write; see [`into_split`](Stream::into_split).
#[derive(Debug)]
pub struct Stream {
    inner: muxado_core::Stream,
}

/// The sending half of a [`Stream`]. See [`muxado_core::SendStream`] for what dropping it does.
#[derive(Debug)]
pub struct SendStream {
    inner: muxado_core::SendStream,
}

/// The receiving half of a [`Stream`]. See [`muxado_core::RecvStream`] for what dropping it does.
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

    /// Ends both directions at once with `code`, any but 0, 5 and 9. What is queued or unread is dropped.
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

    /// The next bytes, at most `max` of them, without a copy; `None` at the peer's FIN.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        self.inner.read_chunk(max).await
    }

    /// Sends all of `chunk` without a copy.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.inner.write_chunk(chunk).await
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.inner.consumed()
    }

    /// Both deadlines at once.
    pub fn set_deadline(&self, at: Option<Instant>) {
        self.inner.set_deadline(at);
    }

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed; `None` takes the deadline away.
    /// Nothing is lost: with another deadline the stream can be read on. Whoever waits to read looks again.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.inner.set_read_deadline(at);
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None` takes the deadline away.
    /// What was accepted before is sent all the same, and with another deadline the stream can be written on. `shutdown`
    /// has no deadline: it does not wait. Whoever waits to write looks again.
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.inner.set_write_deadline(at);
    }

    /// Streams of a higher priority go first, equals take turns. The default is 0.
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

    /// The stream's id. A stream that this side opened gets it when its first frame goes out.
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

    /// Ends our direction with FIN, without waiting: what `shutdown` does, for where there is no `await`.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        self.inner.finish()
    }

    /// Ends both directions at once with `code`, any but 0, 5 and 9. What is queued or unread is dropped.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.inner.reset(code)
    }

    /// Sends all of `chunk` without a copy.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or shut down. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted.
    pub async fn write_chunk(&mut self, chunk: Bytes) -> Result<(), WriteError> {
        self.inner.write_chunk(chunk).await
    }

    /// How many of our bytes the peer's application has read or thrown away: a lower bound, in bytes.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.inner.consumed()
    }

    /// After `at` writing fails with the kind `TimedOut`, at once if `at` has passed; `None` takes the deadline away.
    /// What was accepted before is sent all the same, and with another deadline the stream can be written on. `shutdown`
    /// has no deadline: it does not wait. Whoever waits to write looks again.
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.inner.set_write_deadline(at);
    }

    /// Streams of a higher priority go first, equals take turns. The default is 0.
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

    /// The stream's id. A stream that this side opened gets it when its first frame goes out.
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

    /// The next bytes, at most `max` of them, without a copy; `None` at the peer's FIN.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        self.inner.read_chunk(max).await
    }

    /// After `at` reading fails with the kind `TimedOut`, at once if `at` has passed; `None` takes the deadline away.
    /// Nothing is lost: with another deadline the stream can be read on. Whoever waits to read looks again.
    ///
    /// The clock is tokio's: [`tokio::time::Instant::into_std`] tells its time where it is paused.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.inner.set_read_deadline(at);
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but 0, 5 and 9.
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
