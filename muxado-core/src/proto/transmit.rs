//! What goes out: control frames first, then streams in their turns, each with one bounded frame.

use muxado_frame::{ErrorCode, Flags, data_header, go_away, rst};

use super::batch::{Batch, COPY_UP_TO};
use super::flow::{size, total};
use super::mux::Mux;
use super::schedule::MANY;
use super::shutdown::{Goodbye, Phase};
use super::spare::Spare;
use super::state::SendState;
use super::stats::count;
use super::stream::{Stream, StreamKey};
use super::streams::filler_id;
use crate::error::Initiator;

/// Less than this is little to send at once, and a small message for whoever receives it, in bytes.
pub(super) const LITTLE: usize = 4096;

impl Mux {
    /// Puts frames into `batch` until it holds `limit` bytes or nothing is left to send. The last frame may exceed
    /// the limit.
    ///
    /// Whatever is put there must reach the transport, in order: report it with
    /// [`handle_written`](Mux::handle_written).
    ///
    /// For an example see [`Batch`].
    pub fn poll_transmit(&mut self, batch: &mut Batch, limit: usize) {
        self.discarded.clear();
        self.count_contenders();
        while batch.len() < limit && self.transmit_one(batch) {}
    }

    /// `bytes` of what was transmitted will never reach the transport: they count as cut off by the end.
    pub fn handle_undelivered(&mut self, bytes: usize) {
        self.shutdown.cut.bytes = self.shutdown.cut.bytes.saturating_add(total(bytes));
    }

    /// The transport took `bytes` more of what was transmitted.
    pub fn handle_written(&mut self, bytes: usize) {
        self.written = self.written.saturating_add(total(bytes));
    }

    /// Whether there is little to send, while many streams are open and send now and then: others may have more in a
    /// moment, and one write for all is cheaper than one for each. Streams that come one after the other are not many.
    #[must_use]
    pub fn is_trickle(&self) -> bool {
        let is_open = self.shutdown.phase == Phase::Open && self.shutdown.goodbye == Goodbye::None;
        // Refusals must not add up (B10).
        is_open
            && self.replies.is_empty()
            && self.streams.len() >= MANY
            && self.schedule.is_varied()
            && self.stats.sendable_bytes < LITTLE
            && self.wants_transmit()
    }

    fn transmit_one(&mut self, batch: &mut Batch) -> bool {
        if self.shutdown.goodbye == Goodbye::Now {
            self.emit_goodbye(batch);
        } else if self.shutdown.phase == Phase::Ended {
            return false;
        } else if let Some((id, code)) = self.replies.pop_front() {
            count(&mut self.stats.resets_sent);
            self.emit(batch, &rst(id, code));
        } else if let Some(key) = self.control.pop_front() {
            self.emit_control(batch, key);
        } else if let Some(key) = self.schedule.pop() {
            self.take_turn(batch, key);
        } else if self.is_drained() {
            self.emit_goodbye(batch);
        } else {
            return false;
        }
        true
    }

    pub(super) fn emit(&mut self, batch: &mut Batch, frame: &[u8]) {
        batch.put(frame);
        if self.watch.is_some() {
            self.watch_sent(frame);
        }
        self.emitted = self.emitted.saturating_add(total(frame.len()));
        count(&mut self.stats.frames_sent);
    }

    /// GOAWAY is the last frame, except the early one, whose filler feeds the eight bytes that a Go peer reads too
    /// much (docs/protocol.md, session end).
    fn emit_goodbye(&mut self, batch: &mut Batch) {
        let early = self.shutdown.phase == Phase::Draining && self.shutdown.goodbye == Goodbye::Now;
        if !self.shutdown.is_said() {
            let text = self.shutdown.text.clone();
            let len = u32::try_from(text.len()).unwrap_or(0);
            self.emit(batch, &go_away(self.streams.last_handled(), self.shutdown.code, len));
            batch.put(&text);
            self.emitted = self.emitted.saturating_add(total(text.len()));
        }
        if !early {
            self.shutdown.goodbye = Goodbye::Done;
            let end = self.shutdown.closed();
            return self.finish_session(end, Goodbye::Done);
        }
        if let Some(id) = filler_id(self.side()) {
            self.emit(batch, &data_header(id, 0, Flags::FIN));
        }
        self.shutdown.said_early = true;
        self.shutdown.goodbye = Goodbye::WhenDrained;
    }

    /// The RST or the WNDINC of one stream. After its RST a stream says nothing (W10).
    fn emit_control(&mut self, batch: &mut Batch, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.in_control = false;
        let Some(id) = stream.id else { return };
        if let Some(code) = stream.rst.take() {
            count(&mut self.stats.resets_sent);
            self.emit(batch, &rst(id, code));
        } else if stream.recv.is_open() {
            self.emit_credit(batch, key, id);
        }
        self.settle(key);
    }

    /// One turn: a DATA frame with what the queue, the credit and the frame limit allow, with SYN if it is the
    /// first; then FIN in a frame of its own (W02), or the RST of an ordered abort.
    fn take_turn(&mut self, batch: &mut Batch, key: StreamKey) {
        let max_frame = size(self.config.max_frame());
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.is_ready = false;
        stream.last_turn = self.schedule.this_turn(stream.last_turn);
        if stream.send.state.is_over() {
            return;
        }
        let len = stream.sendable().min(max_frame);
        if len > 0 || stream.id.is_none() {
            self.emit_data(batch, key, len);
        }
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.send.queue.is_empty() {
            match stream.send.state {
                SendState::Finishing => self.emit_fin(batch, key),
                SendState::Aborting => self.reset_stream(key, ErrorCode::STREAM_CANCELLED, Initiator::Local),
                _ => {}
            }
        }
        self.settle(key);
        self.give_room(key);
    }

    fn emit_data(&mut self, batch: &mut Batch, key: StreamKey, len: usize) {
        let fresh = self.streams.get(key).is_some_and(|stream| stream.id.is_none());
        if fresh && self.streams.assign_id(key).is_none() {
            // `open` counts the ids that are left, so there is one.
            return;
        }
        let syn_at = self.emitted;
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some(id) = stream.id else { return };
        let flags = if fresh { Flags::SYN } else { Flags::NONE };
        if fresh {
            stream.syn_at = syn_at;
        }
        let header = data_header(id, u32::try_from(len).unwrap_or(0), flags);
        batch.put(&header);
        emit_payload(stream, batch, len, &mut self.write_spare);
        stream.send.credit.spend(len);
        stream.sweeps = stream.sweeps.min(1);
        self.emitted =
            self.emitted.saturating_add(total(len)).saturating_add(total(muxado_frame::HEADER_LEN));
        count(&mut self.stats.frames_sent);
        self.stats.bytes_sent = self.stats.bytes_sent.saturating_add(total(len));
        if self.watch.is_some() {
            self.watch_sent(&header);
        }
    }

    fn emit_fin(&mut self, batch: &mut Batch, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some(id) = stream.id else { return };
        stream.send.state.fin_sent();
        let rst_follows = stream.rst_after_fin;
        self.emit(batch, &data_header(id, 0, Flags::FIN));
        if rst_follows {
            self.reset_stream(key, ErrorCode::STREAM_CANCELLED, Initiator::Local);
        }
    }
}

fn emit_payload(stream: &mut Stream, batch: &mut Batch, len: usize, spare: &mut Spare) {
    if let Some(message) = stream.send.queue.take_gathered(len.min(COPY_UP_TO)) {
        batch.put(&message);
        return spare.keep(message);
    }
    let mut left = len;
    while left > 0 {
        let Some(piece) = stream.send.queue.pop(left) else { break };
        left = left.saturating_sub(piece.len());
        batch.put_payload(piece);
    }
}
