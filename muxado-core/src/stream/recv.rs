//! The receiving half of a stream.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_io::AsyncRead;
use muxado_frame::{ErrorCode, StreamId};

use super::ahead::{AHEAD, Ahead};
use super::chunk::ReadChunk;
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
/// # Small reads
/// A read of less than 4 KiB takes up to 4 KiB out of the session, if so much came in one piece, so that those that follow
/// need not ask it again. What was taken out counts as read: its credit is returned, and it is not in
/// [`Stats::unread_bytes`](crate::Stats::unread_bytes). While a read deadline is set, and with
/// [`Config::inspection`](crate::Config::inspection), nothing is taken out that was not asked for.
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
    ahead: Ahead,
    pub(super) trace: StreamTrace,
}

impl RecvStream {
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey) -> RecvStream {
        RecvStream { shared, key, ahead: Ahead::default(), trace: StreamTrace::default() }
    }

    /// The stream's id, the same on both sides. A stream that this side opened gets it when its first frame goes out.
    #[must_use]
    pub fn id(&self) -> Option<StreamId> {
        self.shared.with(|state| state.mux.stream_id(self.key))
    }

    /// The address of this end of the transport, where it is known.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.shared.local_addr()
    }

    /// The address of the peer's end of the transport, where it is known.
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
        ReadChunk::new(self, max)
    }

    /// As [`read_chunk`](RecvStream::read_chunk), to be polled.
    ///
    /// While there is nothing to read the waker of the last call is kept, of this or of any other way to read; the one
    /// before is forgotten. It is woken when bytes or FIN have come, when the stream has failed, and when the deadline is
    /// changed or has passed.
    ///
    /// ```
    /// use std::pin::Pin;
    /// use std::task::{Context, Poll};
    ///
    /// use muxado_core::{Bytes, ReadError, RecvStream};
    ///
    /// struct Chunks(RecvStream);
    ///
    /// impl futures_util::Stream for Chunks {
    ///     type Item = Result<Bytes, ReadError>;
    ///
    ///     fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
    ///         self.0.poll_read_chunk(cx, 64 * 1024).map(Result::transpose)
    ///     }
    /// }
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// # let mut asking = client.open().await?;
    /// # asking.write_chunk("hello".into()).await?;
    /// # asking.finish()?;
    /// # let (_send, recv) = server.accept().await?.into_split();
    /// # let read: Vec<Bytes> = futures_util::TryStreamExt::try_collect(Chunks(recv)).await?;
    /// # assert_eq!(read, ["hello"]);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn poll_read_chunk(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
    ) -> Poll<Result<Option<Bytes>, ReadError>> {
        let max = max.max(1);
        if let Some(chunk) = self.ahead.pop(max) {
            return Poll::Ready(Ok(Some(chunk)));
        }
        let mut piece = None;
        self.poll_take::<1>(cx, max, max, &mut [], &mut piece).map_ok(|_| piece.and_then(|[piece]| piece))
    }

    /// Asks the peer to stop sending: resets the whole stream with `code`, any but [`ErrorCode::NO_ERROR`],
    /// [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`]. The sending half fails too, and what it has queued
    /// is dropped: muxado has no way to stop one direction only. What a small read has taken out before can still be read.
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
    /// let error = opened.read(&mut found).await.unwrap_err();
    /// assert_eq!(code_of(&error), Some(ENOUGH));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn stop(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        let reset = self.shared.with(|state| state.mux.reset(self.key, code));
        self.shared.note(self.key);
        reset
    }

    /// After `at` reading fails with [`ReadError::TimedOut`], at once if `at` has passed, whether there is something
    /// to read or not; `None`, the default, removes the deadline. Nothing is lost: with another deadline reading can
    /// go on. A task that waits to read is woken. What a small read has taken out before is read first, whatever the
    /// deadline.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # let runtime = world.clone();
    /// # world.block_on(async move {
    /// use std::time::Duration;
    ///
    /// use muxado_core::ReadError;
    /// use muxado_core::rt::Runtime;
    ///
    /// # let (mut asking, _peer) = (client.open().await?, server);
    /// # asking.finish()?;
    /// # let (_send, mut recv) = asking.into_split();
    /// recv.set_read_deadline(Some(runtime.now() + Duration::from_secs(5)));
    /// assert_eq!(recv.read_chunk(1024).await, Err(ReadError::TimedOut));
    /// recv.set_read_deadline(None); // nothing is lost: from here on it waits for as long as it takes
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn set_read_deadline(&self, at: Option<Instant>) {
        self.shared.set_deadline(self.key, Direction::Read, at);
    }

    /// Passes up to `max` bytes to `take`, in pieces that are not copied unless they are small. Ready with how many
    /// bytes that was: 0 only at the peer's FIN, or if `max` is 0.
    ///
    /// What an adapter needs to fill a buffer of its own kind. `take` is called before this returns, outside the session's
    /// lock, and only if there is something to take. Keeps a waker as [`poll_read_chunk`](RecvStream::poll_read_chunk) does.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use std::future::poll_fn;
    ///
    /// # let mut asking = client.open().await?;
    /// # asking.write_chunk("hello".into()).await?;
    /// # let (_send, mut recv) = server.accept().await?.into_split();
    /// let mut buffer = Vec::with_capacity(1024); // or one of another library
    /// let room = buffer.capacity() - buffer.len();
    /// let read = poll_fn(|cx| recv.poll_read_with(cx, room, |piece| buffer.extend_from_slice(piece))).await?;
    /// assert_eq!((read, &buffer[..]), (5, &b"hello"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
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
        // Most streams never have any: this is asked by each read, and has to cost next to nothing.
        if self.ahead.len() > 0 {
            return Poll::Ready(Ok(self.ahead.give(max, &mut take)));
        }
        // Who looks inside is told what is unread.
        let most = if self.shared.is_inspected() { max } else { max.max(AHEAD) };
        let mut small = [0; SMALL];
        let room = max.min(SMALL);
        let mut pieces: Option<[_; PIECES]> = None;
        if let Found::Small(len) = ready!(self.poll_take(cx, max, most, &mut small[..room], &mut pieces))? {
            take(&small[..len]);
            return Poll::Ready(Ok(len));
        }
        // What is large is copied outside the lock.
        let mut taken = 0;
        for piece in pieces.iter_mut().flatten().map_while(Option::as_mut) {
            if piece.len() > max {
                self.ahead.keep(std::mem::take(piece));
                return Poll::Ready(Ok(self.ahead.give(max, &mut take)));
            }
            take(piece);
            taken += piece.len();
        }
        Poll::Ready(Ok(taken))
    }

    /// Takes out up to `max` bytes, or up to `most` if they are in one piece. Ready with where they are, or with the end.
    ///
    /// A waker must be cloned outside the lock: beforehand if it is likely to be needed, or else the lock is taken twice.
    fn poll_take<const N: usize>(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        most: usize,
        small: &mut [u8],
        pieces: &mut Option<[Option<Bytes>; N]>,
    ) -> Poll<Result<Found, ReadError>> {
        let mut fresh: Option<Waker> = self.shared.was_drained().then(|| cx.waker().clone());
        loop {
            let (found, waiting, left) = self.shared.with(|state| {
                let passed = state.deadlines.passed(self.key, Direction::Read);
                let most = if passed.is_some() { max } else { most };
                let found = match passed {
                    Some(true) => Err(ReadError::TimedOut),
                    _ => take_out(&mut state.mux, self.key, max, most, small, pieces),
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
    /// One piece or more, not copied.
    Pieces,
    End,
    Nothing,
}

/// Copies into `small` one message that is all there is, if it fits there. Or else takes out pieces of `max` bytes together,
/// or one of up to `most`.
fn take_out<const N: usize>(
    mux: &mut Mux,
    key: StreamKey,
    max: usize,
    most: usize,
    small: &mut [u8],
    pieces: &mut Option<[Option<Bytes>; N]>,
) -> Result<Found, ReadError> {
    let len = mux.read_small(key, small);
    if len > 0 {
        return Ok(Found::Small(len));
    }
    let first = match mux.read(key, most)? {
        Read::Chunk(piece) => piece,
        Read::End => return Ok(Found::End),
        Read::Blocked => return Ok(Found::Nothing),
    };
    let mut left = max.saturating_sub(first.len());
    let pieces = pieces.insert([const { None }; N]);
    pieces[0] = Some(first);
    for place in &mut pieces[1..] {
        // What follows the pieces is for the next call.
        let Some(piece) = (left > 0).then(|| mux.read_on(key, left)).flatten() else { break };
        left -= piece.len();
        *place = Some(piece);
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
            state.mux.release_recv_with(self.key, self.ahead.len());
            state.deadlines.forget(self.key, Direction::Read);
            state.wakers.take(self.key, Direction::Read)
        });
        self.shared.note(self.key);
    }
}
