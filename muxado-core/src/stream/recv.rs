//! The receiving half of a stream.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures_io::AsyncRead;
use muxado_frame::{ErrorCode, StreamId};

use crate::error::{ReadError, ResetError};
use crate::proto::{Read, StreamKey};
use crate::session::shared::Shared;
use crate::session::trace::StreamTrace;
use crate::session::wakers::Direction;

/// Pieces taken under one lock.
const PIECES: usize = 8;

/// The receiving half of a [`Stream`](crate::Stream).
///
/// # Dropping
/// The rest of what the peer sends is thrown away and its credit returned, so that the peer never blocks on it, while
/// the sending half goes on. To make the peer stop, call [`stop`](RecvStream::stop). Dropped with unread bytes when
/// our direction was finished already, the stream is reset after its FIN.
#[derive(Debug)]
pub struct RecvStream {
    shared: Arc<Shared>,
    key: StreamKey,
    pub(super) trace: StreamTrace,
}

impl RecvStream {
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey) -> RecvStream {
        RecvStream { shared, key, trace: StreamTrace::default() }
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.shared.with(|state| state.mux.stream_id(self.key))
    }

    /// The address of this end of the transport, where it has one.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.shared.local_addr()
    }

    /// The address of the peer's end of the transport, where it has one.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.shared.peer_addr()
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
    pub fn read_chunk(&mut self, max: usize) -> ReadChunk<'_> {
        ReadChunk { stream: self, max }
    }

    /// As [`read_chunk`](RecvStream::read_chunk).
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        let mut pieces = [Bytes::new()];
        let read = self.poll_pieces(cx, max, &mut pieces);
        let [piece] = pieces;
        read.map_ok(|count| (count > 0).then_some(piece))
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but 0, 5 and 9. The sending half fails
    /// too, and what it has queued is dropped: muxado has no way to stop one direction only.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn stop(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        let reset = self.shared.with(|state| state.mux.reset(self.key, code));
        self.shared.note(self.key);
        reset
    }

    /// After `at` reading fails with [`ReadError::TimedOut`], at once if `at` has passed, whether there is something to
    /// read or not; `None` takes the deadline away. Nothing is lost: with another deadline the stream can be read on.
    /// Whoever waits to read looks again.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.shared.set_deadline(self.key, Direction::Read, at);
    }

    /// Gives up to `max` bytes to `take`, in pieces, without a copy of ours. Ready with how many bytes that was: 0 only
    /// at the peer's FIN, or if `max` is 0.
    ///
    /// What an adapter needs to fill a buffer of its own kind.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_with(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<Result<usize, ReadError>> {
        if max == 0 {
            return Poll::Ready(Ok(0));
        }
        let mut pieces = [const { Bytes::new() }; PIECES];
        let mut total = 0;
        // The copies are made outside the lock.
        match self.poll_pieces(cx, max, &mut pieces) {
            Poll::Ready(Ok(count)) => {
                for piece in &pieces[..count] {
                    take(piece);
                    total += piece.len();
                }
                Poll::Ready(Ok(total))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Takes out pieces of at most `max` bytes together. Ready with their number: 0 only at the end.
    ///
    /// A waker must be cloned outside the lock: beforehand if it is likely to be needed, or else the lock is taken twice.
    fn poll_pieces(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        pieces: &mut [Bytes],
    ) -> Poll<Result<usize, ReadError>> {
        let mut fresh: Option<Waker> = self.shared.was_drained().then(|| cx.waker().clone());
        loop {
            let mut drained = false;
            let step = self.shared.with(|state| {
                if state.deadlines.has_passed(self.key, Direction::Read) {
                    return Step::Ready(Err(ReadError::TimedOut));
                }
                let mut left = max.max(1);
                for (count, place) in pieces.iter_mut().enumerate() {
                    match state.mux.read(self.key, left) {
                        Ok(Read::Chunk(piece)) => {
                            left -= piece.len();
                            *place = piece;
                            drained = state.mux.unread() == 0;
                            if left == 0 {
                                return Step::Ready(Ok(count + 1));
                            }
                        }
                        // What follows the pieces is for the next call.
                        _ if count > 0 => return Step::Ready(Ok(count)),
                        Ok(Read::End) => return Step::Ready(Ok(0)),
                        Err(error) => return Step::Ready(Err(error)),
                        Ok(Read::Blocked) => {
                            let wakers = &mut state.wakers;
                            let waiting = wakers.wait(self.key, Direction::Read, cx.waker(), &mut fresh);
                            return if waiting { Step::Waiting } else { Step::NeedsWaker };
                        }
                    }
                }
                Step::Ready(Ok(pieces.len()))
            });
            if drained {
                self.shared.note_drained();
            }
            self.shared.note_read(self.key);
            match step {
                Step::Ready(result) => return Poll::Ready(result),
                Step::Waiting => return Poll::Pending,
                Step::NeedsWaker => fresh = Some(cx.waker().clone()),
            }
        }
    }
}

/// What one look at the stream came to.
enum Step {
    Ready(Result<usize, ReadError>),
    Waiting,
    /// A waker must be cloned, and not under the lock.
    NeedsWaker,
}

/// A read of 0 bytes into a buffer that is not empty means the peer's FIN, and nothing else.
impl AsyncRead for RecvStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut at = 0;
        let max = buf.len();
        self.poll_read_with(cx, max, |piece| {
            buf[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        })
        .map_err(io::Error::from)
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        self.trace.receiver_leaves(&self.shared, self.key);
        // The waker is dropped here, outside the lock.
        let _waker = self.shared.with(|state| {
            state.mux.release_recv(self.key);
            state.deadlines.forget(self.key, Direction::Read);
            state.wakers.take(self.key, Direction::Read)
        });
        self.shared.note(self.key);
    }
}

/// The future of [`RecvStream::read_chunk`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ReadChunk<'a> {
    stream: &'a mut RecvStream,
    max: usize,
}

impl Future for ReadChunk<'_> {
    type Output = Result<Option<Bytes>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let max = self.max;
        self.stream.poll_read_chunk(cx, max)
    }
}
