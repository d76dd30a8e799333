//! One machine with its application and its driver, and the model that all three are held against.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use muxado_core::proto::{Batch, Event, Mux, StreamKey};
use muxado_core::{Config, Initiator, SessionEnd};
use muxado_frame::{Item, Side, StreamId};

use super::handle::{Cause, Expected, Handle};
use super::heard::{Heard, News};
use crate::rules::Sender;

/// Frames put in one batch at the most, so that a run stays short.
const BATCH_FRAMES: usize = 200_000;

/// One side of a run.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) mux: Mux,
    pub(super) config: Config,
    /// The peer obeys the rules, and the link changes nothing: the model is exact.
    pub(super) strict: bool,
    batch: Batch,
    /// What the machine has emitted and the transport has not taken.
    pub(super) outbox: Vec<u8>,
    pub(super) said: Sender,
    pub(super) heard: Heard,
    pub(super) handles: Vec<Handle>,
    /// The stream that last had each id, among those the application was given.
    pub(super) by_id: BTreeMap<u32, usize>,
    /// Ids of the peer's that began and were not given to the application yet, in order.
    pub(super) waiting: Vec<u32>,
    /// Those of them that were passed over, and must be refused (I12).
    pub(super) passed: Vec<u32>,
    pub(super) waits_to_accept: bool,
    pub(super) waits_to_open: bool,
    /// The machine has said that the session is over.
    pub(super) end_seen: bool,
    /// What it said then.
    pub(super) first_end: Option<SessionEnd>,
    /// This side has begun to end the session.
    pub(super) leaving: bool,
    /// The peer's GOAWAY has come.
    pub(super) peer_left: bool,
    /// The transport takes nothing more.
    pub(super) lost: bool,
    /// Its ids run out soon.
    pub(super) few_ids: bool,
    /// Why the session may have ended.
    pub(super) excuses: Vec<&'static str>,
    /// Everything that happened, in one number (I16).
    pub(super) hash: u64,
    now: Duration,
    salt: usize,
}

impl Node {
    pub(super) fn pass_time(&mut self, micros: u64) {
        self.now += Duration::from_micros(micros);
        self.mux.handle_time(self.now);
    }

    pub(super) fn new(side: Side, config: &Config, strict: bool, contiguous: bool) -> Node {
        Node {
            mux: Mux::new(side, config),
            config: config.clone(),
            strict: strict && config.max_session_recv().is_none(),
            batch: if contiguous { Batch::contiguous() } else { Batch::vectored() },
            outbox: Vec::new(),
            said: Sender::new(side, config),
            heard: Heard::default(),
            handles: Vec::new(),
            by_id: BTreeMap::new(),
            waiting: Vec::new(),
            passed: Vec::new(),
            waits_to_accept: false,
            waits_to_open: false,
            end_seen: false,
            first_end: None,
            leaving: false,
            peer_left: false,
            lost: false,
            few_ids: false,
            excuses: Vec::new(),
            hash: 0xCBF2_9CE4_8422_2325,
            now: Duration::ZERO,
            salt: if side == Side::Client { 1 } else { 1000 },
        }
    }

    /// Leaves it three ids to use.
    pub(super) fn begin_late(&mut self) {
        let first = if self.side() == Side::Client { 0x7FFF_FFF9 } else { 0x7FFF_FFF8 };
        let first = StreamId::new(first).expect("an id");
        self.mux.start_ids_at(first);
        self.said.begin_at(first);
        self.few_ids = true;
    }

    pub(super) fn side(&self) -> Side {
        self.mux.side()
    }

    /// How much its peer may send on a stream now.
    pub(super) fn mux_room(&self, id: u32) -> usize {
        let known = self.by_id.get(&id).and_then(|at| self.mux.credit(self.handles[*at].key));
        known.map_or(1, |(_, left)| left)
    }

    pub(super) fn stir(&mut self, number: usize) {
        self.hash = (self.hash ^ number as u64).wrapping_mul(0x0000_0100_0000_01B3);
    }

    pub(super) fn fresh_salt(&mut self) -> usize {
        self.salt += 1;
        self.salt
    }

    // What goes out.

    /// Lets the machine emit until there are `limit` bytes or nothing is left, one frame at a time, each judged.
    pub(super) fn pull(&mut self, limit: usize) {
        for _ in 0..BATCH_FRAMES {
            if self.outbox.len() >= limit || self.lost {
                return;
            }
            let wanted = self.mux.wants_transmit();
            let nameless: Vec<(usize, bool)> = self.nameless().collect();
            self.mux.poll_transmit(&mut self.batch, 1);
            let bytes = self.batch.slices().collect::<Vec<_>>().concat();
            assert_eq!(bytes.len(), self.batch.len(), "a batch says how long it is");
            let half = bytes.len() / 2;
            self.batch.advance(half);
            assert_eq!(self.batch.slices().collect::<Vec<_>>().concat(), bytes[half..], "F02");
            self.batch.advance(usize::MAX);
            if bytes.is_empty() {
                assert!(!self.mux.wants_transmit(), "I15: it wants to transmit and gives nothing");
                return;
            }
            assert!(wanted, "it gives what it did not want to transmit");
            self.emitted(&bytes, &nameless);
        }
        panic!("I15: {BATCH_FRAMES} frames and no end");
    }

    /// Streams of ours without an id, and whether each is still there.
    fn nameless(&self) -> impl Iterator<Item = (usize, bool)> {
        let all = self.handles.iter().enumerate();
        all.filter(|(_, handle)| handle.local && handle.id.is_none())
            .map(|(at, handle)| (at, self.mux.credit(handle.key).is_some()))
    }

    fn emitted(&mut self, bytes: &[u8], nameless: &[(usize, bool)]) {
        self.outbox.extend_from_slice(bytes);
        for byte in bytes {
            self.stir(usize::from(*byte));
        }
        let mut items = Vec::new();
        self.said.read(bytes, |item, piece| items.push((item, piece.to_vec())));
        let mut current = None;
        for (item, piece) in items {
            match item {
                Item::Data { id, flags, .. } if flags.syn() => {
                    self.named(id, nameless);
                    current = Some(id);
                }
                Item::Data { id, flags, .. } => {
                    current = Some(id);
                    if flags.fin() {
                        self.fin_sent(id);
                    }
                }
                Item::Body { len, .. } => {
                    if let Some(&at) = current.and_then(|id| self.by_id.get(&id)) {
                        self.payload_sent(at, &piece[piece.len() - len..]);
                    }
                }
                Item::Rst { id, code, .. } => self.rst_sent(id, code.get()),
                Item::WndInc { id, .. } => {
                    let returned = self.said.streams.get(&id).map_or(0, |sent| sent.credit);
                    let came = self.heard.total(id);
                    assert!(returned <= came, "W05: {returned} of {came} bytes are returned on {id}");
                }
                Item::GoAway { last, .. } => {
                    current = None;
                    let given = self.handles.iter().filter(|h| !h.local).filter_map(|h| h.id).max();
                    assert!(given.is_none_or(|id| id <= last), "GOAWAY with {last} leaves out {given:?}");
                }
                _ => {}
            }
        }
    }

    /// A stream of ours has got its id: which one?
    fn named(&mut self, id: u32, nameless: &[(usize, bool)]) {
        let knows = |at: usize| self.mux.stream_id(self.handles[at].key).map(StreamId::get) == Some(id);
        let gone = |at: usize| self.mux.credit(self.handles[at].key).is_none();
        let found = nameless.iter().find(|(at, _)| knows(*at));
        let found = found.or_else(|| nameless.iter().find(|(at, was)| *was && gone(*at)));
        let (at, _) = *found.expect("a SYN belongs to a stream that was opened");
        self.handles[at].id = Some(id);
        self.by_id.insert(id, at);
    }

    fn payload_sent(&mut self, at: usize, piece: &[u8]) {
        let handle = &mut self.handles[at];
        for (offset, byte) in (handle.emitted..).zip(piece) {
            assert_eq!(*byte, Handle::byte(handle.salt, offset), "I2: byte {offset} of {:?}", handle.id);
        }
        handle.emitted += piece.len();
        assert!(handle.emitted <= handle.written, "I2: {:?} sent more than was written", handle.id);
        let Some(id) = handle.id else { return };
        let credit = u64::from(self.config.window())
            + self.heard.streams.get(&id).map_or(0, |all| all.iter().map(|incoming| incoming.credit).sum());
        assert!(self.handles[at].emitted as u64 <= credit, "I5: {id} sent beyond its credit of {credit}");
    }

    fn fin_sent(&mut self, id: u32) {
        let Some(&at) = self.by_id.get(&id) else {
            assert!(id >= 0x7FFF_FFFE, "FIN on {id}, which nobody holds");
            return;
        };
        let handle = &mut self.handles[at];
        assert!(handle.finished, "I2: FIN on {id}, which nobody finished");
        assert_eq!(handle.emitted, handle.written, "I2: FIN on {id} before its last byte");
        handle.fin_sent = true;
        self.cut_off(at);
    }

    /// Once FIN is out, what its reader left unread is cut off: the machine knows before RST is on the wire.
    pub(super) fn cut_off(&mut self, at: usize) {
        if self.handles[at].cut_off && self.handles[at].fin_sent {
            self.dies(at, Cause::Reset(6, Initiator::Local), true);
        }
    }

    fn rst_sent(&mut self, id: u32, code: u32) {
        if code == 5 || code == 9 {
            let used = self.by_id.get(&id).is_some_and(|at| self.handles[*at].was_used());
            assert!(!used || !self.strict, "W09: {id} was used, and is refused with {code}");
        }
        if self.strict && !self.by_id.contains_key(&id) {
            // I12: a stream that was never given to the application was refused.
            self.is_settled(id);
            let roomy = self.config.max_inbound_streams() >= 256 && !self.leaving;
            assert!(!(roomy && code == 5), "S30: {id} was refused without need");
            let roomy = self.config.accept_backlog() >= 256;
            assert!(!(roomy && code == 9), "S29: {id} was refused without need");
        }
        if self.strict && code == 3 {
            let cause = self.by_id.get(&id).and_then(|at| self.handles[*at].cause);
            // After a close the application may still cut short what is flushed.
            let asked = matches!(cause, Some(Cause::Lost | Cause::Reset(3, Initiator::Local)));
            assert!(asked, "S45: {id} obeyed its window");
        }
        if let Some(&at) = self.by_id.get(&id) {
            self.handles[at].rst_sent = true;
            if self.handles[at].aborting || self.handles[at].fin_sent {
                self.dies(at, Cause::Reset(code, Initiator::Local), false);
            }
        }
    }

    // What comes in.

    /// The transport has these bytes. Says how many the machine took.
    pub(super) fn deliver(&mut self, bytes: &[u8], shared: bool) -> usize {
        let taken = match shared {
            true => self.mux.handle_bytes(&Bytes::copy_from_slice(bytes)),
            false => self.mux.handle_slice(bytes),
        };
        assert!(taken > 0 && taken <= bytes.len(), "I15: {taken} of {} bytes were taken", bytes.len());
        self.stir(taken);
        for news in self.heard.read(&bytes[..taken]) {
            match news {
                News::Syn(id) => self.syn_came(id),
                News::Rst(id, code) => self.rst_came(id, code),
                News::GoAway(last) => self.goaway_came(last),
            }
        }
        taken
    }

    fn syn_came(&mut self, id: u32) {
        self.waiting.push(id);
        if !self.strict {
            self.said.begun_again(id);
        }
    }

    fn rst_came(&mut self, id: u32, code: u32) {
        match self.by_id.get(&id) {
            Some(&at) => self.dies(at, Cause::Reset(code, Initiator::Remote), false),
            // If it had been reset on this side, it stays to be accepted.
            None if self.strict => self.is_settled(id),
            None => {}
        }
    }

    /// A stream of the peer's will not be given to the application.
    fn is_settled(&mut self, id: u32) {
        self.waiting.retain(|waiting| *waiting != id);
        self.passed.retain(|passed| *passed != id);
    }

    fn goaway_came(&mut self, last: u32) {
        self.peer_left = true;
        self.excuses.push("the peer said GOAWAY");
        let last = last & 0x7FFF_FFFF;
        for at in 0..self.handles.len() {
            let handle = &self.handles[at];
            if handle.local && handle.id.is_none_or(|id| id > last) {
                self.dies(at, Cause::Lost, false);
            }
        }
    }

    /// The stream has failed, and with `throw` what is unread is gone. The first cause counts (I13).
    pub(super) fn dies(&mut self, at: usize, cause: Cause, throw: bool) {
        let (there, fin) = self.incoming(at);
        let handle = &mut self.handles[at];
        let recv_finished = if handle.limit.is_some() { handle.fin_at_death } else { fin };
        if throw && handle.fin_sent && recv_finished {
            return;
        }
        let limit = handle.limit.unwrap_or(there);
        handle.fin_at_death = recv_finished && !(throw && limit > handle.read);
        handle.limit = Some(if throw { handle.read } else { limit });
        handle.cause.get_or_insert(cause);
        handle.send_dead = true;
    }

    /// Bytes that have come for a stream, and whether its FIN has.
    pub(super) fn incoming(&self, at: usize) -> (usize, bool) {
        let handle = &self.handles[at];
        let incoming = handle.id.and_then(|id| self.heard.incoming(id, *handle.which.last()?));
        incoming.map_or((0, false), |incoming| (incoming.payload.len(), incoming.fin_at.is_some()))
    }

    /// What reading should come to, exactly if the node is strict.
    pub(super) fn read_state(&self, at: usize) -> Expected {
        let handle = &self.handles[at];
        let (there, fin) = self.incoming(at);
        let left = handle.limit.unwrap_or(there) - handle.read;
        let fin = if handle.limit.is_some() { handle.fin_at_death } else { fin };
        match handle.cause {
            _ if left > 0 => Expected::Bytes(left),
            _ if fin => Expected::End,
            Some(cause) => Expected::Fails(cause),
            None => Expected::Blocked,
        }
    }

    // What follows.

    /// Takes note of everything the machine tells, and checks all that must hold after every step.
    pub(super) fn after(&mut self) {
        drop(self.mux.take_discarded());
        self.note_end();
        while let Some(event) = self.mux.poll_event() {
            let told = match event {
                Event::Readable(key) => self
                    .handle(key)
                    .is_none_or(|handle| std::mem::take(&mut handle.waits_to_read) || !handle.recv_held),
                Event::Writable(key) => self
                    .handle(key)
                    .is_none_or(|handle| std::mem::take(&mut handle.waits_to_write) || !handle.send_held),
                Event::Stopped(key) => {
                    self.handle(key).is_some_and(|handle| std::mem::take(&mut handle.waits_to_stop))
                }
                Event::Incoming => std::mem::take(&mut self.waits_to_accept),
                Event::PlaceFree => std::mem::take(&mut self.waits_to_open),
                _ => {
                    // Everybody is told.
                    self.waits_to_accept = false;
                    self.waits_to_open = false;
                    for handle in &mut self.handles {
                        handle.waits_to_read = false;
                        handle.waits_to_write = false;
                    }
                    self.end_seen
                }
            };
            assert!(told || self.end_seen, "{event:?} for nobody who waits");
        }
        self.check_watchers();
        self.check();
    }

    fn handle(&mut self, key: StreamKey) -> Option<&mut Handle> {
        self.handles.iter_mut().rev().find(|handle| handle.key == key)
    }

    /// The end of the session is the end of its streams.
    pub(super) fn note_end(&mut self) {
        let Some(end) = self.mux.end() else { return };
        self.first_end.get_or_insert(end);
        let over = self.mux.is_ended();
        let first = !std::mem::replace(&mut self.end_seen, true);
        for at in 0..self.handles.len() {
            let handle = &self.handles[at];
            // A close lets what is finished, or dropped, flush.
            let flushes = !over && !handle.send_dead && (handle.finished || handle.aborting);
            let dead = handle.send_dead;
            if first || (over && !dead) {
                self.dies(at, Cause::Lost, false);
                self.handles[at].send_dead = dead || !flushes;
            }
        }
    }
}
