//! What the application wants: open, accept, write, read, finish, reset, let go, drain, close.

use bytes::{Buf, Bytes};
use muxado_frame::ErrorCode;

use super::mux::Mux;
use super::pieces::Pieces;
use super::shutdown::Phase;
use super::spare::{self, Spare};
use super::state::{RecvState, SendState};
use super::stats::count;
use super::stream::{Opener, Standing, Stream, StreamKey};
use crate::error::{AcceptError, Failure, Initiator, OpenError, ReadError, Reset, ResetError, WriteError};

/// What a read gave.
///
/// ```
/// # use muxado_core::{ReadError, proto::{Mux, StreamKey}};
/// use muxado_core::proto::Read;
///
/// /// Whether all of the stream is in `text` now.
/// fn read_on(mux: &mut Mux, stream: StreamKey, text: &mut Vec<u8>) -> Result<bool, ReadError> {
///     loop {
///         match mux.read(stream, 64 * 1024)? {
///             Read::Chunk(chunk) => text.extend_from_slice(&chunk),
///             Read::End => return Ok(true),
///             _ => return Ok(false), // blocked
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Read {
    /// The next bytes, never empty.
    Chunk(Bytes),
    /// The peer's FIN: there are no more bytes, and none are missing.
    End,
    /// Nothing yet. [`Event::Readable`](super::Event::Readable) will tell.
    Blocked,
}

impl Mux {
    /// Opens a stream. Nothing is sent: the SYN rides on the first data, or goes out alone with the first
    /// [`flush`](Mux::flush), [`read`](Mux::read) or [`finish`](Mux::finish).
    ///
    /// # Errors
    /// [`OpenError::Busy`] if there is no free place; [`Event::PlaceFree`](super::Event::PlaceFree) will tell. Every other
    /// [`OpenError`] is for good: the session takes no more streams, or has ended.
    pub fn open(&mut self) -> Result<StreamKey, OpenError> {
        if let Some(end) = self.end() {
            return Err(OpenError::Session(end));
        }
        if let Some(peer) = &self.shutdown.peer {
            return Err(OpenError::GoneAway(peer.end()));
        }
        if self.shutdown.phase != Phase::Open {
            return Err(OpenError::Draining);
        }
        if !self.streams.has_id_left() {
            return Err(OpenError::StreamsExhausted);
        }
        if self.streams.outbound >= self.config.max_outbound_streams() {
            self.open_waiting = true;
            return Err(OpenError::Busy);
        }
        let key = self.streams.open(self.config.window()).ok_or(OpenError::StreamsExhausted)?;
        count(&mut self.stats.opened);
        Ok(key)
    }

    /// The next stream the peer has opened, or none yet: [`Event::Incoming`](super::Event::Incoming) will tell.
    ///
    /// ```
    /// # use muxado_core::Config;
    /// # use muxado_testkit::Pair;
    /// use muxado_core::proto::Event;
    ///
    /// # let mut pair = Pair::new(&Config::default());
    /// # let server = &mut pair.server.mux;
    /// assert!(server.accept()?.is_none()); // an event will tell
    /// # for _ in 0..2 {
    /// #     let stream = pair.client.mux.open()?;
    /// #     pair.client.mux.flush(stream)?;
    /// # }
    /// # pair.run();
    /// # let server = &mut pair.server.mux;
    ///
    /// // Later:
    /// assert_eq!(server.poll_event(), Some(Event::Incoming)); // one, however many have come
    /// let mut streams = Vec::new();
    /// while let Some(stream) = server.accept()? {
    ///     streams.push(stream);
    /// }
    /// # assert_eq!(streams.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AcceptError`] once the session has ended, but first the streams that were waiting by then, with what had come
    /// of them (S83). Those that were waiting when this side closed are refused and never given.
    pub fn accept(&mut self) -> Result<Option<StreamKey>, AcceptError> {
        if let Some(key) = self.streams.next_accepted() {
            count(&mut self.stats.accepted);
            return Ok(Some(key));
        }
        if let Some(end) = self.end() {
            return Err(AcceptError { end });
        }
        self.accept_waiting = true;
        Ok(None)
    }

    /// Queues a copy of as much of `bytes` as there is room for, and says how much that was. 0 means none:
    /// [`Event::Writable`](super::Event::Writable) will tell. An empty write does nothing (W14).
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished.
    pub fn write(&mut self, key: StreamKey, bytes: &[u8]) -> Result<usize, WriteError> {
        let len = self.room(key, bytes.len())?;
        self.queue(key, len, |queue, spare| queue.push_copy(bytes.get(..len).unwrap_or(bytes), spare));
        Ok(len)
    }

    /// As [`write`](Mux::write), without a copy if it is more than 512 bytes: takes what there is room for off the front of
    /// `bytes`.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished.
    pub fn write_bytes(&mut self, key: StreamKey, bytes: &mut Bytes) -> Result<usize, WriteError> {
        let len = self.room(key, bytes.len())?;
        let len = len.min(bytes.len());
        // A place of its own in the queue is worth it for more than this, and keeps memory in a stream that rests.
        if len > spare::MOST {
            let piece = bytes.split_to(len);
            self.queue(key, len, |queue, _| queue.push(piece));
        } else {
            self.queue(key, len, |queue, spare| queue.push_copy(bytes.get(..len).unwrap_or(bytes), spare));
            bytes.advance(len);
        }
        Ok(len)
    }

    /// Promises room for up to `max` bytes, which [`commit`](Mux::commit) then fills: so a caller can copy without
    /// holding the machine. 0 means none: [`Event::Writable`](super::Event::Writable) will tell.
    ///
    /// ```
    /// # use muxado_core::{Config, Side, proto::Mux};
    /// # let mut mux = Mux::new(Side::Client, &Config::default());
    /// # let stream = mux.open()?;
    /// let text = b"as much as there is room for";
    /// let room = mux.reserve(stream, text.len())?;
    /// let copy = text[..room].to_vec(); // a lock around the machine need not be held here
    /// mux.commit(stream, copy.into())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished.
    pub fn reserve(&mut self, key: StreamKey, max: usize) -> Result<usize, WriteError> {
        let len = self.room(key, max)?;
        if let Some(stream) = self.streams.get_mut(key) {
            stream.send.reserved = stream.send.reserved.saturating_add(len);
            self.reserved = self.reserved.saturating_add(len);
        }
        Ok(len)
    }

    /// Queues exactly what was promised by the last [`reserve`](Mux::reserve), without a copy.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset, lost or finished in between. The bytes are not sent then.
    pub fn commit(&mut self, key: StreamKey, bytes: Bytes) -> Result<(), WriteError> {
        self.redeem(key)?;
        let len = bytes.len();
        self.queue(key, len, |queue, _| queue.push(bytes));
        Ok(())
    }

    /// As [`commit`](Mux::commit), with a copy of `pieces`, `len` bytes together: for a promise that is too small to be worth a
    /// buffer of its own.
    pub(crate) fn commit_copy<'p>(
        &mut self,
        key: StreamKey,
        len: usize,
        pieces: impl Iterator<Item = &'p [u8]>,
    ) -> Result<(), WriteError> {
        self.redeem(key)?;
        self.queue(key, len, |queue, spare| pieces.for_each(|piece| queue.push_copy(piece, spare)));
        Ok(())
    }

    fn redeem(&mut self, key: StreamKey) -> Result<(), WriteError> {
        let Some(stream) = self.streams.get_mut(key) else { return Err(WriteError::Finished) };
        self.reserved = self.reserved.saturating_sub(std::mem::take(&mut stream.send.reserved));
        self.wake_line();
        self.writable(key)
    }

    fn queue(&mut self, key: StreamKey, len: usize, push: impl FnOnce(&mut Pieces, &mut Spare)) {
        if len == 0 {
            return;
        }
        if let Some(stream) = self.streams.get_mut(key) {
            stream.send.was_used = true;
            push(&mut stream.send.queue, &mut self.write_spare);
        }
        self.settle(key);
    }

    /// Sends the SYN of a fresh stream even though there is no data to carry it. Data needs no flush: it goes out
    /// as soon as the transport takes it.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost.
    pub fn flush(&mut self, key: StreamKey) -> Result<(), WriteError> {
        match self.writable(key) {
            Ok(()) => self.announce(key),
            Err(WriteError::Finished) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn announce(&mut self, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(key) {
            if stream.id.is_none() {
                stream.send.wants_syn = true;
                self.settle(key);
            }
        }
    }

    /// The next bytes of a stream, at most `max` of them and at least one.
    ///
    /// # Errors
    /// [`ReadError`] if the stream was reset or lost before its end, once everything that came before is read.
    pub fn read(&mut self, key: StreamKey, max: usize) -> Result<Read, ReadError> {
        let Some(stream) = self.streams.get_mut(key) else { return Err(let_go()) };
        stream.recv.was_used = true;
        if let Some(chunk) = take_unread(stream, max.max(1)) {
            self.note_consumed(key, chunk.len());
            return Ok(Read::Chunk(chunk));
        }
        match (stream.recv.state, &stream.failure) {
            (RecvState::Finished, _) => Ok(Read::End),
            (RecvState::Dead, Some(failure)) => Err(failure.clone().into()),
            (RecvState::Open, _) => {
                stream.recv.waiting = true;
                self.announce(key);
                Ok(Read::Blocked)
            }
            _ => Err(let_go()),
        }
    }

    /// As [`read`](Mux::read), for more of what is there already: none if that was all, and nobody waits then.
    pub(crate) fn read_on(&mut self, key: StreamKey, max: usize) -> Option<Bytes> {
        let chunk = take_unread(self.streams.get_mut(key)?, max)?;
        self.note_consumed(key, chunk.len());
        Some(chunk)
    }

    /// As [`read`](Mux::read), but a copy into `room`, if all there is to read is one small message that fits there. Or else it
    /// does nothing and says 0.
    pub(crate) fn read_small(&mut self, key: StreamKey, room: &mut [u8]) -> usize {
        let Some(stream) = self.streams.get_mut(key) else { return 0 };
        let Some(message) = stream.recv.queue.take_gathered(room.len()) else { return 0 };
        if let Some(room) = room.get_mut(..message.len()) {
            room.copy_from_slice(&message);
        }
        let len = message.len();
        self.read_spare.keep(message);
        stream.recv.was_used = true;
        stream.recv.credit.consume(len);
        self.note_consumed(key, len);
        len
    }

    fn note_consumed(&mut self, key: StreamKey, len: usize) {
        self.stats.unread_bytes = self.stats.unread_bytes.saturating_sub(len);
        self.budget.consumed(len);
        self.retire_if_done(key);
        self.return_credit(key);
    }

    /// Ends our direction: what is queued goes out, then FIN. Calling it again does nothing.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost before that.
    pub fn finish(&mut self, key: StreamKey) -> Result<(), WriteError> {
        match self.writable(key) {
            Ok(()) => {}
            Err(WriteError::Finished) => return Ok(()),
            Err(error) => return Err(error),
        }
        if let Some(stream) = self.streams.get_mut(key) {
            stream.send.was_used = true;
            stream.send.state.finish();
        }
        self.leave_line(key);
        self.settle(key);
        Ok(())
    }

    /// `Some` once the peer cannot stop the stream any more: both sides have finished it, or its handles are gone.
    /// `None` while it can: [`Event::Stopped`](super::Event::Stopped) will tell.
    ///
    /// # Errors
    /// [`WriteError`] if the stream was reset or lost before that, also after [`finish`](Mux::finish).
    pub fn stopped(&mut self, key: StreamKey) -> Option<Result<(), WriteError>> {
        let Some(stream) = self.streams.get_mut(key) else { return Some(Ok(())) };
        let stopped = stream.stopped().map(|stopped| stopped.map_err(|failure| failure.clone().into()));
        stream.send.stop_waiting = stopped.is_none();
        stopped
    }

    /// Ends both directions at once: RST with `code` goes out, what is queued or unread is dropped. Nothing happens to
    /// a stream that both sides have finished.
    ///
    /// # Errors
    /// [`ResetError`] for [`ErrorCode::NO_ERROR`], [`ErrorCode::STREAM_REFUSED`] and [`ErrorCode::ACCEPT_QUEUE_FULL`].
    /// Nothing happens then.
    pub fn reset(&mut self, key: StreamKey, code: ErrorCode) -> Result<(), ResetError> {
        match code {
            ErrorCode::NO_ERROR => return Err(ResetError::NoError),
            ErrorCode::STREAM_REFUSED | ErrorCode::ACCEPT_QUEUE_FULL => {
                return Err(ResetError::PromisesRefusal);
            }
            _ => {}
        }
        if let Some(stream) = self.streams.get_mut(key) {
            stream.send.was_used = true;
        }
        self.cancel(key, code);
        Ok(())
    }

    /// Refuses an accepted stream that was neither read nor written: the peer may retry it safely.
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if that promise cannot be made any more.
    pub fn refuse(&mut self, key: StreamKey) -> Result<(), ResetError> {
        match self.streams.get(key).is_some_and(|stream| !stream.recv.was_used) {
            true => self.refuse_after_header(key),
            false => Err(ResetError::AlreadyUsed),
        }
    }

    /// As [`refuse`](Mux::refuse), for a stream whose header was read by a layer that promises to have done nothing
    /// more with it.
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was written or reset, or is ours.
    pub fn refuse_after_header(&mut self, key: StreamKey) -> Result<(), ResetError> {
        let fresh = |stream: &Stream| !stream.send.was_used && stream.opener == Opener::Remote;
        if !self.streams.get(key).is_some_and(fresh) {
            return Err(ResetError::AlreadyUsed);
        }
        let has_failed = self.streams.get(key).is_some_and(|stream| stream.failure.is_some());
        self.cancel(key, ErrorCode::STREAM_REFUSED);
        self.stats.refused = self.stats.refused.saturating_add(u64::from(!has_failed));
        Ok(())
    }

    /// Resets a stream because this side wishes it. One that has ended in both directions is left as it is.
    pub(super) fn cancel(&mut self, key: StreamKey, code: ErrorCode) {
        if self.streams.get(key).is_none_or(Stream::ended_properly) {
            return;
        }
        if self.drop_unread(key) > 0 {
            if let Some(stream) = self.streams.get_mut(key) {
                stream.recv.state.cut();
            }
        }
        self.reset_stream(key, code, Initiator::Local);
    }

    /// Throws away what is unread. Its credit counts as consumed. Says how much it was.
    fn drop_unread(&mut self, key: StreamKey) -> usize {
        let Some(stream) = self.streams.get_mut(key) else { return 0 };
        let unread = stream.recv.queue.clear();
        stream.recv.credit.consume(unread);
        self.stats.unread_bytes = self.stats.unread_bytes.saturating_sub(unread);
        self.return_credit(key);
        unread
    }

    /// Resets an unfinished stream at once with [`ErrorCode::STREAM_CANCELLED`]: its task is unwinding, and nobody knows
    /// what its queued bytes are worth.
    pub fn abort(&mut self, key: StreamKey) {
        if self.streams.get(key).is_some_and(|stream| stream.send.state == SendState::Open) {
            self.cancel(key, ErrorCode::STREAM_CANCELLED);
        }
    }

    /// The handle for writing is gone. If the stream was not finished, what was accepted is still delivered and RST
    /// follows: dropping never looks like a clean end (behaviour, decision 2). A stream nobody was told of just
    /// disappears (W15).
    pub fn release_send(&mut self, key: StreamKey) {
        self.leave_line(key);
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.send.held = false;
        stream.send.waiting = false;
        stream.send.state.abort();
        if stream.send.state == SendState::Aborting && stream.id.is_none() && stream.send.queue.is_empty() {
            self.fail(
                key,
                Failure::Reset(Reset { code: ErrorCode::STREAM_CANCELLED, initiator: Initiator::Local }),
            );
        }
        self.note_lingering(key);
        self.settle(key);
    }

    /// The handle for reading is gone. What arrives is thrown away and its credit returned, as long as the stream is
    /// still written to; S53 says what happens after that.
    pub fn release_recv(&mut self, key: StreamKey) {
        self.release_recv_with(key, 0);
    }

    /// As [`release_recv`](Mux::release_recv), where the handle held `ahead` bytes more that nobody has read.
    pub(crate) fn release_recv_with(&mut self, key: StreamKey, ahead: usize) {
        let unread = self.drop_unread(key).saturating_add(ahead);
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.recv.held = false;
        stream.recv.waiting = false;
        stream.recv.state.discard();
        let cut_off = unread > 0 && stream.recv.state == RecvState::Discarding;
        match stream.send.state {
            SendState::Finishing if cut_off => stream.rst_after_fin = true,
            SendState::Finished if cut_off => {
                self.reset_stream(key, ErrorCode::STREAM_CANCELLED, Initiator::Local);
            }
            _ => {}
        }
        self.note_lingering(key);
        self.settle(key);
    }

    fn note_lingering(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.send.state == SendState::Aborting && stream.sweeps == 0 && !stream.send.queue.is_empty() {
            stream.sweeps = 1;
            self.lingering = self.lingering.saturating_add(1);
        }
    }

    /// Half of [`Config::drain_timeout`](crate::Config::drain_timeout) has passed: streams that were dropped unfinished
    /// and have had no credit to send anything for between one and one and a half such limits are reset. One that only
    /// waits for the transport is not to blame.
    pub fn handle_sweep(&mut self) {
        for key in self.streams.keys_of(|stream| stream.sweeps > 0) {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            if stream.id.is_none() || stream.sendable() > 0 {
                stream.sweeps = 1;
                continue;
            }
            stream.sweeps = stream.sweeps.saturating_add(1);
            if stream.sweeps > 3 {
                if self.shutdown.phase > Phase::Open {
                    self.shutdown.count_cut(stream);
                }
                self.reset_stream(key, ErrorCode::STREAM_CANCELLED, Initiator::Local);
            }
        }
    }

    /// From now on no end of the session waits for this stream, or counts it as cut off.
    pub fn set_background(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.is_unfinished() {
            stream.standing = Standing::Background;
            self.streams.unfinished = self.streams.unfinished.saturating_sub(1);
        }
    }

    /// Streams of a higher priority go first, equals take turns. The default is 0.
    pub fn set_priority(&mut self, key: StreamKey, priority: i8) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let before = std::mem::replace(&mut stream.priority, priority);
        // The end of the session has emptied the order, and nothing gets a place in it again.
        if stream.is_ready && before != priority && self.shutdown.phase != Phase::Ended {
            self.schedule.remove(before, key);
            self.schedule.push(priority, key, stream.last_turn);
        }
    }
}

/// Up to `max` of the bytes that nobody has read.
fn take_unread(stream: &mut Stream, max: usize) -> Option<Bytes> {
    let chunk = stream.recv.queue.pop(max)?;
    stream.recv.credit.consume(chunk.len());
    Some(chunk)
}

/// Reading what was let go is a mistake of the owner's, and must not look like the end of a stream.
fn let_go() -> ReadError {
    ReadError::Reset(Reset { code: ErrorCode::STREAM_CANCELLED, initiator: Initiator::Local })
}
