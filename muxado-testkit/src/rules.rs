//! The sender's rules: what a side of ours may have put on the wire, judged from the bytes alone.
//!
//! The ids W01 to W14 are those of docs/behaviour.md.
#![expect(clippy::panic, reason = "to panic is what an assertion does")]

use std::collections::BTreeMap;

use muxado_core::Config;
use muxado_frame::{Decoder, Flags, Item, Side, StreamId};

/// What a side has sent for one stream id.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    syn: bool,
    fin: bool,
    rst: bool,
    bytes: u64,
    credit: u64,
}

/// The frames one side has sent, judged as they are read.
#[derive(Debug)]
struct Sender<'a> {
    side: Side,
    config: &'a Config,
    next_id: u32,
    streams: BTreeMap<u32, Sent>,
    /// GOAWAY has gone out.
    said_goodbye: bool,
}

/// Asserts that everything two sides with the same configuration have sent to each other obeys the sender's rules,
/// and that both byte sequences end with a whole frame.
///
/// The reset codes of the application must be 1 to 15. GOAWAY must not have been sent early.
pub fn assert_sender_rules(client: &[u8], server: &[u8], config: &Config) {
    let client = judge(Side::Client, client, config);
    let server = judge(Side::Server, server, config);
    for (sender, receiver) in [(&client, &server), (&server, &client)] {
        for (id, sent) in sender {
            let returned = receiver.get(id).map_or(0, |receiver| receiver.credit);
            let credit = u64::from(config.window()) + returned;
            assert!(sent.bytes <= credit, "W07: stream {id}: {} bytes on a credit of {credit}", sent.bytes);
            assert!(returned <= sent.bytes, "W05: stream {id}: {returned} of {} returned", sent.bytes);
        }
    }
}

fn judge(side: Side, wire: &[u8], config: &Config) -> BTreeMap<u32, Sent> {
    let mut sender = Sender {
        side,
        config,
        next_id: StreamId::first(side).get(),
        streams: BTreeMap::new(),
        said_goodbye: false,
    };
    let mut decoder = Decoder::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let Ok((taken, Some(item))) = decoder.decode(rest) else {
            panic!("{side}: cannot decode {} bytes before the end", rest.len());
        };
        sender.judge(item);
        rest = &rest[taken..];
    }
    assert!(decoder.is_idle(), "{side}: the last frame is cut");
    sender.streams
}

impl Sender<'_> {
    fn judge(&mut self, item: Item) {
        if let Item::Body { .. } = item {
            return;
        }
        assert!(!self.said_goodbye, "W08, W12: {item:?} after GOAWAY");
        match item {
            Item::Data { id, length, flags } => self.judge_data(id, length, flags),
            Item::Rst { id, code } => {
                assert!((1..=15).contains(&code.get()), "W09: RST {code} for {id}");
                let sent = self.streams.entry(id).or_default();
                assert!(!sent.rst, "W10: a second RST for {id}");
                sent.rst = true;
            }
            Item::WndInc { id, increment } => {
                assert!(increment <= self.config.window(), "W05: {increment} for {id}");
                let sent = self.streams.entry(id).or_default();
                assert!(!sent.rst, "W10: WNDINC after RST for {id}");
                sent.credit += u64::from(increment);
            }
            Item::GoAway { debug_len, .. } => {
                assert!(debug_len <= 256, "W08: {debug_len} bytes of text");
                self.said_goodbye = true;
            }
            Item::Unknown { header } => panic!("W04: {header:?}"),
            Item::Body { .. } => {}
        }
    }

    fn judge_data(&mut self, id: u32, length: u32, flags: Flags) {
        assert!(flags.bits() & 0xC == 0, "W03: {flags:?} for {id}");
        assert!(!(flags.syn() && flags.fin()), "W02: SYN and FIN together for {id}");
        assert!(length <= self.config.max_frame(), "W07: {length} bytes for {id}");
        assert!(length > 0 || flags != Flags::NONE, "W14: an empty frame for {id}");
        let ours = StreamId::new(id).is_some_and(|id| id.opener() == self.side);
        if flags.syn() {
            assert_eq!(id, self.next_id, "W01: the SYN of {}", self.side);
            self.next_id += 2;
        }
        let sent = self.streams.entry(id).or_default();
        assert_eq!(flags.syn(), ours && !sent.syn, "W01: SYN is on the first DATA of {id} and nowhere else");
        assert!(!sent.fin && !sent.rst, "W10: DATA after the end of {id}");
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
            ("W04", vec![frame(4, 0, 0, b"")]),
            ("W05", vec![wndinc(2, 256 * 1024 + 1)]),
            ("W07", vec![syn(3, &[0; 16 * 1024 + 1])]),
            ("W07", vec![syn(3, b""), data(3, &[0; 16 * 1024]).repeat(17)]),
            ("W08", vec![go_away(0, 0, &[0; 257])]),
            ("W08, W12", vec![go_away(0, 0, b""), syn(3, b"")]),
            ("W09", vec![rst(2, 0)]),
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
