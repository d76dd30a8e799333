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
use crate::proto::{Mux, Read, StreamKey};
use crate::session::shared::Shared;
use crate::session::trace::StreamTrace;
use crate::session::wakers::Direction;

/// Pieces taken under one lock.
const PIECES: usize = 8;

/// So many bytes are copied under the lock: shorter than to take their memory away.
const SMALL: usize = 256;

/// The receiving half of a [`Stream`](crate::Stream).
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// # let mut send = client.open().await?;
/// # futures_util::AsyncWriteExt::write_all(&mut send, b"hello").await?;
/// # send.finish()?;
/// let (send, mut recv) = server.accept().await?.into_split();
/// let mut total = 0;
/// while let Some(chunk) = recv.read_chunk(usize::MAX).await? {
///     total += chunk.len(); // a `Bytes`: not copied
/// }
/// assert_eq!(total, 5); // the peer's FIN; anything else would have been an error
/// # drop(send);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// The rest of what the peer sends is thrown away and its credit returned, so that the peer never blocks on it, while
/// the sending half goes on. To make the peer stop, call [`stop`](RecvStream::stop). Dropped with unread bytes when
/// our direction was finished already, the stream is reset after its FIN; with none, more bytes of the peer's are answered
/// with a reset.
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
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// # let mut send = client.open().await?;
    /// # send.write_chunk("hello".into()).await?;
    /// # send.finish()?;
    /// # let (send, mut recv) = server.accept().await?.into_split();
    /// # let mut file = Vec::new();
    /// use std::io::Write;
    ///
    /// while let Some(chunk) = recv.read_chunk(64 * 1024).await? {
    ///     file.write_all(&chunk)?; // no buffer in between
    /// }
    /// // The peer's FIN: the file is complete.
    /// # assert_eq!(file, b"hello");
    /// # drop(send);
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
        ReadChunk { stream: self, max }
    }

    /// As [`read_chunk`](RecvStream::read_chunk), to be polled.
    ///
    /// While there is nothing to read the waker of the last call is kept, of this or of any other way to read; the one
    /// before is forgotten. It is woken when bytes or FIN have come, when the stream has failed, and when the deadline is
    /// changed or has passed.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        let mut piece = None;
        self.poll_take::<1>(cx, max.max(1), &mut [], &mut piece).map_ok(|_| piece.map(|[piece]| piece))
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but [`ErrorCode::NO_ERROR`],
    /// [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`]. The sending half fails too, and what it has queued
    /// is dropped: muxado has no way to stop one direction only.
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn stop(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        let reset = self.shared.with(|state| state.mux.reset(self.key, code));
        self.shared.note(self.key);
        reset
    }

    /// After `at` reading fails with [`ReadError::TimedOut`], at once if `at` has passed, whether there is something to
    /// read or not; `None`, the default, takes the deadline away. Nothing is lost: with another deadline the stream can be
    /// read on. Whoever waits to read looks again.
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.shared.set_deadline(self.key, Direction::Read, at);
    }

    /// Gives up to `max` bytes to `take`, in pieces, without a copy of ours unless they are few. Ready with how many bytes that was: 0 only
    /// at the peer's FIN, or if `max` is 0.
    ///
    /// What an adapter needs to fill a buffer of its own kind. `take` is called before this returns, outside the session's
    /// lock, and only if there is something to take. Keeps a waker as [`poll_read_chunk`](RecvStream::poll_read_chunk) does.
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
        let mut small = [0; SMALL];
        let mut pieces: Option<[Bytes; PIECES]> = None;
        let room = max.min(SMALL);
        // What is large is copied outside the lock.
        self.poll_take(cx, max, &mut small[..room], &mut pieces).map_ok(|found| {
            let small = match found {
                Found::Small(len) => &small[..len],
                _ => &[],
            };
            let pieces = pieces.iter().flatten().map(AsRef::as_ref);
            let all = std::iter::once(small).chain(pieces).filter(|piece| !piece.is_empty());
            all.map(|piece| {
                take(piece);
                piece.len()
            })
            .sum()
        })
    }

    /// Takes out up to `max` bytes. Ready with where they are, or with the end.
    ///
    /// A waker must be cloned outside the lock: beforehand if it is likely to be needed, or else the lock is taken twice.
    fn poll_take<const N: usize>(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        small: &mut [u8],
        pieces: &mut Option<[Bytes; N]>,
    ) -> Poll<Result<Found, ReadError>> {
        let mut fresh: Option<Waker> = self.shared.was_drained().then(|| cx.waker().clone());
        loop {
            let (found, waiting, left) = self.shared.with(|state| {
                let found = match state.deadlines.has_passed(self.key, Direction::Read) {
                    true => Err(ReadError::TimedOut),
                    false => take_out(&mut state.mux, self.key, max, small, pieces),
                };
                let waiting = matches!(found, Ok(Found::Nothing))
                    && state.wakers.wait(self.key, Direction::Read, cx.waker(), &mut fresh);
                (found, waiting, state.mux.unread())
            });
            if left == 0 && matches!(found, Ok(Found::Small(_) | Found::Pieces)) {
                self.shared.note_drained();
            }
            self.shared.note_read(self.key);
            match found {
                Ok(Found::Nothing) if waiting => return Poll::Pending,
                Ok(Found::Nothing) => fresh = Some(cx.waker().clone()),
                found => return Poll::Ready(found),
            }
        }
    }
}

/// What one look at the stream found.
enum Found {
    /// So many bytes, copied.
    Small(usize),
    /// Pieces; those that are empty do not count.
    Pieces,
    End,
    Nothing,
}

/// Copies into `small` what fits there: `max` bytes, or one message that is all there is. Or else takes out pieces of `max`
/// bytes together.
fn take_out<const N: usize>(
    mux: &mut Mux,
    key: StreamKey,
    max: usize,
    small: &mut [u8],
    pieces: &mut Option<[Bytes; N]>,
) -> Result<Found, ReadError> {
    let len = mux.read_small(key, max, small);
    if len > 0 {
        return Ok(Found::Small(len));
    }
    let first = match mux.read(key, max)? {
        Read::Chunk(piece) => piece,
        Read::End => return Ok(Found::End),
        Read::Blocked => return Ok(Found::Nothing),
    };
    let mut left = max - first.len();
    let pieces = pieces.insert([const { Bytes::new() }; N]);
    pieces[0] = first;
    for place in &mut pieces[1..] {
        // What follows the pieces is for the next call.
        let Some(piece) = (left > 0).then(|| mux.read_on(key, left)).flatten() else { break };
        left -= piece.len();
        *place = piece;
    }
    Ok(Found::Pieces)
}

/// A read of 0 bytes into a buffer that is not empty means the peer's FIN, and nothing else. A read that is cancelled has
/// taken nothing. Keeps a waker as [`poll_read_chunk`](RecvStream::poll_read_chunk) does.
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

/// The future of [`RecvStream::read_chunk`]. *Dropping* it loses nothing.
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
