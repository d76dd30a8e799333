//! What both sides have said in one session: what was sent and came on each stream, and where the peer broke a rule for
//! senders (W01 to W14). It judges every frame of the peer's and stops at none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use muxado_frame::{Kind, Side, StreamId};

use super::frames::{Frame, Heads};

/// The initial window every known peer has (docs/protocol.md, 5.2).
pub(super) const WINDOW: u64 = 256 * 1024;

/// Frames kept for people to look at.
const LAST_FRAMES: usize = 6;

/// Streams and faults kept; a peer may invent as many as it likes.
const MAX_STREAMS: usize = 100_000;

/// One stream, in both directions.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Payload sent to be echoed.
    pub(super) to_echo: u64,
    /// All payload sent, that which must not be echoed included.
    sent: u64,
    /// Payload sent on streams that had this id before, and whose credit has not come back.
    late: u64,
    /// Our credit for the peer beyond the initial window.
    granted: u64,
    /// Payload that came.
    pub(super) came: u64,
    /// Credit that came back for what was sent.
    pub(super) returned: u64,
    /// Credit beyond that, in WNDINCs larger than the window.
    extra: u64,
    /// The peer's SYN, FIN and RSTs.
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) resets: Vec<u32>,
    /// We have sent SYN.
    opened: bool,
    /// Frames of the peer's, of any kind.
    pub(super) frames: u64,
}

/// The peer's first GOAWAY.
#[derive(Clone, Copy, Debug)]
pub(super) struct GoAway {
    pub(super) code: u32,
    pub(super) last: u32,
    /// The filler of an early GOAWAY followed it.
    early: bool,
}

/// The record of one session.
#[derive(Debug)]
pub(super) struct Book {
    peer: Side,
    max_frame: usize,
    streams: BTreeMap<u32, Stream>,
    sending: Heads,
    pub(super) goaway: Option<GoAway>,
    pub(super) after_goaway: usize,
    /// The first fault against each rule.
    pub(super) faults: BTreeMap<&'static str, String>,
    /// How many frames there were to judge each rule by.
    pub(super) judged: BTreeMap<&'static str, u64>,
    /// An echo that differs from what was sent.
    pub(super) wrong: Option<String>,
    pub(super) last_frames: VecDeque<String>,
    /// The id of the peer's next SYN, by W01.
    next_id: u32,
    /// Streams of the peer's that were open at once.
    open: u64,
}

/// What payload is cut from: no two places of it look the same.
static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..65_521).map(|_| next()).collect()
});

/// What an echo must be: the payload of stream `id` from byte `at` on.
pub(super) fn pattern(id: u32, at: u64, len: usize) -> Vec<u8> {
    let noise = &*NOISE;
    let mut from = ((at + u64::from(id) * 7919) % noise.len() as u64) as usize;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let piece = noise.get(from..).unwrap_or(&[]);
        bytes.extend_from_slice(&piece[..piece.len().min(len - bytes.len())]);
        from = 0;
    }
    bytes
}

impl Stream {
    /// Everything was echoed, and then the peer finished.
    pub(super) fn is_done(&self) -> bool {
        self.fin && self.came == self.to_echo
    }

    /// What may still be sent.
    pub(super) fn credit(&self) -> u64 {
        (WINDOW + self.returned + self.extra).saturating_sub(self.sent)
    }
}

impl Book {
    pub(super) fn new(peer: Side, max_frame: usize) -> Book {
        Book {
            peer,
            max_frame,
            streams: BTreeMap::new(),
            sending: Heads::default(),
            goaway: None,
            after_goaway: 0,
            faults: BTreeMap::new(),
            judged: BTreeMap::new(),
            wrong: None,
            last_frames: VecDeque::new(),
            next_id: StreamId::first(peer).get(),
            open: 0,
        }
    }

    /// What has been recorded of `id`, if anything.
    pub(super) fn stream(&self, id: u32) -> Stream {
        self.streams.get(&id).cloned().unwrap_or_default()
    }

    /// Every RST that came, in order of ids.
    pub(super) fn resets(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let resets = self.streams.iter().map(|(id, stream)| (*id, &stream.resets[..]));
        resets.filter(|(_, codes)| !codes.is_empty())
    }

    /// The first stream that the peer has opened.
    pub(super) fn first_of_peer(&self) -> Option<u32> {
        self.streams.iter().find(|(_, stream)| stream.syn).map(|(id, _)| *id)
    }

    /// We are about to send `bytes`.
    pub(super) fn sends(&mut self, bytes: &[u8]) {
        self.sending.feed(bytes);
        while let Some((header, increment)) = self.sending.next() {
            let stream = self.streams.entry(header.stream_id()).or_default();
            match header.kind() {
                Kind::Data => {
                    let live = stream.opened && !stream.fin && stream.resets.is_empty();
                    if header.flags().syn() && !stream.syn && !live {
                        // Credit for a stream that is over may still come when its id is used again.
                        let late = (stream.sent + stream.late).saturating_sub(stream.returned);
                        *stream = Stream { opened: true, late, ..Stream::default() };
                    }
                    stream.sent += u64::from(header.length());
                }
                Kind::WndInc => stream.granted += u64::from(increment & 0x7FFF_FFFF),
                _ => {}
            }
        }
    }

    /// `len` more bytes of the pattern are about to be sent on `id`, which is being opened or is open.
    pub(super) fn expects(&mut self, id: u32, len: usize) {
        self.streams.entry(id).or_default().to_echo += len as u64;
    }

    /// A frame of the peer's came.
    pub(super) fn came(&mut self, frame: &Frame) {
        if self.last_frames.len() == LAST_FRAMES {
            self.last_frames.pop_front();
        }
        self.last_frames.push_back(frame.to_string());
        self.judge_header(frame);
        if self.goaway.is_some() {
            self.after_goaway += 1;
            self.judge_after_goaway(frame);
        }
        let id = frame.id();
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&id) {
            return;
        }
        match frame.header.kind() {
            Kind::Data => self.on_data(frame),
            Kind::Rst => self.on_rst(id, frame.number(0)),
            Kind::WndInc => self.on_wndinc(id, frame.number(0)),
            Kind::GoAway => self.on_goaway(frame),
            Kind::Unknown(_) => {}
        }
        if id != 0 {
            self.streams.entry(id).or_default().frames += 1;
        }
    }

    /// Records whether `rule` was kept.
    fn judge(&mut self, rule: &'static str, kept: bool, fault: impl FnOnce() -> String) {
        *self.judged.entry(rule).or_default() += 1;
        if !kept {
            self.faults.entry(rule).or_insert_with(fault);
        }
    }

    fn judge_header(&mut self, frame: &Frame) {
        let (kind, flags, len, id) =
            (frame.header.kind(), frame.header.flags().bits(), frame.body.len(), frame.id());
        let legal = match kind {
            Kind::Data => id != 0,
            Kind::Rst => len == 4 && id != 0,
            Kind::WndInc => len == 4 && id != 0 && (1..=0x7FFF_FFFF).contains(&frame.number(0)),
            Kind::GoAway => len >= 8 && id == 0,
            Kind::Unknown(_) => false,
        };
        self.judge("W04", legal && id <= 0x7FFF_FFFF, || format!("no legal frame: {frame}, {len} bytes"));
        let allowed = if kind == Kind::Data { 0x3 } else { 0 };
        self.judge("W03", flags & !allowed == 0, || format!("flags {flags:#x}: {frame}"));
    }

    /// Behind a GOAWAY there is nothing, or its filler and then frames of live streams.
    fn judge_after_goaway(&mut self, frame: &Frame) {
        let (kind, flags, id) = (frame.header.kind(), frame.header.flags(), frame.id());
        let theirs = StreamId::new(id).is_some_and(|id| id.opener() == self.peer);
        let known = self.stream(id);
        let filler = kind == Kind::Data && frame.body.is_empty() && flags.fin() && theirs && !known.syn;
        let live = matches!(kind, Kind::Data | Kind::Rst | Kind::WndInc) && (known.opened || known.syn);
        let early = self.goaway.is_some_and(|goaway| goaway.early);
        let last = kind == Kind::GoAway && (frame.number(4) != 0 || frame.body.len() > 8);
        self.judge("W12", filler && !early || early && (live || last), || format!("behind GOAWAY: {frame}"));
        if let Some(goaway) = &mut self.goaway {
            goaway.early = (goaway.early || filler) && !last;
        }
    }

    fn on_data(&mut self, frame: &Frame) {
        let (id, flags, len) = (frame.id(), frame.header.flags(), frame.body.len());
        let max = self.max_frame;
        let filler = self.goaway.is_some_and(|goaway| goaway.early) && !self.stream(id).syn;
        self.judge("W02", !(flags.syn() && flags.fin()), || frame.to_string());
        self.judge("W07", len <= max, || format!("{frame}, more than {max} in a frame"));
        self.judge("W14", len > 0 || flags.bits() & 3 != 0, || format!("empty and without a flag: {frame}"));
        let theirs = StreamId::new(id).is_some_and(|id| id.opener() == self.peer);
        if theirs && !filler {
            self.judge_opening(frame);
        }
        let before = self.stream(id);
        let known = theirs || before.opened && !flags.syn();
        self.judge("W10", known && !before.fin && before.resets.is_empty(), || {
            format!("on a stream that is over or never was: {frame}")
        });
        let stream = self.streams.entry(id).or_default();
        stream.fin |= flags.fin();
        stream.came += len as u64;
        let (came, credit) = (stream.came, WINDOW + stream.granted);
        self.judge("W07", came <= credit, || format!("{came} bytes on stream {id}, on a credit of {credit}"));
        if !theirs {
            self.compare(id, before.came, &frame.body);
        } else if flags.fin() {
            self.open = self.open.saturating_sub(1);
        }
    }

    fn judge_opening(&mut self, frame: &Frame) {
        let (id, syn) = (frame.id(), frame.header.flags().syn());
        let known = self.stream(id).syn;
        let next = self.next_id;
        self.judge("W01", syn != known && (!syn || id == next), || {
            format!("{frame}, where {next} was to be opened next")
        });
        if syn && !known {
            self.next_id = id.saturating_add(2);
            self.open += 1;
            let open = self.open;
            self.judge("W16", open <= 256, || format!("{open} streams are open at once"));
        }
        self.streams.entry(id).or_default().syn |= syn;
    }

    fn compare(&mut self, id: u32, at: u64, body: &[u8]) {
        let sent = self.stream(id).to_echo;
        if at + body.len() as u64 > sent {
            self.wrong
                .get_or_insert_with(|| format!("stream {id} came back with more than the {sent} bytes sent"));
        } else if body != pattern(id, at, body.len()) {
            self.wrong.get_or_insert_with(|| format!("stream {id} came back changed behind byte {at}"));
        }
    }

    fn on_rst(&mut self, id: u32, code: u32) {
        // Those that applications may ask for are legal too (docs/protocol.md, 3.3).
        let legal = matches!(code, 2..=7 | 9 | 10 | 16..);
        self.judge("W09", legal, || format!("RST of stream {id} with code {code}"));
        let stream = self.streams.entry(id).or_default();
        let first = stream.resets.is_empty();
        if stream.resets.len() < 3 {
            stream.resets.push(code);
        }
        self.judge("W10", first, || format!("a second RST of stream {id}"));
    }

    fn on_wndinc(&mut self, id: u32, increment: u32) {
        let stream = self.streams.entry(id).or_default();
        if u64::from(increment) > WINDOW {
            stream.extra += u64::from(increment);
        } else {
            stream.returned += u64::from(increment);
        }
        let (returned, sent) = (stream.returned, stream.sent + stream.late);
        let over = !stream.resets.is_empty();
        self.judge("W05", returned <= sent, || format!("{returned} returned for {sent} on stream {id}"));
        self.judge("W10", !over, || format!("WNDINC behind the RST of stream {id}"));
    }

    fn on_goaway(&mut self, frame: &Frame) {
        let text = frame.body.get(8..).unwrap_or(&[]);
        self.judge("W08", text.len() <= 256 && std::str::from_utf8(text).is_ok(), || {
            format!("a text of {} bytes, cut in a character or too long", text.len())
        });
        let goaway = GoAway { code: frame.number(4), last: frame.number(0), early: false };
        self.goaway.get_or_insert(goaway);
        self.judge("W12", true, String::new);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::Splitter;
    use super::*;
    use crate::wire::*;

    /// The rules that a server breaks with `frames`, in a session where the client has opened 3 with "hello".
    fn broken(frames: &[Vec<u8>]) -> Vec<&'static str> {
        let mut book = Book::new(Side::Server, 16 * 1024);
        book.sends(&syn(3, &pattern(3, 0, 5)));
        book.expects(3, 5);
        let mut splitter = Splitter::default();
        splitter.feed(&frames.concat());
        while let Some(frame) = splitter.next() {
            book.came(&frame);
        }
        book.faults.keys().copied().collect()
    }

    #[test]
    fn an_ordinary_answer_breaks_no_rule() {
        let echo = data(3, &pattern(3, 0, 5));
        assert_eq!(
            broken(&[syn(2, b"x"), echo, wndinc(3, 5), fin(3), fin(2), syn(4, b""), rst(4, 6)]),
            [""; 0]
        );
        let early = [go_away(3, 0, b""), fin(0x7FFF_FFFE), data(3, b"x"), wndinc(3, 1)];
        assert_eq!(broken(&early), [""; 0]);
        assert_eq!(broken(&[early.concat(), go_away(3, 0, b"bye")]), [""; 0]);
    }

    #[test]
    fn each_rule_has_its_fault() {
        for (rule, frames) in [
            ("W01", vec![syn(4, b"")]),
            ("W01", vec![data(2, b"")]),
            ("W01", vec![syn(2, b""), syn(2, b"x")]),
            ("W02", vec![syn_fin(2, b"")]),
            ("W03", vec![frame(DATA, 4, 3, b"x")]),
            ("W03", vec![frame(WNDINC, 1, 3, &[0, 0, 0, 1])]),
            ("W04", vec![frame(4, 0, 0, b"")]),
            ("W04", vec![frame(RST, 0, 3, b"")]),
            ("W04", vec![frame(WNDINC, 0, 3, &[0; 4])]),
            ("W05", vec![wndinc(3, 6)]),
            ("W07", vec![data(3, &[0; 16 * 1024 + 1])]),
            ("W07", vec![data(3, &[0; 16 * 1024]).repeat(17)]),
            ("W08", vec![go_away(0, 0, &[0; 257])]),
            ("W08", vec![go_away(0, 0, b"\xE2\x82")]),
            ("W09", vec![rst(3, 0)]),
            ("W09", vec![rst(3, 11)]),
            ("W10", vec![rst(3, 6), rst(3, 6)]),
            ("W10", vec![rst(3, 6), data(3, b"x")]),
            ("W10", vec![fin(3), data(3, b"x")]),
            ("W10", vec![rst(3, 6), wndinc(3, 1)]),
            ("W10", vec![data(5, b"x")]),
            ("W10", vec![syn(3, b"")]),
            ("W12", vec![go_away(0, 0, b""), data(3, b"x")]),
            ("W12", vec![go_away(0, 0, b""), go_away(0, 0, b"")]),
            ("W12", vec![go_away(0, 0, b""), fin(0x7FFF_FFFE), go_away(0, 0, b"")]),
            ("W12", vec![go_away(0, 0, b""), fin(0x7FFF_FFFE), go_away(0, 0, b"bye"), data(3, b"x")]),
            ("W14", vec![data(3, b"")]),
            ("W16", (1..=257).map(|n| syn(2 * n, b"")).collect()),
        ] {
            assert!(broken(&frames).contains(&rule), "{rule}: {:?}", broken(&frames));
        }
    }
}
