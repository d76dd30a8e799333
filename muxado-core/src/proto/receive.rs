//! What comes in: one function for each kind of frame. A frame is judged on its header, before any byte of its
//! payload is kept.

use bytes::Bytes;
use muxado_frame::{ErrorCode, Flags, Header, Item, StreamId};

use super::event::Event;
use super::flow::size;
use super::mux::Mux;
use super::shutdown::{Goodbye, MAX_PEER_TEXT, PeerGoodbye, Phase};
use super::state::RecvState;
use super::stats::count;
use super::stream::{Opener, StreamKey};
use super::transmit::LITTLE;
use super::tuning::Verdict;
use super::violation::{Charge, Violation};
use crate::error::{EndCause, Failure, Initiator, PeerMisbehaved, Reset, Retry, SessionEnd, SharedEnd};

/// Frames handled in one call at the most, so that tiny frames cannot hold a lock for long (B20).
const MAX_FRAMES: usize = 256;

/// Payload pieces from this size on are kept as slices of the read buffer, in bytes; smaller ones are copied.
const SHARE_FROM: usize = 2048;

/// Where the payload of the frame in progress goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none, or nobody wants it.
    None,
    /// To a stream; with `fin`, its last byte is the stream's last. With `is_small` there is little of it.
    Stream { key: StreamKey, fin: bool, is_small: bool },
    /// It is the text of the peer's GOAWAY.
    GoodbyeText,
}

impl Mux {
    /// Bytes came. Large payloads are kept as slices of `input`, which they hold in memory until they are read.
    ///
    /// Returns how many bytes were taken, at most 256 frames of them; call again with the rest.
    ///
    /// ```
    /// # use muxado_core::{Bytes, Config, Side, proto::Mux};
    /// # let mut mux = Mux::new(Side::Server, &Config::default());
    /// let mut input = Bytes::from_static(b"\x00\x00\x05\x12\x00\x00\x00\x03hello");
    /// while !input.is_empty() {
    ///     let taken = mux.handle_bytes(&input);
    ///     let _ = input.split_to(taken);
    /// }
    /// assert_eq!(mux.stats().bytes_received, 5);
    /// ```
    #[must_use = "call again with the rest"]
    pub fn handle_bytes(&mut self, input: &Bytes) -> usize {
        self.handle(input, Some(input))
    }

    /// Bytes came. Everything that is kept is copied. Returns as [`handle_bytes`](Mux::handle_bytes).
    #[must_use = "call again with the rest"]
    pub fn handle_slice(&mut self, input: &[u8]) -> usize {
        self.handle(input, None)
    }

    /// The transport ended: no more bytes will come. What it has not taken is not sent any more: report what it took
    /// first.
    ///
    /// Streams that had their FIN keep their clean end; all others fail. Without a GOAWAY this is an error (S01,
    /// S02), with one it is the end that was announced.
    ///
    /// ```
    /// # use muxado_core::{Config, EndCause, Side, proto::Mux};
    /// # let mut mux = Mux::new(Side::Server, &Config::default());
    /// mux.handle_eof();
    /// let end = mux.end().expect("it is over");
    /// assert!(matches!(end.cause(), EndCause::PeerEof) && !end.is_clean());
    /// ```
    pub fn handle_eof(&mut self) {
        self.lose_transport(SessionEnd::new(EndCause::PeerEof));
    }

    /// The transport failed, or is out of reach: report what it took first. After the peer's GOAWAY this is the end
    /// that was announced.
    pub fn handle_failure(&mut self, cause: EndCause) {
        self.lose_transport(SessionEnd::new(cause));
    }

    /// As [`handle_failure`](Mux::handle_failure), for an owner that must keep the end, so that an error which is not the
    /// first cause is not dropped under its lock.
    pub(crate) fn lose_transport(&mut self, end: SessionEnd) {
        let end = match &self.shutdown.peer {
            Some(peer) => peer.end(),
            None => end,
        };
        self.shutdown.transport_lost = true;
        self.finish_session(end, Goodbye::Done);
    }

    /// The transport takes nothing more, which is no end yet: what the peer said before may still come. Report what it
    /// took first.
    pub(crate) fn handle_broken_off(&mut self) {
        self.shutdown.transport_lost = true;
    }

    /// The transport has taken no byte for [`Config::write_stall`](crate::Config::write_stall) (S84). What it has not
    /// taken must not be sent any more: streams whose SYN is there are said to be safe to retry.
    pub fn handle_stall(&mut self) {
        if self.shutdown.phase == Phase::Ended {
            return;
        }
        self.shutdown.transport_lost = true;
        self.shutdown.say(ErrorCode::WRITE_TIMEOUT, b"write timeout");
        self.finish_session(SessionEnd::new(EndCause::WriteStalled), Goodbye::Now);
    }

    fn handle(&mut self, input: &[u8], shared: Option<&Bytes>) -> usize {
        let mut taken = 0_usize;
        let mut frames = 0_usize;
        while frames < MAX_FRAMES {
            if self.shutdown.phase == Phase::Ended {
                return input.len();
            }
            let rest = input.get(taken..).unwrap_or(&[]);
            match self.decoder.decode(rest) {
                Ok((used, None)) => return taken.saturating_add(used),
                Ok((used, Some(Item::Body { len, last }))) => {
                    taken = taken.saturating_add(used);
                    let start = taken.saturating_sub(len);
                    let piece = input.get(start..taken).unwrap_or(&[]);
                    let shared = shared.filter(|_| len >= SHARE_FROM).map(|all| all.slice(start..taken));
                    self.on_body(piece, shared, last);
                }
                Ok((used, Some(item))) => {
                    taken = taken.saturating_add(used);
                    frames = frames.saturating_add(1);
                    count(&mut self.stats.frames_received);
                    if self.watch.is_some() {
                        self.watch_received(&item);
                    }
                    self.on_frame(item);
                }
                Err(error) => self.misbehaved(PeerMisbehaved::Frame(error)),
            }
        }
        taken
    }

    fn on_frame(&mut self, item: Item) {
        self.body = Body::None;
        match item {
            Item::Data { id, length, flags } => {
                let Some(id) = self.valid_id(id) else { return };
                self.stats.bytes_received = self.stats.bytes_received.saturating_add(u64::from(length));
                self.on_data(id, size(length), flags);
            }
            Item::Rst { id, code, .. } => {
                let Some(id) = self.valid_id(id) else { return };
                count(&mut self.stats.resets_received);
                self.on_rst(id, code);
            }
            Item::WndInc { id, increment, .. } => {
                let Some(id) = self.valid_id(id) else { return };
                self.on_wndinc(id, increment);
            }
            Item::GoAway { last, code, debug_len, .. } => self.on_goaway(last, code, debug_len),
            Item::Unknown { header } => self.on_unknown(header),
            Item::Body { .. } => {}
        }
    }

    /// The decoder reports ids as they came; the reserved bit ends the session (S10, S11).
    fn valid_id(&mut self, id: u32) -> Option<StreamId> {
        let id = StreamId::new(id);
        if id.is_none() {
            self.misbehaved(PeerMisbehaved::ReservedBit);
        }
        id
    }

    fn on_data(&mut self, id: StreamId, len: usize, flags: Flags) {
        if let Some(key) = self.streams.find_open(id) {
            return if flags.syn() {
                self.misbehaved(PeerMisbehaved::DuplicateSyn);
            } else {
                self.on_live_data(key, len, flags);
            };
        }
        if flags.syn() && self.streams.is_local(id) {
            return self.misbehaved(PeerMisbehaved::WrongParity);
        }
        if self.streams.is_local(id) && !self.streams.was_seen(id) {
            return self.misbehaved(PeerMisbehaved::NeverOpened);
        }
        if flags.syn() { self.on_syn(id, len, flags) } else { self.on_stray_data(id, len, flags) }
    }

    /// A stream of the peer's begins. All checks come before any state (S21).
    fn on_syn(&mut self, id: StreamId, len: usize, flags: Flags) {
        if !self.streams.saw(id) {
            count(&mut self.stats.late_syns);
        }
        let window = self.config.window();
        let left = size(window).saturating_sub(len);
        if self.streams.is_dead(id) {
            return self.violation_without_slot(id, left, Violation::NotOpen);
        }
        let refusal = if self.shutdown.phase >= Phase::Draining {
            Some(Violation::Refused)
        } else if len > size(window) {
            Some(Violation::BeyondWindow)
        } else if self.streams.inbound_is_full(self.config.max_inbound_streams()) {
            Some(Violation::Refused)
        } else if self.streams.backlog_len() >= self.config.accept_backlog() {
            Some(Violation::BacklogFull)
        } else {
            None
        };
        if let Some(violation) = refusal {
            if violation.charge() == Charge::Nothing {
                count(&mut self.stats.refused);
            }
            return self.violation_without_slot(id, left, violation);
        }
        let Some(key) = self.streams.announce(id, window) else { return };
        if std::mem::take(&mut self.accept_waiting) {
            self.events.push_back(Event::Incoming);
        }
        self.on_live_data(key, len, flags);
    }

    fn on_live_data(&mut self, key: StreamKey, len: usize, flags: Flags) {
        let over_cap = self
            .config
            .max_session_recv()
            .is_some_and(|cap| self.stats.unread_bytes.saturating_add(len) > cap);
        let Some(stream) = self.streams.get_mut(key) else { return };
        match stream.recv.state {
            RecvState::Finished if len == 0 => self.glitch(),
            RecvState::Finished => self.violation(key, Violation::AfterFin),
            RecvState::Dead if stream.recv.credit.announce(len) => {}
            RecvState::Dead => self.glitch(),
            RecvState::Open | RecvState::Discarding => {
                if !stream.recv.credit.announce(len) {
                    return self.violation(key, Violation::BeyondWindow);
                }
                if over_cap && stream.recv.state == RecvState::Open {
                    return self.violation(key, Violation::MemoryCap);
                }
                if len > 0 {
                    self.body = Body::Stream { key, fin: flags.fin(), is_small: len < LITTLE };
                } else if flags.fin() {
                    self.on_fin(key);
                } else if !flags.syn() {
                    self.glitch();
                }
            }
        }
    }

    /// DATA without SYN for an id that has no slot: forgotten, remembered as dead, or never seen.
    fn on_stray_data(&mut self, id: StreamId, len: usize, flags: Flags) {
        if let Some(had_credit) = self.streams.spend_of_dead(id, len) {
            if !had_credit {
                self.glitch();
            }
            return;
        }
        let bare_fin = len == 0 && flags.fin();
        if bare_fin || self.shutdown.phase >= Phase::Closing {
            // While we close, streams were cut without a word: our GOAWAY will tell.
            return;
        }
        if len == 0 && self.streams.was_seen(id) {
            return self.glitch();
        }
        let credit = self.streams.left_behind(id).unwrap_or(size(self.config.window()));
        self.violation_without_slot(id, credit.saturating_sub(len), Violation::NotOpen);
    }

    fn on_body(&mut self, piece: &[u8], shared: Option<Bytes>, last: bool) {
        match self.body {
            Body::None => {}
            Body::GoodbyeText => self.on_goodbye_text(piece, last),
            Body::Stream { key, fin, is_small } => {
                self.on_payload(key, piece, shared, is_small);
                if last && fin {
                    self.on_fin(key);
                }
            }
        }
    }

    fn on_payload(&mut self, key: StreamKey, piece: &[u8], shared: Option<Bytes>, is_small: bool) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        match stream.recv.state {
            RecvState::Open => {
                stream.keep(piece, shared, &mut self.read_spare);
                self.stats.unread_bytes = self.stats.unread_bytes.saturating_add(piece.len());
                if std::mem::take(&mut stream.recv.waiting) {
                    self.events.push_back(Event::Readable(key));
                    self.told_small |= is_small;
                }
                let verdict = stream.recv.judge(self.now, piece.len(), &mut self.path);
                if verdict != Verdict::Nothing {
                    self.heed(key, verdict);
                }
            }
            RecvState::Discarding => {
                stream.recv.credit.discard(piece.len());
                let verdict = stream.recv.judge(self.now, piece.len(), &mut self.path);
                if verdict != Verdict::Nothing {
                    self.heed(key, verdict);
                }
                self.return_credit(key);
                self.settle(key);
            }
            // It failed amid the frame. What is still to come of that keeps no extra credit from others.
            RecvState::Dead => {
                stream.recv.credit.discard(piece.len());
                self.return_credit(key);
            }
            RecvState::Finished => {}
        }
    }

    /// The FIN of a frame counts once its last byte is here, and not before (S04).
    fn on_fin(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.recv.state.fin_received();
        if std::mem::take(&mut stream.recv.waiting) {
            self.events.push_back(Event::Readable(key));
        }
        self.return_credit(key);
        self.settle(key);
    }

    fn on_rst(&mut self, id: StreamId, code: ErrorCode) {
        let Some(key) = self.streams.find(id) else {
            return self.on_stray_control(id);
        };
        let Some(stream) = self.streams.get_mut(key) else { return };
        let unseen = stream.in_backlog;
        if stream.was_reset_by_us && stream.rst.is_none() {
            // It crossed ours (S58).
            return;
        }
        stream.rst = None;
        stream.was_reset_by_us = false;
        self.streams.leave_backlog(key);
        self.fail(key, Failure::Reset(Reset { code, initiator: Initiator::Remote }));
        if unseen {
            self.charge_reset();
        }
    }

    fn on_wndinc(&mut self, id: StreamId, increment: u32) {
        let window = self.config.window();
        let Some(key) = self.streams.find(id) else {
            return self.on_stray_control(id);
        };
        let Some(stream) = self.streams.get_mut(key) else { return };
        let plausible = stream.send.credit.grant(increment, window, &mut stream.send.excess);
        self.settle(key);
        self.give_room(key);
        if !plausible {
            self.glitch();
        }
    }

    /// RST or WNDINC for an id without a slot: normal traffic for what was forgotten (S57, S66).
    fn on_stray_control(&mut self, id: StreamId) {
        if self.streams.was_seen(id) || self.streams.is_dead(id) {
            return;
        }
        if self.streams.is_local(id) {
            self.misbehaved(PeerMisbehaved::NeverOpened);
        } else {
            self.glitch();
        }
    }

    fn on_goaway(&mut self, last: u32, code: ErrorCode, debug_len: u32) {
        let last = last & StreamId::MAX.get();
        let goodbye = PeerGoodbye { last, code, text: Vec::new() };
        if debug_len > 0 {
            self.shutdown.coming = Some(goodbye);
            self.body = Body::GoodbyeText;
        } else {
            self.hear_goodbye(goodbye);
        }
    }

    fn on_goodbye_text(&mut self, piece: &[u8], last: bool) {
        // Nothing is allocated for a text that will not be kept.
        let is_wanted = self.shutdown.peer.as_ref().is_none_or(PeerGoodbye::says_nothing);
        let Some(coming) = &mut self.shutdown.coming else { return };
        if is_wanted {
            let room = MAX_PEER_TEXT.saturating_sub(coming.text.len()).min(piece.len());
            coming.text.extend_from_slice(piece.get(..room).unwrap_or(&[]));
        }
        if last {
            if let Some(goodbye) = self.shutdown.coming.take() {
                self.hear_goodbye(goodbye);
            }
        }
    }

    /// The first one that says why is kept; of later ones only the reach counts, if it is less (S74, S75).
    fn hear_goodbye(&mut self, mut goodbye: PeerGoodbye) {
        let before = self.shutdown.peer.take();
        let again = before.is_some();
        if let Some(before) = before {
            let last = before.last.min(goodbye.last);
            let kept = if before.says_nothing() { goodbye } else { before };
            goodbye = PeerGoodbye { last, ..kept };
        }
        self.shutdown.peer = Some(goodbye);
        self.refuse_unprocessed();
        if again {
            self.glitch();
        }
    }

    /// The peer has not processed our streams above its last id, and takes no new ones: both are safe to retry.
    fn refuse_unprocessed(&mut self) {
        let Some(peer) = &self.shutdown.peer else { return };
        let last = peer.last;
        let above = self.streams.keys_of(|stream| {
            stream.opener == Opener::Local
                && stream.id.is_none_or(|id| id.get() > last)
                && stream.can_be_lost()
        });
        // Nothing is done and nothing allocated for a GOAWAY that comes again.
        if !above.is_empty() {
            let end = SharedEnd::new(peer.end());
            for key in &above {
                if let Some(stream) = self.streams.get_mut(*key) {
                    // Who holds a stream is told.
                    let untold = stream.is_released() && !stream.send.queue.is_empty();
                    if untold && self.shutdown.phase > Phase::Open {
                        self.shutdown.count_cut(stream);
                    }
                    stream.rst = None;
                    stream.is_ready = false;
                }
            }
            // At once, and not for each stream, of which there may be many.
            let streams = &self.streams;
            self.schedule.retain(|key| streams.get(key).is_some_and(|stream| stream.is_ready));
            for key in above {
                self.fail(key, Failure::Lost(end.clone(), Retry::NotProcessed));
            }
        }
        self.tell_openers();
    }

    /// Unknown frames are skipped (S06, S07), except behind a GOAWAY, where they are the peer's stray bytes (S73).
    fn on_unknown(&mut self, _header: Header) {
        if let Some(peer) = &self.shutdown.peer {
            let end = peer.end();
            return self.finish_session(end, Goodbye::Done);
        }
        self.glitch();
    }

    /// The peer broke a rule on a live stream: RST, and the payload in progress is thrown away.
    fn violation(&mut self, key: StreamKey, violation: Violation) {
        self.reset_stream(key, violation.code(), Initiator::Remote);
        self.charge(violation);
    }

    /// The same for an id without a slot. It is remembered with the credit the peer has left there.
    fn violation_without_slot(&mut self, id: StreamId, left: usize, violation: Violation) {
        self.reply(id, violation.code());
        self.streams.bury(id, left);
        self.charge(violation);
    }

    fn charge(&mut self, violation: Violation) {
        match violation.charge() {
            Charge::Nothing => {}
            Charge::Reset => self.charge_reset(),
            Charge::Glitch => self.glitch(),
        }
    }
}
