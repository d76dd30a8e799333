//! How much a writer may queue, and who is told when there is more (behaviour, decision 5).
//!
//! A stream may always queue a little, so that a stuck one never stalls the others. Beyond that it may queue what its
//! credit allows while the session's sendable bytes are under their limit, and no more than its share of that limit
//! among the streams that have something to send; bytes that wait for credit do not count.

use super::event::Event;
use super::mux::Mux;
use super::state::SendState;
use super::stream::StreamKey;
use crate::error::WriteError;

/// What a writer may always queue, in bytes, whatever the rest of the session does (behaviour, decision 5).
pub(super) const ALWAYS_ROOM: usize = 16 * 1024;

impl Mux {
    pub(super) fn writable(&self, key: StreamKey) -> Result<(), WriteError> {
        let Some(stream) = self.streams.get(key) else { return Err(WriteError::Finished) };
        match (stream.send.state, &stream.failure) {
            (SendState::Open, _) => Ok(()),
            (SendState::Dead, Some(failure)) => Err(failure.clone().into()),
            _ => Err(WriteError::Finished),
        }
    }

    /// How much of `wanted` bytes a writer may queue now. If none, it is told when to ask again.
    pub(super) fn room(&mut self, key: StreamKey, wanted: usize) -> Result<usize, WriteError> {
        self.writable(key)?;
        if wanted == 0 {
            return Ok(0);
        }
        let (own, shared) = self.room_of(key);
        let room = own.max(shared).min(wanted);
        if room > 0 {
            self.leave_line(key);
            return Ok(room);
        }
        let most = self.most_queued();
        if let Some(stream) = self.streams.get_mut(key) {
            stream.send.waiting = true;
            let most = most.min(stream.send.credit.available());
            let session_is_full = most > stream.send.queue.len();
            if session_is_full && !std::mem::replace(&mut stream.send.in_line, true) {
                self.line.push_back(key);
            }
        }
        Ok(room)
    }

    /// The room a stream always has, and the room that it and the session allow beyond that (decision 5).
    fn room_of(&self, key: StreamKey) -> (usize, usize) {
        // A stream in the background that always has more would keep the goodbye back.
        let Some(stream) = self.streams.get(key).filter(|_| !self.is_drained()) else { return (0, 0) };
        let queued = stream.send.queue.len().saturating_add(stream.send.reserved);
        let most = self.config.send_queue();
        let own = most.min(ALWAYS_ROOM).saturating_sub(queued);
        let others_wait = !self.line.is_empty() && self.line.front() != Some(&key);
        if others_wait {
            return (own, 0);
        }
        let session = self.config.session_send_queue().saturating_sub(self.in_use());
        let most = self.most_queued().min(stream.send.credit.available());
        (own, most.saturating_sub(queued).min(session))
    }

    /// Bytes that count in the session's queue: those that could go out now, and those promised to writers.
    pub(super) fn in_use(&self) -> usize {
        self.stats.sendable_bytes.saturating_add(self.reserved)
    }

    /// What one stream may queue while so many others have something to send.
    fn most_queued(&self) -> usize {
        let contenders = self.contenders.max(self.senders);
        let share = self.config.session_send_queue().checked_div(contenders).unwrap_or(usize::MAX);
        self.config.send_queue().min(share)
    }

    /// Notes how many streams contend for the session's queue: those that send now, and for a while those that did,
    /// since whoever has just sent all he had may be about to go on.
    pub(super) fn count_contenders(&mut self) {
        let fading = self.contenders.saturating_sub(self.contenders.div_ceil(8));
        self.contenders = self.senders.max(fading);
    }

    /// Tells a waiting writer that its stream has room again, once it is worth its while.
    pub(super) fn give_room(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get(key) else { return };
        if !stream.send.waiting {
            return;
        }
        let (own, shared) = self.room_of(key);
        let worth = self.config.send_queue().min(ALWAYS_ROOM) / 2;
        if own.max(shared) > worth {
            self.tell_writer(key);
        }
    }

    /// Tells the writers that wait for the session's queue, in their order, once half of it is free.
    pub(super) fn wake_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        if self.in_use() > self.config.session_send_queue() / 2 {
            return;
        }
        while let Some(key) = self.line.pop_front() {
            if let Some(stream) = self.streams.get_mut(key) {
                stream.send.in_line = false;
            }
            self.tell_writer(key);
        }
    }

    fn tell_writer(&mut self, key: StreamKey) {
        self.leave_line(key);
        if let Some(stream) = self.streams.get_mut(key) {
            if std::mem::take(&mut stream.send.waiting) {
                self.events.push_back(Event::Writable(key));
            }
        }
    }
}
