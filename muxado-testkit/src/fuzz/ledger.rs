//! Both directions of one session as an independent reader of the bytes sees them, and what may follow from them.
//!
//! The peer is anybody, so the rules are those that hold whatever it does: what we send (W), what we may deliver, and
//! which frames must end the session. The reader knows nothing of the machine's state.

use std::collections::BTreeMap;

use muxado_core::Config;
use muxado_frame::{Side, StreamId};

use super::naive::{Frame, Part, Reader};

/// Streams the machine remembers as dead (B09). Beyond as many, an id may be forgotten and answered again.
const REMEMBERED: usize = 1024;

/// As many frames can empty a budget or fill the queue of replies, which ends a session.
const MAY_BE_TOO_MANY: usize = 256;

/// Codes of RST and GOAWAY: those of protocol 3.3, and the two the driver of this session asks for.
const RST_CODES: &[u32] = &[2, 3, 4, 5, 6, 7, 9, 10];
const GOAWAY_CODES: &[u32] = &[0, 1, 2, 8, 10, 13, 77];

/// What both sides have said.
#[derive(Debug)]
pub(super) struct Ledger {
    us: Side,
    window: usize,
    extra_credit: usize,
    max_frame: usize,
    incoming: Reader,
    outgoing: Reader,
    ids: BTreeMap<u32, Both>,
    /// Of our next SYN.
    next_id: u32,
    /// Where the body in progress goes.
    body_in: Option<u32>,
    body_out: Option<u32>,
    frames_in: usize,
    resets_out: usize,
    heard_goodbye: bool,
    goodbye: Goodbye,
    /// A frame has come that ends every session.
    pub(super) must_end: bool,
    /// A frame has come that may end a session.
    pub(super) may_end: bool,
    /// The last stream id of our GOAWAY.
    pub(super) last_said: Option<u32>,
}

/// Our GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    Unsaid,
    /// Said while more may follow: its filler is next.
    NeedsFiller,
    Early,
    Said,
}

/// What was said about one id. It has a life for each SYN: a peer may use an id again.
#[derive(Debug, Default)]
pub(super) struct Both {
    pub(super) lives: Vec<Life>,
    /// Payload the peer sent, in all lives and outside of them.
    came: usize,
    /// Credit we returned.
    returned: usize,
    /// Credit we gave beyond the window.
    extra: usize,
    /// Credit the peer gave.
    granted: usize,
    sent: usize,
    resets: usize,
}

/// One use of an id.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) came: Vec<u8>,
    pub(super) came_fin: bool,
    fin_coming: bool,
    pub(super) sent: Vec<u8>,
    pub(super) sent_fin: bool,
}

impl Ledger {
    pub(super) fn new(us: Side, first: StreamId, config: &Config) -> Ledger {
        Ledger {
            us,
            window: config.window() as usize,
            extra_credit: config.extra_credit(),
            max_frame: config.max_frame() as usize,
            incoming: Reader::default(),
            outgoing: Reader::default(),
            ids: BTreeMap::new(),
            next_id: first.get(),
            body_in: None,
            body_out: None,
            frames_in: 0,
            resets_out: 0,
            heard_goodbye: false,
            goodbye: Goodbye::Unsaid,
            must_end: false,
            may_end: false,
            last_said: None,
        }
    }

    pub(super) fn id(&self, id: u32) -> Option<&Both> {
        self.ids.get(&id)
    }

    /// Early GOAWAYs are ours to ask for: more frames may follow the one that comes.
    pub(super) fn expect_early_goodbye(&mut self) {
        if self.goodbye == Goodbye::Unsaid {
            self.goodbye = Goodbye::NeedsFiller;
        }
    }

    fn is_ours(&self, id: u32) -> bool {
        StreamId::new(id).is_some_and(|id| id.opener() == self.us)
    }

    /// Whether a SYN of ours has gone out for an id of our parity.
    fn was_opened(&self, id: u32) -> bool {
        (StreamId::first(self.us).get()..self.next_id).contains(&id)
    }

    /// The peer has sent these bytes.
    pub(super) fn heard(&mut self, mut bytes: &[u8]) {
        while !self.must_end {
            match self.incoming.next(&mut bytes) {
                Ok(Some(Part::Frame(frame))) => self.heard_frame(&frame),
                Ok(Some(Part::Body(piece, last))) => self.heard_body(piece, last),
                Ok(None) => return,
                Err(_) => self.must_end = true,
            }
        }
    }

    fn heard_frame(&mut self, frame: &Frame) {
        self.frames_in += 1;
        self.may_end |= self.frames_in > MAY_BE_TOO_MANY;
        self.body_in = None;
        let id = frame.id;
        if frame.kind <= 2 {
            self.judge_id(id);
        }
        match frame.kind {
            1 => {
                self.must_end |= self.is_ours(id) && frame.syn();
                let both = self.ids.entry(id).or_default();
                if frame.syn() {
                    self.may_end |= !both.lives.is_empty();
                    both.lives.push(Life::default());
                }
                both.came += frame.length;
                let Some(life) = both.lives.last_mut() else { return };
                match frame.length {
                    0 => life.came_fin |= frame.fin(),
                    _ => life.fin_coming = frame.fin(),
                }
                self.body_in = Some(id).filter(|_| !life.came_fin);
            }
            2 => self.ids.entry(id).or_default().granted += (frame.number(0) & 0x7FFF_FFFF) as usize,
            3 => self.heard_goodbye = true,
            4.. => self.may_end |= self.heard_goodbye,
            _ => {}
        }
    }

    /// The reserved bit, and ids of ours that we never opened (S10, S11, S41).
    fn judge_id(&mut self, id: u32) {
        let reserved = StreamId::new(id).is_none();
        self.must_end |= reserved || (self.is_ours(id) && !self.was_opened(id));
    }

    fn heard_body(&mut self, piece: &[u8], last: bool) {
        let both = self.body_in.and_then(|id| self.ids.get_mut(&id));
        let Some(life) = both.and_then(|both| both.lives.last_mut()) else { return };
        life.came.extend_from_slice(piece);
        life.came_fin |= last && life.fin_coming;
    }

    /// We have sent these bytes.
    ///
    /// # Panics
    /// If a rule is broken.
    pub(super) fn said(&mut self, mut bytes: &[u8]) {
        loop {
            match self.outgoing.next(&mut bytes) {
                Ok(Some(Part::Frame(frame))) => self.said_frame(&frame),
                Ok(Some(Part::Body(piece, _))) => self.said_body(piece),
                result => return assert!(matches!(result, Ok(None)), "we sent what is no frame: {result:?}"),
            }
        }
    }

    fn said_body(&mut self, piece: &[u8]) {
        let both = self.body_out.and_then(|id| self.ids.get_mut(&id));
        if let Some(life) = both.and_then(|both| both.lives.last_mut()) {
            life.sent.extend_from_slice(piece);
        }
    }

    fn said_frame(&mut self, frame: &Frame) {
        assert_ne!(self.goodbye, Goodbye::Said, "W08, W12: {frame:?} after GOAWAY");
        assert!(frame.kind == 1 || frame.flags == 0, "W03: {frame:?}");
        self.body_out = None;
        match frame.kind {
            0 => self.said_rst(frame.id, frame.number(0)),
            1 => self.said_data(frame),
            2 => self.said_wndinc(frame.id, frame.number(0) as usize),
            3 => self.said_goodbye(frame),
            kind => assert!(kind < 4, "W04: {frame:?}"),
        }
    }

    fn said_rst(&mut self, id: u32, code: u32) {
        assert!(RST_CODES.contains(&code), "W09: RST {code} for {id}");
        self.resets_out += 1;
        let forgetful = self.resets_out > REMEMBERED;
        let ours = self.is_ours(id);
        assert!(!ours || self.was_opened(id), "RST for {id}, which has no SYN yet");
        let both = self.ids.entry(id).or_default();
        both.resets += 1;
        let most = if ours { 1 } else { 1 + both.lives.len() };
        assert!(forgetful || both.resets <= most, "W10: RST number {} for {id}", both.resets);
    }

    fn said_wndinc(&mut self, id: u32, increment: usize) {
        let forgetful = self.resets_out > REMEMBERED;
        let both = self.ids.entry(id).or_default();
        if increment > self.window {
            both.extra += increment;
            assert!(increment <= self.extra_credit, "W05: {increment} for {id}");
        } else {
            both.returned += increment;
        }
        assert!(both.returned <= both.came, "W05: {} of {} for {id}", both.returned, both.came);
        assert!(both.resets == 0 || forgetful, "W10: WNDINC after RST for {id}");
    }

    fn said_goodbye(&mut self, frame: &Frame) {
        let (last, code) = (frame.number(0), frame.number(1));
        assert!(frame.length <= 8 + 256, "W08: {} bytes of text", frame.length - 8);
        assert!(GOAWAY_CODES.contains(&code), "GOAWAY {code}");
        let known = self.ids.get(&last).is_some_and(|both| !both.lives.is_empty());
        assert!(last == 0 || (known && !self.is_ours(last)), "GOAWAY with last id {last}");
        if let Some(before) = self.last_said {
            assert_eq!(self.goodbye, Goodbye::Early, "W12: GOAWAY twice");
            assert!((code, frame.length) != (0, 8), "W12: a second GOAWAY that says nothing");
            assert!(last <= before, "GOAWAY with {last} after {before}");
        }
        self.last_said = Some(last);
        if self.goodbye != Goodbye::NeedsFiller {
            self.goodbye = Goodbye::Said;
        }
    }

    fn said_data(&mut self, frame: &Frame) {
        let &Frame { id, length, flags, .. } = frame;
        let filler = if self.us == Side::Client { 0x7FFF_FFFF } else { 0x7FFF_FFFE };
        if self.goodbye == Goodbye::NeedsFiller && self.last_said.is_some() {
            assert_eq!((id, length, flags), (filler, 0, 1), "the filler of an early GOAWAY");
            self.goodbye = Goodbye::Early;
            return;
        }
        assert!(flags & 0xC == 0, "W03: {flags:#x} for {id}");
        assert!(flags != 3, "W02: SYN and FIN for {id}");
        assert!(length <= self.max_frame, "W07: {length} bytes for {id}");
        assert!(length > 0 || flags != 0, "W14: an empty frame for {id}");
        if frame.syn() {
            assert_eq!(id, self.next_id, "W01: the id of a SYN");
            self.next_id += 2;
            self.ids.entry(id).or_default().lives.push(Life::default());
        }
        let forgetful = self.resets_out > REMEMBERED;
        let both = self.ids.entry(id).or_default();
        assert!(both.resets == 0 || forgetful, "W10: DATA after RST for {id}");
        both.sent += length;
        let credit = self.window * both.lives.len() + both.granted;
        assert!(both.sent <= credit, "W07: {} bytes on a credit of {credit} for {id}", both.sent);
        let life = both.lives.last_mut();
        assert!(life.is_some(), "DATA for {id}, which nobody opened");
        let Some(life) = life else { return };
        assert!(!life.sent_fin, "W10: DATA after FIN for {id}");
        life.sent_fin |= frame.fin();
        self.body_out = Some(id);
    }

    /// Whether `read` can be what an application reads of `id`: the beginning of what came in one of its lives, or with
    /// `ended`, all that came before FIN (I2, I3).
    pub(super) fn may_deliver(&self, id: u32, read: &[u8], ended: bool) -> bool {
        let fits = |life: &Life| {
            if ended { life.came_fin && life.came == read } else { life.came.starts_with(read) }
        };
        self.ids.get(&id).is_some_and(|both| both.lives.iter().any(fits))
    }

    /// The most bytes that can have been delivered of an id that was used once: what we gave credit for (S45).
    pub(super) fn most_delivered(&self, id: u32) -> Option<usize> {
        let both = self.ids.get(&id).filter(|both| both.lives.len() == 1)?;
        Some(self.window + both.returned + both.extra)
    }
}
