//! The stream as applications hold it, whole or in two halves.

mod recv;
mod send;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use muxado_frame::{ErrorCode, StreamId};

pub use recv::{ReadChunk, RecvStream};
pub use send::{SendStream, WriteChunk};

use crate::error::{ReadError, ResetError, WriteError};
use crate::proto::StreamKey;
use crate::session::shared::Shared;

/// One full-duplex byte stream of a session. Reads and writes with the futures-io traits, and with `Bytes` at no copy.
///
/// # Flow control
/// Each direction has a window, 256 KiB by default: so much may be sent and not read by the peer's application. A
/// stream that is not read fills its window and stops there; it stalls nobody else.
///
/// # Ending
/// `close` of the futures-io traits, or [`SendStream::finish`], ends our direction with FIN; reading goes on until the
/// peer's FIN. A read of 0 bytes means FIN and nothing else: a reset, a lost transport or a closed session is an error.
///
/// # Dropping
/// A stream dropped before it was finished still delivers what was accepted, and then resets: the peer sees an error,
/// never a clean end. A finished stream that is dropped with unread bytes resets after its FIN. One that was never
/// used disappears without a trace.
///
/// # Tasks
/// One task may read and another write; a third that polls the same direction takes the place of the first.
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

    /// The two halves, each with its own waker and its own drop behaviour. Costs nothing.
    #[must_use]
    pub fn into_split(self) -> (SendStream, RecvStream) {
        (self.send, self.recv)
    }

    /// The two halves, borrowed.
    pub fn halves(&mut self) -> (&mut SendStream, &mut RecvStream) {
        (&mut self.send, &mut self.recv)
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.send.id()
    }

    /// The address of this end of the transport, where it has one.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.send.local_addr()
    }

    /// The address of the peer's end of the transport, where it has one.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.send.peer_addr()
    }

    /// Ends both directions at once with `code`. What is queued or unread is dropped.
    ///
    /// # Errors
    /// [`ResetError`] for the codes 0, 5 and 9; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        self.send.reset(code)
    }

    /// Refuses an accepted stream before it was read or written. The peer learns that it is safe to retry.
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was used, or opened by this side. The stream is dropped all the same.
    pub fn refuse(self) -> Result<(), ResetError> {
        self.send.refuse()
    }

    /// Refuses an accepted stream of which a header was read, to see whose it is, and which nothing else was done with:
    /// that is the caller's promise, and the peer learns from it that it is safe to retry.
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was written, or opened by this side. The stream is dropped all the same.
    pub fn refuse_after_header(self) -> Result<(), ResetError> {
        self.send.refuse_after_header()
    }

    /// The next bytes, at most `max` of them, without a copy; none at the end. See [`RecvStream::read_chunk`].
    pub fn read_chunk(&mut self, max: usize) -> ReadChunk<'_> {
        self.recv.read_chunk(max)
    }

    /// See [`RecvStream::poll_read_chunk`].
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        self.recv.poll_read_chunk(cx, max)
    }

    /// Sends all of `chunk` without a copy. See [`SendStream::write_chunk`].
    pub fn write_chunk(&mut self, chunk: Bytes) -> WriteChunk<'_> {
        self.send.write_chunk(chunk)
    }

    /// See [`SendStream::poll_write_chunk`].
    pub fn poll_write_chunk(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Bytes,
    ) -> Poll<Result<usize, WriteError>> {
        self.send.poll_write_chunk(cx, chunk)
    }

    /// Ends our direction. See [`SendStream::finish`].
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        self.send.finish()
    }

    /// Bytes that the peer's application has read. See [`SendStream::consumed`].
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.send.consumed()
    }

    /// Both deadlines at once.
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

    /// Streams of a higher priority go first. See [`SendStream::set_priority`].
    pub fn set_priority(&self, priority: i8) {
        self.send.set_priority(priority);
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.recv).poll_read(cx, buf)
    }
}

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
