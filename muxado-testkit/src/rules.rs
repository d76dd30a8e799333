//! The sender's rules: what a side of ours may have put on the wire, judged from the bytes alone.
//!
//! The ids W01 to W14 are those of docs/behaviour.md.
#![expect(clippy::panic, reason = "to panic is what an assertion does")]

use std::collections::BTreeMap;

use muxado_core::Config;
use muxado_frame::{Decoder, Flags, Item, Side, StreamId};

/// Dead ids that are certainly remembered: so many are (B09), less the RSTs that may wait to go out (B10).
const REMEMBERED: usize = 1024 - 256;

/// What a side has sent for one stream id.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    /// RSTs, of which a peer that uses an id twice may get several.
    pub(crate) rst: usize,
    pub(crate) bytes: u64,
    /// Returned.
    pub(crate) credit: u64,
    /// Granted beyond the window.
    pub(crate) extra: u64,
    /// How many times a peer that obeys no rule has begun it.
    again: Option<usize>,
}

/// How far a side has come with its GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    None,
    /// It went out: the last frame, unless its filler follows.
    Said,
    /// With its filler: frames of live streams may follow.
    Early,
}

/// The frames one side has sent, judged as they are read.
#[derive(Debug)]
pub(crate) struct Sender {
    side: Side,
    window: u32,
    extra_credit: usize,
    max_frame: u32,
    may_be_early: bool,
    next_id: u32,
    pub(crate) streams: BTreeMap<u32, Sent>,
    goodbye: Goodbye,
    /// RSTs, on all ids.
    rsts: usize,
    decoder: Decoder,
}

/// Asserts that everything two sides with the same configuration have sent to each other obeys the sender's rules,
/// and that both byte sequences end with a whole frame.
///
/// The reset codes of the application must be 1 to 15.
pub fn assert_sender_rules(client: &[u8], server: &[u8], config: &Config) {
    let client = judge(Side::Client, client, config);
    let server = judge(Side::Server, server, config);
    for (sender, receiver) in [(&client, &server), (&server, &client)] {
        for (id, sent) in sender {
            let Sent { credit: returned, extra, .. } = receiver.get(id).copied().unwrap_or_default();
            let credit = u64::from(config.window()) + returned + extra;
            assert!(sent.bytes <= credit, "W07: stream {id}: {} bytes on a credit of {credit}", sent.bytes);
            assert!(returned <= sent.bytes, "W05: stream {id}: {returned} of {} returned", sent.bytes);
        }
    }
}

fn judge(side: Side, wire: &[u8], config: &Config) -> BTreeMap<u32, Sent> {
    let mut sender = Sender::new(side, config);
    sender.read(wire, |_, _| {});
    assert!(sender.decoder.is_idle(), "{side}: the last frame is cut");
    sender.streams
}

impl Sender {
    pub(crate) fn new(side: Side, config: &Config) -> Sender {
        Sender {
            side,
            window: config.window(),
            extra_credit: config.extra_credit(),
            max_frame: config.max_frame(),
            may_be_early: config.peer_drains(),
            next_id: StreamId::first(side).get(),
            streams: BTreeMap::new(),
            goodbye: Goodbye::None,
            rsts: 0,
            decoder: Decoder::new(),
        }
    }

    /// Says that its ids begin at `id`, and not where they should.
    pub(crate) fn begin_at(&mut self, id: StreamId) {
        self.next_id = id.get();
    }

    /// Judges what was sent next. `each` is given every item with the bytes that completed it.
    pub(crate) fn read(&mut self, wire: &[u8], mut each: impl FnMut(Item, &[u8])) {
        let mut rest = wire;
        while !rest.is_empty() {
            let Ok((taken, item)) = self.decoder.decode(rest) else {
                panic!("{}: cannot decode {} bytes before the end", self.side, rest.len());
            };
            let (piece, behind) = rest.split_at(taken);
            rest = behind;
            let Some(item) = item else { continue };
            self.judge(item);
            each(item, piece);
        }
    }

    /// The peer, which obeys no rule, has begun `id` once more: that may cost it another RST (S24).
    pub(crate) fn begun_again(&mut self, id: u32) {
        let sent = self.streams.entry(id).or_default();
        sent.again = Some(sent.again.map_or(1, |times| times + 1));
        sent.fin = false;
    }

    fn judge(&mut self, item: Item) {
        if let Item::Body { .. } = item {
            return;
        }
        if self.goodbye == Goodbye::Said && self.may_be_early && self.is_filler(item) {
            self.goodbye = Goodbye::Early;
            return;
        }
        assert!(self.goodbye != Goodbye::Said, "W08, W12: {item:?} after GOAWAY");
        if let Item::Rst { flags, .. } | Item::WndInc { flags, .. } | Item::GoAway { flags, .. } = item {
            assert!(flags == Flags::NONE, "W03: {item:?}");
        }
        match item {
            Item::Data { id, length, flags } => self.judge_data(id, length, flags),
            Item::Rst { id, code, .. } => {
                assert!((1..=15).contains(&code.get()), "W09: RST {code} for {id}");
                let sent = self.streams.entry(id).or_default();
                // Of many dead ids the oldest are forgotten (B09), and may be reset again.
                let forgotten = self.rsts >= REMEMBERED;
                assert!(sent.rst <= sent.again.unwrap_or(0) || forgotten, "W10: a second RST for {id}");
                self.rsts += 1;
                sent.rst += 1;
            }
            Item::WndInc { id, increment, .. } => {
                let is_extra = increment > self.window;
                let extra = usize::try_from(increment).unwrap_or(usize::MAX);
                assert!(!is_extra || extra <= self.extra_credit, "W05: {increment} for {id}");
                let sent = self.streams.entry(id).or_default();
                assert!(sent.rst == 0 || sent.again.is_some(), "W10: WNDINC after RST for {id}");
                *(if is_extra { &mut sent.extra } else { &mut sent.credit }) += u64::from(increment);
            }
            Item::GoAway { code, debug_len, .. } => {
                assert!(debug_len <= 256, "W08: {debug_len} bytes of text");
                let says_more = code.get() != 0 || debug_len > 0;
                assert!(self.goodbye == Goodbye::None || says_more, "W12: a second GOAWAY that says nothing");
                self.may_be_early &= self.goodbye == Goodbye::None;
                self.goodbye = Goodbye::Said;
            }
            Item::Unknown { header } => panic!("W04: {header:?}"),
            Item::Body { .. } => {}
        }
    }

    /// The frame behind an early GOAWAY (docs/protocol.md 6.6).
    fn is_filler(&self, item: Item) -> bool {
        let id = if self.side == Side::Client { 0x7FFF_FFFF } else { 0x7FFF_FFFE };
        item == Item::Data { id, length: 0, flags: Flags::FIN }
    }

    fn judge_data(&mut self, id: u32, length: u32, flags: Flags) {
        assert!(flags.bits() & 0xC == 0, "W03: {flags:?} for {id}");
        assert!(!(flags.syn() && flags.fin()), "W02: SYN and FIN together for {id}");
        assert!(length <= self.max_frame, "W07: {length} bytes for {id}");
        assert!(length > 0 || flags != Flags::NONE, "W14: an empty frame for {id}");
        let ours = StreamId::new(id).is_some_and(|id| id.opener() == self.side);
        if flags.syn() {
            assert_eq!(id, self.next_id, "W01: the SYN of {}", self.side);
            self.next_id += 2;
        }
        let sent = self.streams.entry(id).or_default();
        assert_eq!(flags.syn(), ours && !sent.syn, "W01: SYN is on the first DATA of {id} and nowhere else");
        let over = sent.fin || (sent.rst > 0 && sent.again.is_none());
        assert!(!over, "W10: DATA after the end of {id}");
        sent.syn |= flags.syn();
        sent.fin |= flags.fin();
        sent.bytes += u64::from(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::*;

    fn breaks(client: Vec<Vec<u8>>) -> String {
        let judged = std::panic::catch_unwind(|| {
            assert_sender_rules(&client.concat(), &[], &Config::default());
        });
        *judged.expect_err("a rule is broken").downcast::<String>().expect("a message")
    }

    #[test]
    fn an_ordinary_conversation_obeys() {
        let client = [syn(3, b"abc"), syn(5, b""), fin(5), data(3, b"d"), wndinc(3, 2), fin(3), rst(3, 4)];
        let server = [data(3, b"xy"), fin(3), wndinc(3, 4), rst(5, 6), go_away(5, 0, b"bye")];
        assert_sender_rules(&client.concat(), &server.concat(), &Config::default());
    }

    #[test]
    fn every_rule_can_be_broken() {
        for (rule, client) in [
            ("W01", vec![syn(5, b"")]),
            ("W01", vec![syn(3, b""), syn(3, b"")]),
            ("W01", vec![data(3, b"x")]),
            ("W01", vec![syn(2, b"")]),
            ("W02", vec![syn_fin(3, b"")]),
            ("W03", vec![frame(DATA, SYN | 4, 3, b"")]),
            ("W03", vec![frame(WNDINC, FIN, 2, &[0, 0, 0, 1])]),
            ("W04", vec![frame(4, 0, 0, b"")]),
            ("W05", vec![wndinc(2, 64 * 1024 * 1024 + 1)]),
            ("W07", vec![syn(3, &[0; 16 * 1024 + 1])]),
            ("W07", vec![syn(3, b""), data(3, &[0; 16 * 1024]).repeat(17)]),
            ("W08", vec![go_away(0, 0, &[0; 257])]),
            ("W08, W12", vec![go_away(0, 0, b""), syn(3, b"")]),
            ("W09", vec![rst(2, 0)]),
            ("W08, W12", vec![go_away(0, 0, b""), fin(0x7FFF_FFFF)]),
            ("W10", vec![rst(2, 6), rst(2, 6)]),
            ("W10", vec![rst(2, 6), data(2, b"x")]),
            ("W10", vec![fin(2), data(2, b"x")]),
            ("W10", vec![rst(2, 6), wndinc(2, 1)]),
            ("W14", vec![syn(3, b""), data(3, b"")]),
        ] {
            let message = breaks(client);
            assert!(message.contains(rule), "{rule}: {message}");
        }
        let unreturned = std::panic::catch_unwind(|| {
            assert_sender_rules(&syn(3, b"x"), &wndinc(3, 2), &Config::default());
        });
        assert!(unreturned.is_err(), "W05: more returned than sent");
    }
}
