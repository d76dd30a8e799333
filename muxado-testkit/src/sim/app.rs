//! What an application and a clock do to one machine, each answer held against the model.

use bytes::Bytes;
use muxado_core::proto::Read;
use muxado_core::{EndCause, Initiator, OpenError, ResetError, Retry, WriteError};
use muxado_frame::ErrorCode;

use super::handle::{Cause, Expected, Handle};
use super::node::Node;

/// What a writer may always queue (behaviour, decision 5).
const ALWAYS_ROOM: usize = 16 * 1024;

impl Node {
    pub(super) fn open(&mut self) {
        let live =
            self.handles.iter().filter(|handle| handle.local && (handle.send_held || handle.recv_held));
        let full = live.count() >= self.config.max_outbound_streams();
        match self.mux.open() {
            Ok(key) => {
                assert!(!full, "B07: a stream too many was opened");
                assert!(!self.end_seen && !self.leaving && !self.peer_left, "opened at the end");
                let salt = self.fresh_salt();
                self.handles.push(Handle::new(key, true, salt));
            }
            Err(OpenError::Busy) => self.waits_to_open = true,
            Err(OpenError::Draining) => assert!(self.leaving, "nobody drains"),
            Err(OpenError::GoneAway(_)) => assert!(self.peer_left, "the peer has not gone away"),
            Err(OpenError::Session(_)) => assert!(self.end_seen, "the session has not ended"),
            Err(OpenError::StreamsExhausted) => {
                let opened = self.handles.iter().filter(|handle| handle.local).count();
                assert!(self.few_ids && opened >= 3, "S35: ids are left");
            }
            Err(error) => panic!("opening failed: {error:?}"),
        }
    }

    pub(super) fn accept(&mut self) -> bool {
        match self.mux.accept() {
            Ok(Some(key)) => {
                let id = self.mux.stream_id(key).expect("a stream of the peer's has an id").get();
                let place = self.waiting.iter().position(|waiting| *waiting == id);
                let place = place.unwrap_or_else(|| panic!("I12: {id} was not waiting to be accepted"));
                self.waiting.remove(place);
                if self.strict {
                    // They have been refused, and are never given out.
                    self.passed.extend(self.waiting.drain(..place));
                }
                let salt = self.fresh_salt();
                let mut handle = Handle::new(key, false, salt);
                handle.id = Some(id);
                handle.which = (0..self.heard.count(id)).collect();
                self.handles.push(handle);
                let at = self.handles.len() - 1;
                self.by_id.insert(id, at);
                if self.end_seen {
                    self.dies(at, Cause::Lost, false);
                }
                true
            }
            Ok(None) => {
                self.waits_to_accept = true;
                if self.strict {
                    self.passed.append(&mut self.waiting);
                }
                false
            }
            Err(_) => {
                assert!(self.end_seen, "accepting failed before the end");
                false
            }
        }
    }

    /// Tries to write `len` bytes, and says how many were taken. With `whole`, without a copy.
    pub(super) fn write(&mut self, at: usize, len: usize, whole: bool) -> usize {
        let (bytes, key) = (self.handles[at].bytes(len), self.handles[at].key);
        let most = self.most_room(at);
        let written = if whole {
            let mut bytes = Bytes::from(bytes);
            let written = self.mux.write_bytes(key, &mut bytes);
            assert_eq!(bytes.len() + written.as_ref().copied().unwrap_or(0), len, "F61: bytes went astray");
            written
        } else {
            self.mux.write(key, &bytes)
        };
        let taken = self.judge_room(at, len, most, written);
        self.handles[at].written += taken;
        self.handles[at].used |= taken > 0;
        taken
    }

    pub(super) fn reserve(&mut self, at: usize, len: usize) {
        if self.handles[at].reserved > 0 {
            return;
        }
        let most = self.most_room(at);
        let reserved = self.mux.reserve(self.handles[at].key, len);
        let taken = self.judge_room(at, len, most, reserved);
        self.handles[at].reserved = taken;
    }

    pub(super) fn commit(&mut self, at: usize) {
        let len = std::mem::take(&mut self.handles[at].reserved);
        if len == 0 {
            return;
        }
        let bytes = self.handles[at].bytes(len);
        let result = self.mux.commit(self.handles[at].key, Bytes::from(bytes));
        if self.judge_write(at, &result) {
            self.handles[at].written += len;
            self.handles[at].used = true;
        }
    }

    /// The least and the most room that decision 5 allows now.
    fn most_room(&self, at: usize) -> (usize, usize) {
        let handle = &self.handles[at];
        let most = self.config.send_queue();
        let own = most.min(ALWAYS_ROOM).saturating_sub(handle.queued());
        let credit = self.mux.credit(handle.key).map_or(0, |(available, _)| available);
        let reserved: usize = self.handles.iter().map(|handle| handle.reserved).sum();
        let in_use = self.mux.stats().sendable_bytes + reserved;
        let session = self.config.session_send_queue().saturating_sub(in_use);
        let shared = most.min(credit).saturating_sub(handle.queued()).min(session);
        (own, own.max(shared))
    }

    fn judge_room(
        &mut self,
        at: usize,
        len: usize,
        (least, most): (usize, usize),
        result: Result<usize, WriteError>,
    ) -> usize {
        if !self.judge_write(at, &result.clone().map(drop)) {
            return 0;
        }
        let taken = result.unwrap_or(0);
        assert!(taken >= len.min(least), "B14: {taken} of {len} were taken, with room for {least}");
        assert!(taken <= len.min(most), "B14: {taken} of {len} were taken, with room for {most}");
        let alone = !self.handles.iter().any(|handle| handle.waits_to_write);
        let handle = &mut self.handles[at];
        assert!(!alone || taken == len.min(most), "B14: {taken} of {len} were taken, and nobody waits");
        handle.waits_to_write |= taken == 0 && len > 0;
        taken
    }

    /// Whether the direction out still works, by machine and model.
    fn judge_write(&mut self, at: usize, result: &Result<(), WriteError>) -> bool {
        let expected = self.handles[at].write_state();
        match result {
            Ok(()) => {
                assert!(
                    !self.strict || matches!(expected, Expected::Bytes(_)),
                    "a write should {expected:?}"
                );
                true
            }
            Err(error) => {
                let Some((cause, retry)) = Cause::of_write(error) else {
                    assert!(
                        !self.strict || expected == Expected::End,
                        "a write ends, and should {expected:?}"
                    );
                    return false;
                };
                if self.strict {
                    assert_eq!(expected, Expected::Fails(cause), "writing {:?}", self.handles[at].id);
                }
                self.shown(at, cause, retry);
                false
            }
        }
    }

    fn shown(&mut self, at: usize, cause: Cause, retry: Retry) {
        self.handles[at].show(cause, retry);
        let handle = &self.handles[at];
        if cause == Cause::Lost && handle.local && handle.id.is_none() && !handle.finished && !handle.aborting
        {
            assert_eq!(retry, Retry::NotProcessed, "a stream whose SYN was never emitted is safe to retry");
        }
        if retry == Retry::NotProcessed && cause == Cause::Lost {
            assert!(handle.local, "only streams of ours can be retried");
        }
    }

    /// Reads up to `max` bytes. Whether it came to anything.
    pub(super) fn read(&mut self, at: usize, max: usize) -> bool {
        let expected = self.read_state_if_strict(at);
        let result = self.mux.read(self.handles[at].key, max);
        self.handles[at].used = true;
        let lenient = self.handles[at].aborting;
        match result {
            Ok(Read::Chunk(chunk)) => {
                assert!(!chunk.is_empty() && chunk.len() <= max.max(1), "I3: a chunk of {}", chunk.len());
                if let Some(expected) = expected {
                    let there = matches!(expected, Expected::Bytes(most) if chunk.len() <= most);
                    assert!(there, "a read gives {} bytes, and should {expected:?}", chunk.len());
                }
                self.judge_chunk(at, &chunk);
                return true;
            }
            Ok(Read::End) => {
                assert!(
                    expected.is_none_or(|expected| expected == Expected::End),
                    "an end, not {expected:?}"
                );
                let handle = &mut self.handles[at];
                let (read, fresh) = (handle.read, !std::mem::replace(&mut handle.ended, true));
                self.narrow(at, |incoming| incoming.fin_at == Some(read));
                return fresh;
            }
            Ok(_) => {
                let fine = expected.is_none_or(|expected| expected == Expected::Blocked);
                assert!(fine, "a read blocks, and should {expected:?}");
                self.handles[at].waits_to_read = true;
            }
            Err(error) => {
                let (cause, retry) = Cause::of_read(&error);
                if let Some(expected) = expected.filter(|_| !lenient) {
                    assert_eq!(expected, Expected::Fails(cause), "reading {:?}", self.handles[at].id);
                }
                assert!(!self.handles[at].ended, "I3: an error after the end");
                self.shown(at, cause, retry);
                if lenient {
                    self.dies(at, cause, false);
                }
            }
        }
        false
    }

    fn read_state_if_strict(&self, at: usize) -> Option<Expected> {
        self.strict.then(|| self.read_state(at))
    }

    /// I2: what is read is what came, in order, from the first byte on.
    fn judge_chunk(&mut self, at: usize, chunk: &[u8]) {
        assert!(!self.handles[at].ended, "I3: bytes after the end");
        let from = self.handles[at].read;
        self.narrow(at, |incoming| incoming.payload.get(from..from + chunk.len()) == Some(chunk));
        self.handles[at].read += chunk.len();
    }

    /// Keeps those of the streams that had its id which it can still be.
    fn narrow(&mut self, at: usize, fits: impl Fn(&super::heard::Incoming) -> bool) {
        let Some(id) = self.handles[at].id else { panic!("something came before the SYN went out") };
        let heard = &self.heard;
        let handle = &mut self.handles[at];
        handle.which.retain(|which| heard.incoming(id, *which).is_some_and(&fits));
        assert!(!handle.which.is_empty(), "I2: what is read on {id} is not what came");
    }

    pub(super) fn flush(&mut self, at: usize) {
        let result = self.mux.flush(self.handles[at].key);
        let expected = self.handles[at].write_state();
        let finished = result.is_ok() && expected == Expected::End;
        if !finished {
            self.judge_write(at, &result);
        }
    }

    pub(super) fn finish(&mut self, at: usize) {
        let result = self.mux.finish(self.handles[at].key);
        let expected = self.handles[at].write_state();
        if result.is_ok() && expected == Expected::End {
            return;
        }
        if self.judge_write(at, &result) {
            self.handles[at].finished = true;
            self.handles[at].used = true;
        }
    }

    pub(super) fn reset(&mut self, at: usize, code: u32) {
        let result = self.mux.reset(self.handles[at].key, ErrorCode::new(code));
        match code {
            0 => assert_eq!(result, Err(ResetError::NoError)),
            5 | 9 => assert_eq!(result, Err(ResetError::PromisesRefusal)),
            _ => {
                assert_eq!(result, Ok(()));
                self.handles[at].reset = true;
                self.dies(at, Cause::Reset(code, Initiator::Local), true);
            }
        }
    }

    /// With an odd `code` as a layer that has read the stream's header and no more.
    pub(super) fn refuse(&mut self, at: usize, code: u32) {
        let handle = &self.handles[at];
        let after_header = code % 2 == 1;
        let was_written = handle.written > 0 || handle.finished || handle.reset;
        let fresh = !handle.local && !was_written && (after_header || !handle.used);
        let result = match after_header {
            true => self.mux.refuse_after_header(handle.key),
            false => self.mux.refuse(handle.key),
        };
        assert_eq!(result.is_ok(), fresh, "refusing {:?}: {result:?}", handle.id);
        if fresh {
            self.handles[at].refused = true;
            self.dies(at, Cause::Reset(5, Initiator::Local), true);
        }
    }

    /// Asks whether the peer can stop the stream no more.
    pub(super) fn watch(&mut self, at: usize) {
        let handle = &self.handles[at];
        let key = handle.key;
        let (_, fin) = self.incoming(at);
        let fin = if handle.limit.is_some() { handle.fin_at_death } else { fin };
        match self.mux.stopped(key) {
            None => {
                // While a close lets a finished stream flush, its failure may not come to pass.
                let flushes = self.end_seen && !self.mux.is_ended();
                let fails = handle.cause.is_some() && !flushes && !handle.aborting;
                assert!(!self.strict || !fails, "{:?} has failed, and who asks is told to wait", handle.id);
                self.handles[at].waits_to_stop = true;
            }
            Some(Ok(())) => {
                let over = handle.fin_sent && fin;
                let lets_go = !handle.send_held && !handle.recv_held;
                assert!(!self.strict || over || lets_go, "{:?} goes on, and is said to be over", handle.id);
            }
            Some(Err(error)) => {
                let (cause, retry) = Cause::of_write(&error).expect("a cause");
                if self.strict && !handle.aborting {
                    assert_eq!(handle.cause, Some(cause), "{:?} was stopped", handle.id);
                }
                self.shown(at, cause, retry);
            }
        }
    }

    /// I11: who was told to wait for a stop waits for something.
    pub(super) fn check_watchers(&mut self) {
        for at in 0..self.handles.len() {
            let handle = &self.handles[at];
            if handle.waits_to_stop {
                let stopped = self.mux.stopped(handle.key);
                assert!(stopped.is_none(), "I11: who watches {:?} was forgotten: {stopped:?}", handle.id);
            }
        }
    }

    pub(super) fn abort(&mut self, at: usize) {
        let handle = &self.handles[at];
        let open = !handle.finished && !handle.send_dead;
        self.mux.abort(handle.key);
        if open {
            self.dies(at, Cause::Reset(6, Initiator::Local), true);
        }
    }

    pub(super) fn release_send(&mut self, at: usize) {
        let handle = &mut self.handles[at];
        if !std::mem::take(&mut handle.send_held) {
            return;
        }
        handle.waits_to_write = false;
        handle.aborting = !handle.finished && !handle.send_dead;
        let untold = handle.id.is_none() && handle.written == 0;
        let dies = handle.aborting && untold;
        let key = handle.key;
        self.mux.release_send(key);
        if dies {
            self.dies(at, Cause::Reset(6, Initiator::Local), false);
        }
    }

    pub(super) fn release_recv(&mut self, at: usize) {
        let handle = &mut self.handles[at];
        if !std::mem::take(&mut handle.recv_held) {
            return;
        }
        handle.waits_to_read = false;
        let key = handle.key;
        self.mux.release_recv(key);
        let (there, fin) = self.incoming(at);
        let handle = &mut self.handles[at];
        handle.cut_off = handle.finished && handle.limit.unwrap_or(there) > handle.read && !fin;
        self.cut_off(at);
    }

    /// Nothing that is asked of a stream that is gone may harm anybody.
    pub(super) fn ask_of_the_dead(&mut self, at: usize) {
        let key = self.handles[at].key;
        let before = self.mux.stats();
        let _ = (self.mux.stream_id(key), self.mux.consumed(key));
        assert!(self.mux.write(key, b"x").is_err() || self.mux.credit(key).is_some());
        self.mux.set_priority(key, 3);
        self.mux.abort(key);
        if self.mux.credit(key).is_none() {
            assert!(self.mux.read(key, 1).is_err() && self.mux.finish(key).is_ok());
            assert!(self.mux.commit(key, Bytes::from_static(b"x")).is_err());
            self.mux.release_recv(key);
            self.mux.release_send(key);
            assert_eq!(self.mux.stats(), before, "a call for a stream that is gone did something");
        }
    }

    // The end.

    pub(super) fn leave(&mut self, how: impl FnOnce(&mut muxado_core::proto::Mux)) {
        how(&mut self.mux);
        self.leaving = true;
    }

    /// The transport is no use any more: what it has not taken is never sent.
    pub(super) fn lose(&mut self, excuse: &'static str) {
        self.excuses.push(excuse);
        match excuse {
            "the transport ended" => self.mux.handle_eof(),
            "the transport stalled" => self.mux.handle_stall(),
            _ => self.mux.handle_failure(EndCause::Transport(std::io::ErrorKind::BrokenPipe.into())),
        }
        self.mux.handle_undelivered(self.outbox.len());
        self.outbox.clear();
        self.lost = true;
    }
}
