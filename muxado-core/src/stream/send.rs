//! The sending half of a stream.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures_io::AsyncWrite;
use muxado_frame::{ErrorCode, StreamId};

use super::chunk::WriteChunk;
use super::stopped::{self, Stopped};
use crate::error::{ResetError, WriteError};
use crate::proto::{Mux, StreamKey};
use crate::session::pool;
use crate::session::shared::Shared;
use crate::session::trace::StreamTrace;
use crate::session::wakers::{Direction, Watchers};

/// Copies up to this size are made under the lock and gathered, in bytes: shorter than taking it twice.
const COPY_UP_TO: usize = 4096;

/// Copies up to this size get memory of just their size, in bytes, and larger ones a pooled buffer, so that a queue holds
/// no more than five times its bytes.
const EXACT_UP_TO: usize = 8 * 1024;

/// The sending half of a [`Stream`](crate::Stream).
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use futures_util::AsyncWriteExt;
/// use muxado_core::Bytes;
///
/// let (mut send, recv) = client.open().await?.into_split();
/// send.set_priority(1); // before the streams that have 0
/// send.write_all(b"copied, ").await?;
/// send.write_chunk(Bytes::from_static(b"handed over")).await?;
/// send.finish()?; // dropped without this, it would reset the stream
/// # drop(recv);
/// # let mut text = Vec::new();
/// # futures_util::AsyncReadExt::read_to_end(&mut server.accept().await?, &mut text).await?;
/// # assert_eq!(text, b"copied, handed over");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Dropping
/// Dropped unfinished, what was accepted is delivered and then the whole stream is reset: the peer must not take it
/// for the end, and the receiving half fails too. Finish it first if only this direction is to end. While a panic
/// unwinds, the reset goes out at once. If the peer gives the accepted bytes no credit for
/// [`drain_timeout`](crate::ConfigBuilder::drain_timeout), or up to half as long again, they are dropped; waiting for the
/// transport does not count.
#[derive(Debug)]
pub struct SendStream {
    shared: Arc<Shared>,
    key: StreamKey,
    trace: StreamTrace,
}

impl SendStream {
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey) -> SendStream {
        SendStream { shared, key, trace: StreamTrace::default() }
    }

    /// What the other half tells too.
    pub(super) fn hand_out(&mut self) -> StreamTrace {
        self.shared.note(self.key);
        self.trace.begin(&self.shared, self.key);
        self.trace.clone()
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

    /// Sends all of `chunk`, without a copy but of pieces of up to 512 bytes: resolves once all of it is queued, which
    /// does not mean that it has arrived.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use muxado_core::Bytes;
    ///
    /// # let (one, two) = (client.open().await?.into_split(), client.open().await?.into_split());
    /// # let mut subscribers = [one.0, two.0];
    /// let news = Bytes::from("It rains.");
    /// for subscriber in &mut subscribers {
    ///     subscriber.write_chunk(news.clone()).await?; // if it were long, all would send the same memory
    /// }
    /// # for _ in &subscribers {
    /// #     let chunk = server.accept().await?.read_chunk(100).await?;
    /// #     assert_eq!(chunk.unwrap(), news);
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished. Then some of `chunk` may have been sent.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of `chunk` accepted. For exact accounting use
    /// [`poll_write_chunk`](SendStream::poll_write_chunk).
    pub fn write_chunk(&mut self, chunk: Bytes) -> WriteChunk<'_> {
        WriteChunk::new(self, chunk)
    }

    /// Takes as much off the front of `chunk` as there is room for, and says how much that was: 0 only if it is empty.
    ///
    /// While there is no room the waker of the last call is kept, of this or of any other way to write; the one before is
    /// forgotten. It is woken when there is room again, when the stream has failed, and when the deadline is changed or has
    /// passed.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
    ///
    /// # let (mut send, _recv) = client.open().await?.into_split();
    /// # let mut chunk = muxado_core::Bytes::from("hello");
    /// poll_fn(|cx| {
    ///     if let Poll::Ready(stopped) = send.poll_stopped(cx) {
    ///         return Poll::Ready(stopped); // by the peer: there is no use in waiting for room
    ///     }
    ///     while !chunk.is_empty() {
    ///         ready!(send.poll_write_chunk(cx, &mut chunk))?;
    ///     }
    ///     Poll::Ready(Ok(()))
    /// }).await?;
    /// # assert_eq!(server.accept().await?.read_chunk(100).await?.unwrap(), "hello");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished. Nothing was taken then.
    pub fn poll_write_chunk(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Bytes,
    ) -> Poll<Result<usize, WriteError>> {
        if chunk.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = self.poll_room(cx, |mux, key| mux.write_bytes(key, chunk));
        if chunk.is_empty() {
            // It would still hold its memory.
            *chunk = Bytes::new();
        }
        written
    }

    /// Ends our direction: what was accepted goes out, then FIN. Reading goes on. Calling it again does nothing.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// use futures_util::{AsyncReadExt, AsyncWriteExt};
    ///
    /// let (mut writing, mut reading) = client.open().await?.into_split();
    /// writing.write_all(b"ping").await?;
    /// writing.finish()?;
    /// # let mut accepted = server.accept().await?;
    /// # accepted.write_all(b"pong").await?;
    /// # accepted.finish()?;
    /// let mut answer = String::new();
    /// reading.read_to_string(&mut answer).await?; // reading goes on
    /// assert_eq!(answer, "pong");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn finish(&mut self) -> Result<(), WriteError> {
        let finished = self.shared.with(|state| state.mux.finish(self.key));
        self.shared.note(self.key);
        finished
    }

    /// Waits until the peer has reset the stream, or the session is lost: for a server that works on an answer, and
    /// neither reads nor writes, while its client may lose interest.
    ///
    /// Resolves with `Ok` when there is nothing left to stop: both sides have finished the stream, or both of its
    /// halves are dropped. After [`finish`](SendStream::finish) it therefore goes on waiting until the peer has
    /// finished too.
    ///
    /// A peer that loses interest says so with [`reset`](SendStream::reset) or [`stop`](crate::RecvStream::stop). One that has
    /// finished, and then drops what it holds, says nothing until something is sent to it.
    ///
    /// The future borrows nothing: it can be waited for beside work that writes, and in another task. Any number may wait,
    /// and all are told; whoever reads or writes keeps a waker of its own. A stream that nobody waits for costs nothing.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let world = World::new();
    /// # let pair = connected(&world, 4096, &muxado_core::Config::default());
    /// # let (client, server) = (pair.client, pair.server);
    /// # world.block_on(async move {
    /// # use futures_util::{AsyncReadExt, AsyncWriteExt};
    /// use futures_util::future::{Either, select};
    /// use muxado_core::ErrorCode;
    ///
    /// # let mut asking = client.open().await?;
    /// # asking.write_all(b"question").await?;
    /// # asking.close().await?;
    /// let mut asked = server.accept().await?;
    /// asked.read_to_end(&mut Vec::new()).await?; // to the client's FIN
    /// # let mut compute = async || -> std::io::Result<Vec<u8>> {
    /// #     asking.reset(ErrorCode::STREAM_CANCELLED)?;
    /// #     std::future::pending().await
    /// # };
    /// let computing = std::pin::pin!(compute()); // takes its time
    /// match select(computing, asked.stopped()).await {
    ///     Either::Left((answer, _)) => asked.write_all(&answer?).await?,
    ///     Either::Right((stopped, _)) => {
    ///         let error = stopped.unwrap_err(); // the client does not want it any more
    ///         assert_eq!(error.code(), Some(ErrorCode::STREAM_CANCELLED));
    ///     }
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`WriteError`], the one that a write would fail with now if the stream was not finished: it was reset, by either side,
    /// or lost. The write deadline does not count here.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub fn stopped(&self) -> Stopped {
        Stopped::new(self.shared.clone(), self.key)
    }

    /// As [`stopped`](SendStream::stopped), to be polled. For an example see
    /// [`poll_write_chunk`](SendStream::poll_write_chunk).
    ///
    /// The waker of the last call is kept, beside those of the futures of `stopped` and of writes; the one before is
    /// forgotten. Dropping this half forgets it too.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        stopped::poll(&self.shared, self.key, &mut Some(Watchers::HANDLE), cx)
    }

    /// Ends both directions at once with `code`, any but [`ErrorCode::NO_ERROR`], [`ErrorCode::STREAM_REFUSED`] and
    /// [`ErrorCode::ACCEPT_QUEUE_FULL`]. What is queued or unread is dropped. Nothing happens to a stream that both sides
    /// have finished. For an example see [`Stream::reset`](crate::Stream::reset).
    ///
    /// # Errors
    /// [`ResetError`] for a code that must not be sent; the stream goes on then.
    pub fn reset(&mut self, code: ErrorCode) -> Result<(), ResetError> {
        let reset = self.shared.with(|state| state.mux.reset(self.key, code));
        self.shared.note(self.key);
        reset
    }

    pub(super) fn refuse(&self) -> Result<(), ResetError> {
        self.shared.with(|state| state.mux.refuse(self.key))
    }

    pub(super) fn refuse_after_header(&self) -> Result<(), ResetError> {
        self.shared.with(|state| state.mux.refuse_after_header(self.key))
    }

    /// How many of our bytes the peer's application has read or thrown away, in bytes.
    ///
    /// A lower bound, learned from the credit that comes back, so it needs no support from the peer's application. It
    /// may lag by half a window. Once this direction is finished no more credit comes back, so that the last bytes, as many
    /// as its window has grown to, are never confirmed: this is for progress, and a receipt is the peer's to give. Where the
    /// peer's application reads in small pieces, up to 4 KiB of it may still be before it, as in a buffered reader.
    ///
    /// ```
    /// # use muxado_testkit::{World, connected};
    /// # let (world, config) = (World::new(), muxado_core::Config::default());
    /// # let pair = connected(&world, 4096, &config);
    /// # world.block_on(async move {
    /// # let (mut send, _recv) = pair.client.open().await?.into_split();
    /// send.write_chunk(vec![b'x'; 200_000].into()).await?;
    /// # let mut peer = pair.server.accept().await?;
    /// # futures_util::AsyncReadExt::read_exact(&mut peer, &mut vec![0; 200_000]).await?;
    /// # pair.client.drain(std::time::Duration::from_secs(1)).await;
    /// println!("{} of 200000 bytes are read", send.consumed());
    /// # assert!(send.consumed() >= 100_000);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.shared.with(|state| state.mux.consumed(self.key))
    }

    /// Lets the session end without this stream. See [`Stream::set_background`](crate::Stream::set_background).
    pub fn set_background(&self) {
        self.shared.with(|state| state.mux.set_background(self.key));
    }

    /// Streams of a higher priority go first, equals take turns. Default 0. It applies to what goes out next, on this
    /// side alone. As long as there is something of a higher priority to send, streams of a lower one wait.
    pub fn set_priority(&self, priority: i8) {
        self.shared.with(|state| state.mux.set_priority(self.key, priority));
    }

    /// After `at` writing fails with [`WriteError::TimedOut`], at once if `at` has passed; `None`, the default,
    /// removes the deadline. What was accepted before is sent all the same, and with another deadline writing can go
    /// on. Finishing has no deadline: it does not wait. A task that waits to write is woken.
    ///
    /// For an example see [`set_read_deadline`](crate::RecvStream::set_read_deadline).
    pub fn set_write_deadline(&self, at: Option<Instant>) {
        self.shared.set_deadline(self.key, Direction::Write, at);
    }

    /// Does `attempt`, which says how many bytes it found room for, and waits while that is 0.
    ///
    /// A waker must be cloned outside the lock, so that the first time there is no room it is asked twice.
    fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&mut Mux, StreamKey) -> Result<usize, WriteError>,
    ) -> Poll<Result<usize, WriteError>> {
        let mut fresh: Option<Waker> = None;
        loop {
            let (result, waiting) = self.shared.with(|state| {
                let result = match state.deadlines.has_passed(self.key, Direction::Write) {
                    true => Err(WriteError::TimedOut),
                    false => attempt(&mut state.mux, self.key),
                };
                let waiting = matches!(result, Ok(0))
                    && state.wakers.wait(self.key, Direction::Write, cx.waker(), &mut fresh);
                (result, waiting)
            });
            self.shared.note(self.key);
            match result {
                Ok(0) if waiting => return Poll::Pending,
                Ok(0) => fresh = Some(cx.waker().clone()),
                result => return Poll::Ready(result),
            }
        }
    }

    /// Accepts bytes from `bufs`, in order, as many as there is room for.
    fn poll_write_slices(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        len: usize,
    ) -> Poll<Result<usize, WriteError>> {
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        if len <= COPY_UP_TO {
            return self.poll_room(cx, |mux, key| write_each(mux, key, bufs));
        }
        let most = len.min(pool::WRITE.size());
        let mut reserved = 0;
        let room = self.poll_room(cx, |mux, key| {
            let room = mux.reserve(key, most)?;
            match room {
                0 => {}
                // Room may come in crumbs, and a byte must not cost a buffer. What was promised is used as it is: to ask again
                // is to be behind those who stand in line.
                1..=COPY_UP_TO => mux.commit_copy(key, room, first(bufs, room))?,
                _ => reserved = room,
            }
            Ok(room)
        });
        if reserved == 0 {
            return room;
        }
        let chunk = copy(bufs, reserved);
        let committed = self.shared.with(|state| state.mux.commit(self.key, chunk));
        self.shared.note(self.key);
        Poll::Ready(committed.map(|()| reserved))
    }
}

fn write_each(mux: &mut Mux, key: StreamKey, bufs: &[IoSlice<'_>]) -> Result<usize, WriteError> {
    let mut accepted = 0;
    for buf in bufs.iter().filter(|buf| !buf.is_empty()) {
        let room = match mux.write(key, buf) {
            Err(error) if accepted == 0 => return Err(error),
            room => room.unwrap_or(0),
        };
        accepted += room;
        if room < buf.len() {
            break;
        }
    }
    Ok(accepted)
}

/// The first `len` bytes of `bufs`.
fn first<'b>(bufs: &'b [IoSlice<'_>], len: usize) -> impl Iterator<Item = &'b [u8]> {
    let mut left = len;
    bufs.iter().map(move |buf| {
        let piece = &buf[..buf.len().min(left)];
        left -= piece.len();
        piece
    })
}

/// The first `len` bytes of `bufs`, copied once.
fn copy(bufs: &[IoSlice<'_>], len: usize) -> Bytes {
    let pieces = first(bufs, len);
    if len <= EXACT_UP_TO {
        let mut exact = Vec::with_capacity(len);
        pieces.for_each(|piece| exact.extend_from_slice(piece));
        return Bytes::from(exact);
    }
    let pool = if len <= pool::PIECE.size() { &pool::PIECE } else { &pool::WRITE };
    let mut buffer = pool.take();
    let mut at = 0;
    for piece in pieces {
        buffer.bytes()[at..at + piece.len()].copy_from_slice(piece);
        at += piece.len();
    }
    buffer.share(len, None)
}

/// A write is accepted as a whole or in part, and that part is counted, or not at all: cancelling loses nothing.
/// The waker of the last write that found no room is kept, as by [`poll_write_chunk`](SendStream::poll_write_chunk).
/// `flush` only makes sure that the peer learns of the stream: data goes out by itself. It never fails: whoever writes or reads
/// is told of a stream that was lost, and there may be something to read. `close` is [`finish`](SendStream::finish). Neither
/// waits for the peer.
impl AsyncWrite for SendStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_slices(cx, &[IoSlice::new(buf)], buf.len()).map_err(io::Error::from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Slices may overlap, and so be more than there is memory for.
        let len = bufs.iter().map(|buf| buf.len()).fold(0, usize::saturating_add);
        self.poll_write_slices(cx, bufs, len).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // As with a socket. hyper, for one, gives up a connection whose flush fails, and an answer that has come with it.
        let _lost = self.shared.with(|state| state.mux.flush(self.key));
        self.shared.note(self.key);
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.finish().map_err(io::Error::from))
    }
}

impl Drop for SendStream {
    fn drop(&mut self) {
        let unwinding = std::thread::panicking();
        self.trace.sender_leaves(&self.shared, self.key);
        // The wakers are dropped here, outside the lock.
        let _wakers = self.shared.with(|state| {
            if unwinding {
                state.mux.abort(self.key);
            }
            state.mux.release_send(self.key);
            state.deadlines.forget(self.key, Direction::Write);
            let watching = state.wakers.stopped.leave(self.key, Watchers::HANDLE);
            (state.wakers.take(self.key, Direction::Write), watching)
        });
        self.shared.note(self.key);
    }
}
