//! The machine itself: its parts, what can be asked of it, and what every change of a stream must lead to.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use muxado_frame::{Decoder, ErrorCode, Side, StreamId};

use super::budget::Budget;
use super::event::Event;
use super::receive::Body;
use super::schedule::Schedule;
use super::shutdown::{Goodbye, Phase, Shutdown};
use super::spare::Spare;
use super::state::SendState;
use super::stats::{Stats, count};
use super::stream::{Opener, Standing, Stream, StreamKey};
use super::streams::Streams;
use super::tuning::Path;
use super::watch::Watch;
use crate::config::Config;
use crate::error::{EndCause, Failure, Initiator, PeerMisbehaved, Reset, Retry, SessionEnd, SharedEnd};

/// Replies to dead streams that may wait to go out (B10).
pub(super) const MAX_REPLIES: usize = 256;

/// A muxado session as a pure state machine. See the [module](super) for its contract.
///
/// How one ends; the module shows one at work:
///
/// ```
/// use muxado_core::proto::{Batch, Mux};
/// use muxado_core::{Config, ErrorCode, Side};
///
/// let mut mux = Mux::new(Side::Server, &Config::default());
/// mux.close(ErrorCode::NO_ERROR, b"bye");
/// let mut batch = Batch::contiguous();
/// mux.poll_transmit(&mut batch, 64 * 1024); // the GOAWAY
/// assert!(mux.is_finished()); // once the batch is written, close the transport
/// assert!(mux.end().is_some_and(|end| end.is_clean()));
/// ```
#[derive(Debug)]
pub struct Mux {
    pub(super) config: Config,
    pub(super) decoder: Decoder,
    /// Where the payload of the frame in progress goes.
    pub(super) body: Body,
    pub(super) streams: Streams,
    pub(super) schedule: Schedule,
    /// Streams with a WNDINC or RST to send, each at most once (B11, B12).
    pub(super) control: VecDeque<StreamKey>,
    /// RSTs for streams that have no slot (B10).
    pub(super) replies: VecDeque<(StreamId, ErrorCode)>,
    pub(super) shutdown: Shutdown,
    pub(super) budget: Budget,
    pub(super) events: VecDeque<Event>,
    pub(super) stats: Stats,
    /// Writers that wait for the session's queue, not for their own, in order of arrival.
    pub(super) line: VecDeque<StreamKey>,
    /// Streams with something that may go out.
    pub(super) senders: usize,
    /// As many as lately contended for the session's queue.
    pub(super) contenders: usize,
    /// Bytes promised to writers that are copying.
    pub(super) reserved: usize,
    /// Streams with lazy credit: it may wait a little.
    pub(super) lazy: usize,
    /// Credit beyond the windows, in all streams.
    pub(super) extra: usize,
    /// Streams whose credit depends on the time.
    pub(super) tuned: usize,
    /// The time, as it was last told.
    pub(super) now: Duration,
    pub(super) path: Path,
    /// Streams whose handles are gone and that still have bytes to send.
    pub(super) lingering: usize,
    /// Payload that was queued and will not be sent, until the owner drops it.
    pub(super) discarded: Vec<Bytes>,
    /// Of messages written, and of messages read.
    pub(super) write_spare: Spare,
    pub(super) read_spare: Spare,
    pub(super) accept_waiting: bool,
    pub(super) open_waiting: bool,
    /// Somebody who waited was told of a small message.
    pub(super) told_small: bool,
    /// For looking inside; none in most sessions.
    pub(super) watch: Option<Box<Watch>>,
    /// Bytes ever put in a batch, and bytes of them that the transport took.
    pub(super) emitted: u64,
    pub(super) written: u64,
}

impl Mux {
    /// A session over a fresh transport. The two ends must have different sides.
    #[must_use]
    pub fn new(side: Side, config: &Config) -> Mux {
        Mux {
            config: config.clone(),
            decoder: Decoder::new(),
            body: Body::None,
            streams: Streams::new(side),
            schedule: Schedule::default(),
            control: VecDeque::new(),
            replies: VecDeque::new(),
            shutdown: Shutdown::default(),
            budget: Budget::default(),
            events: VecDeque::new(),
            stats: Stats::default(),
            line: VecDeque::new(),
            senders: 0,
            contenders: 0,
            reserved: 0,
            lazy: 0,
            extra: 0,
            tuned: 0,
            now: Duration::ZERO,
            path: Path::default(),
            lingering: 0,
            discarded: Vec::new(),
            write_spare: Spare::default(),
            read_spare: Spare::default(),
            accept_waiting: false,
            open_waiting: false,
            told_small: false,
            watch: Watch::of(config),
            emitted: 0,
            written: 0,
        }
    }

    /// Which side this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.streams.side()
    }

    /// Why the session ended, once it has for the application. Its last frames may still be on their way.
    #[must_use]
    pub fn end(&self) -> Option<SessionEnd> {
        let end = self.shutdown.end.clone()?;
        Some(self.shutdown.with_peer(end).with_cut(self.shutdown.cut))
    }

    /// The settings it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the session is over on the wire: nothing more is taken in, and at most a GOAWAY still goes out.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shutdown.phase == Phase::Ended
    }

    /// Whether nothing will ever be transmitted again: what is in the batch is the last.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shutdown.goodbye == Goodbye::Done
    }

    /// Whether `poll_transmit` would give anything now.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        if self.shutdown.goodbye == Goodbye::Now {
            return true;
        }
        if self.shutdown.phase == Phase::Ended {
            return false;
        }
        !self.replies.is_empty() || !self.control.is_empty() || !self.schedule.is_empty() || self.is_drained()
    }

    /// Whether small credit waits: [`handle_credit_due`](Mux::handle_credit_due) is wanted after
    /// [`Config::credit_delay`], or before.
    #[must_use]
    pub fn has_lazy_credit(&self) -> bool {
        self.lazy > 0
    }

    /// Whether dropped streams still have accepted bytes to send: [`handle_sweep`](Mux::handle_sweep) is wanted
    /// twice in every [`Config::drain_timeout`].
    #[must_use]
    pub fn has_lingering(&self) -> bool {
        self.lingering > 0
    }

    /// Streams that wait to be accepted.
    pub(crate) fn backlog_len(&self) -> usize {
        self.streams.backlog_len()
    }

    /// How many could open a stream now, or would learn that they never can: all, once no more are opened.
    pub(crate) fn places(&self) -> usize {
        match self.is_leaving() || !self.streams.has_id_left() {
            true => usize::MAX,
            false => self.config.max_outbound_streams().saturating_sub(self.streams.outbound),
        }
    }

    /// Frames received, to measure work by.
    pub(crate) fn frames_received(&self) -> u64 {
        self.stats.frames_received
    }

    /// Whether somebody who waited was told of a small message since this was last asked, and may go before what there is
    /// to send. Refusals must not add up (B10), and the goodbye of an error must not come too late.
    pub(crate) fn take_told_small(&mut self) -> bool {
        let may_go = self.replies.is_empty() && self.shutdown.phase != Phase::Ended;
        std::mem::take(&mut self.told_small) && may_go
    }

    /// Bytes that could go out now.
    pub(crate) fn sendable(&self) -> usize {
        self.stats.sendable_bytes
    }

    /// Bytes received and not read yet, in all streams.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.stats.unread_bytes
    }

    /// Counters and gauges.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            streams: self.streams.len(),
            backlog: self.streams.backlog_len(),
            extra_credit: self.extra,
            ..self.stats
        }
    }

    /// The id of a stream: none before the SYN of a stream of ours has gone out, or once the stream is gone.
    #[must_use]
    pub fn stream_id(&self, key: StreamKey) -> Option<StreamId> {
        self.streams.get(key)?.id
    }

    /// Bytes that the peer's application has read or discarded: a lower bound, known from returned credit.
    #[must_use]
    pub fn consumed(&self, key: StreamKey) -> u64 {
        self.streams.get(key).map_or(0, |stream| stream.send.credit.consumed())
    }

    /// Payload that was queued and will not be sent. `Bytes` may run an owner's code when they are dropped: take them out
    /// and drop them where that can do no harm, not under a lock. What is not taken is dropped by the next
    /// [`poll_transmit`](Mux::poll_transmit).
    #[must_use]
    pub fn take_discarded(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.discarded)
    }

    /// Whether there is any such payload.
    #[must_use]
    pub fn has_discarded(&self) -> bool {
        !self.discarded.is_empty()
    }

    /// The next thing somebody should be told.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Makes the ids of this side start at `id`, so that a test can see them run out.
    #[doc(hidden)]
    pub fn start_ids_at(&mut self, id: StreamId) {
        self.streams.start_ids_at(id);
    }

    /// Brings everything that follows from a stream's state up to date. Called after every change of it.
    pub(super) fn settle(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let sendable = stream.sendable();
        self.stats.sendable_bytes =
            self.stats.sendable_bytes.saturating_sub(stream.sendable).saturating_add(sendable);
        match (std::mem::replace(&mut stream.sendable, sendable), sendable) {
            (0, 1..) => self.senders = self.senders.saturating_add(1),
            (1.., 0) => self.senders = self.senders.saturating_sub(1),
            _ => {}
        }
        if !stream.is_ready && stream.has_turn() {
            stream.is_ready = true;
            self.schedule.push(stream.priority, key, stream.last_turn);
        }
        if stream.send.state.is_over() && std::mem::take(&mut stream.sweeps) > 0 {
            self.lingering = self.lingering.saturating_sub(1);
        }
        if stream.send.stop_waiting && stream.stopped().is_some() {
            stream.send.stop_waiting = false;
            self.events.push_back(Event::Stopped(key));
        }
        if stream.is_unfinished() && stream.is_over() {
            stream.standing = Standing::Over;
            self.streams.unfinished = self.streams.unfinished.saturating_sub(1);
        }
        self.retire_if_done(key);
        self.free_if_done(key);
        self.wake_line();
    }

    /// Notes when a stream has nothing left but its handles.
    pub(super) fn retire_if_done(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if !stream.retired && stream.can_retire() {
            stream.retired = true;
            stream.recv.queue.release();
            self.streams.retired = self.streams.retired.saturating_add(1);
        }
    }

    /// Frees the slot once both ends of it are done: the protocol's and the application's (B06).
    fn free_if_done(&mut self, key: StreamKey) {
        let done = |stream: &Stream| {
            let is_quiet = stream.rst.is_none() && !stream.in_control && !stream.is_mid_frame();
            stream.is_released() && stream.send.state.is_over() && is_quiet
        };
        let Some(stream) = self.streams.get_mut(key).filter(|stream| done(stream)) else { return };
        // While extra credit is taken back more than half a window may be owed. A peer that has thrown it away may be
        // waiting for just that, and would never learn that the stream is over.
        stream.recv.credit.keep_extra();
        if stream.recv.is_open() && stream.recv.credit.is_due() {
            return self.queue_control(key);
        }
        let Some(stream) = self.streams.remove(key) else { return };
        if stream.is_unfinished() {
            self.streams.unfinished = self.streams.unfinished.saturating_sub(1);
        }
        if stream.is_lazy {
            self.lazy = self.lazy.saturating_sub(1);
        }
        if stream.is_ready {
            self.schedule.remove(stream.priority, key);
        }
        self.reserved = self.reserved.saturating_sub(stream.send.reserved);
        self.forget_credit(stream.recv.credit.extra(), stream.recv.tuning.is_some());
        self.stats.unread_bytes = self.stats.unread_bytes.saturating_sub(stream.recv.queue.len());
        // The peer learns of it with the next it sends. More than a window may be under way by then, and is no offence.
        if let Some(id) = stream.id.filter(|_| stream.recv.is_open() && stream.recv.credit.extra() > 0) {
            self.streams.leave_behind(id, stream.recv.credit.left());
        }
        if stream.ended_properly() {
            count(&mut self.stats.finished);
        }
        // Our application brought it to an end: that is work, whether or not the peer ended its direction too. A
        // server that answers before it has read all, often, must not use up the budget of an honest client.
        if stream.send.state == SendState::Finished {
            self.budget.stream_ended();
        }
        if stream.opener == Opener::Local && std::mem::take(&mut self.open_waiting) {
            self.events.push_back(Event::PlaceFree);
        }
    }

    /// Puts a stream in line to send its WNDINC or RST.
    pub(super) fn queue_control(&mut self, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(key) {
            if !std::mem::replace(&mut stream.in_control, true) {
                self.control.push_back(key);
                self.settle_lazy(key);
            }
        }
    }

    /// Answers for a stream that has no slot. Answers that nothing could carry would pile up without any fault of the
    /// peer's.
    pub(super) fn reply(&mut self, id: StreamId, code: ErrorCode) {
        if self.shutdown.transport_lost {
            return;
        }
        if self.replies.len() >= MAX_REPLIES {
            return self.misbehaved(PeerMisbehaved::TooManyReplies);
        }
        self.replies.push_back((id, code));
    }

    /// Fails a stream in both directions and tells those who wait on it.
    pub(super) fn fail(&mut self, key: StreamKey, failure: Failure) {
        self.leave_line(key);
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.fail(failure, &mut self.discarded);
        if std::mem::take(&mut stream.recv.waiting) {
            self.events.push_back(Event::Readable(key));
        }
        if std::mem::take(&mut stream.send.waiting) {
            self.events.push_back(Event::Writable(key));
        }
        self.return_credit(key);
        self.settle(key);
    }

    /// Resets a stream from this side: it fails with `code` here, and RST goes out if the peer knows it.
    pub(super) fn reset_stream(&mut self, key: StreamKey, code: ErrorCode, initiator: Initiator) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let has_failed = stream.failure.is_some() && stream.is_closed();
        if has_failed || stream.ended_properly() {
            return;
        }
        if let Some(id) = stream.id {
            stream.rst = Some(code);
            stream.was_reset_by_us = true;
            let left = stream.recv.credit.left();
            self.streams.bury(id, left);
            self.queue_control(key);
        }
        self.fail(key, Failure::Reset(Reset { code, initiator }));
    }

    pub(super) fn leave_line(&mut self, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(key) {
            if std::mem::take(&mut stream.send.in_line) {
                self.line.retain(|waiting| *waiting != key);
            }
        }
    }

    /// The peer broke the protocol: the session is over, and GOAWAY says why.
    ///
    /// After the peer's GOAWAY nothing it sends can change the story: one existing peer puts stray bytes behind
    /// its own (S73).
    pub(super) fn misbehaved(&mut self, what: PeerMisbehaved) {
        if self.shutdown.phase == Phase::Ended {
            return;
        }
        if let Some(peer) = &self.shutdown.peer {
            let end = peer.end();
            return self.finish_session(end, Goodbye::Done);
        }
        self.shutdown.say(what.code(), what.text().as_bytes());
        self.finish_session(SessionEnd::new(EndCause::PeerMisbehaved(what)), Goodbye::Now);
    }

    /// Ends the session for good: nothing more comes in, every unfinished stream fails, all are told.
    pub(super) fn finish_session(&mut self, end: SessionEnd, goodbye: Goodbye) {
        if self.shutdown.phase == Phase::Ended {
            return;
        }
        self.shutdown.reach(Phase::Ended);
        self.shutdown.goodbye = if self.shutdown.is_said() { Goodbye::Done } else { goodbye };
        let end = self.with_frames(end);
        let end = self.shutdown.end.get_or_insert(end).clone();
        self.note_in_flight();
        // Before the streams are cut, each of which would else be looked for in them.
        self.control.clear();
        self.schedule.clear();
        self.replies.clear();
        self.cut_streams(&SharedEnd::new(self.shutdown.with_peer(end)), |_| true);
        self.events.push_back(Event::Ended);
    }

    /// Fails the streams that `which` picks because of the session's end, and counts what is lost with them. Those
    /// that wait to be accepted still can be: what came of them is not lost with the session (S83).
    pub(super) fn cut_streams(&mut self, end: &SharedEnd, which: impl Fn(&Stream) -> bool) {
        for key in self.streams.keys() {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            if !which(stream) {
                continue;
            }
            self.shutdown.count_cut(stream);
            stream.rst = None;
            stream.in_control = false;
            let retry = self.streams.get(key).map_or(Retry::Unknown, |stream| self.retry_after_loss(stream));
            self.fail(key, Failure::Lost(end.clone(), retry));
        }
        // At once, and not for each stream, of which there may be many.
        let streams = &self.streams;
        self.control.retain(|key| streams.get(*key).is_some_and(|stream| stream.in_control));
    }

    /// A stream whose SYN the transport never took, and never will, was seen by nobody.
    pub(super) fn retry_after_loss(&self, stream: &Stream) -> Retry {
        let stranded = self.shutdown.transport_lost && stream.syn_at >= self.written;
        let untold = stream.id.is_none() || stranded;
        if stream.opener == Opener::Local && untold { Retry::NotProcessed } else { Retry::Unknown }
    }

    pub(super) fn glitch(&mut self) {
        count(&mut self.stats.glitches);
        if !self.budget.charge_glitch() {
            self.misbehaved(PeerMisbehaved::TooManyGlitches);
        }
    }

    pub(super) fn charge_reset(&mut self) {
        if !self.budget.charge_reset() {
            self.misbehaved(PeerMisbehaved::TooManyResets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_keeps_its_own_settings() {
        let config = Config::builder().max_frame(77).build().unwrap();
        assert_eq!(Mux::new(Side::Client, &config).config().max_frame(), 77);
    }
}
