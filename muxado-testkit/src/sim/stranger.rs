//! A peer that is not ours: frames that are mostly what a peer would send, and sometimes anything.

use muxado_frame::Side;

use super::choices::Choices;
use super::node::Node;
use crate::wire;

/// The hostile peer.
#[derive(Debug)]
pub(super) struct Stranger {
    next_id: u32,
    /// Streams it has opened.
    opened: Vec<u32>,
    window: usize,
    /// What its next byte of payload is made from.
    counter: u8,
    odd_in: usize,
}

impl Stranger {
    pub(super) fn new(side: Side, window: u32, odd_in: usize) -> Stranger {
        let next_id = if side == Side::Client { 3 } else { 2 };
        let window = usize::try_from(window).unwrap_or(0);
        Stranger { next_id, opened: Vec::new(), window, counter: 0, odd_in }
    }

    /// The bytes of the next frame.
    pub(super) fn next(&mut self, choices: &mut Choices<'_>, victim: &Node) -> Vec<u8> {
        if choices.chance(1, 150) && self.odd_in < 1000 {
            self.flood(choices, victim)
        } else if choices.chance(1, self.odd_in) {
            self.odd(choices, victim)
        } else {
            self.usual(choices, victim)
        }
    }

    /// The same nuisance again and again, to the end of a budget or a list.
    fn flood(&mut self, choices: &mut Choices<'_>, victim: &Node) -> Vec<u8> {
        let times = u32::try_from(choices.pick(&[20, 300, 1100])).unwrap_or(20);
        let id = self.some_id(choices, victim);
        let first = self.next_id;
        self.next_id += 2 * times;
        let kind = choices.below(6);
        let frames = (0..times).map(|turn| {
            let fresh = first + 2 * turn;
            match kind {
                0 => [wire::syn(fresh, b""), wire::rst(fresh, 6)].concat(),
                1 => wire::syn(fresh, b"x"),
                2 => wire::data(fresh, b"x"),
                3 => wire::wndinc(id, 1),
                4 => wire::data(id, b""),
                _ => [wire::syn(fresh, b""), wire::fin(fresh)].concat(),
            }
        });
        let bytes = frames.collect::<Vec<_>>().concat();
        self.opened.extend([first, first + 2 * times - 2]);
        bytes
    }

    fn payload(&mut self, len: usize) -> Vec<u8> {
        (0..len)
            .map(|_| {
                self.counter = self.counter.wrapping_mul(5).wrapping_add(29);
                self.counter
            })
            .collect()
    }

    /// An id in use: one it has opened, or one that our machine has.
    fn some_id(&self, choices: &mut Choices<'_>, victim: &Node) -> u32 {
        let theirs: Vec<u32> = victim.handles.iter().filter(|h| h.local).filter_map(|h| h.id).collect();
        let mine = self.opened.len();
        let at = choices.below(mine + theirs.len());
        let recent = self.opened.iter().rev();
        recent.chain(theirs.iter().rev()).nth(at).copied().unwrap_or(self.next_id)
    }

    fn usual(&mut self, choices: &mut Choices<'_>, victim: &Node) -> Vec<u8> {
        let id = self.some_id(choices, victim);
        let most = self.window.min(2000);
        match choices.below(16) {
            0..=3 => {
                let id = self.next_id;
                self.next_id += 2;
                self.opened.push(id);
                let len = choices.length(most);
                let payload = self.payload(len);
                let flags = if choices.chance(1, 8) { wire::SYN | wire::FIN } else { wire::SYN };
                wire::frame(wire::DATA, flags, id, &payload)
            }
            4..=9 => {
                let room = victim.mux_room(id).min(most);
                let len = choices.length(room);
                let payload = self.payload(len);
                let fin = u8::from(len == 0 || choices.chance(1, 8));
                wire::frame(wire::DATA, fin * wire::FIN, id, &payload)
            }
            10..=11 => wire::fin(id),
            12..=13 => {
                let sent = victim.said.streams.get(&id).map_or(0, |sent| sent.bytes);
                let most = usize::try_from(sent).unwrap_or(0).min(self.window);
                let increment = choices.within(1, most.max(1));
                wire::wndinc(id, u32::try_from(increment).unwrap_or(1))
            }
            14 => wire::rst(id, u32::try_from(choices.below(16)).unwrap_or(0)),
            _ => wire::wndinc(id, 0x7FFF_FFFF),
        }
    }

    fn odd(&mut self, choices: &mut Choices<'_>, victim: &Node) -> Vec<u8> {
        let id = match choices.below(6) {
            0 => self.next_id + 40,
            1 if choices.chance(1, 2) => 0x7FFF_FFFF,
            1 => self.next_id + 1,
            2 => u32::try_from(choices.below(1 << 31)).unwrap_or(1),
            _ => self.some_id(choices, victim),
        };
        let len = choices.pick(&[0, 1, self.window, self.window + 1]).min(70_000);
        match choices.below(14) {
            0 => wire::frame(wire::DATA, wire::SYN, id, &self.payload(len)),
            1..=2 => wire::data(id, &self.payload(len)),
            3 => wire::frame(wire::DATA, 0xC | wire::FIN, id, &self.payload(len)),
            4 => wire::data(id, b""),
            5 => wire::rst(id, u32::try_from(choices.below(1 << 20)).unwrap_or(0)),
            6 => wire::wndinc(id, u32::try_from(choices.pick(&[0, 1, 0x7FFF_FFFF, 1 << 30])).unwrap_or(0)),
            7 => {
                let text = self.payload(choices.length(1500));
                let last = choices.pick(&[0, id, 0xFFFF_FFFF, 3]);
                wire::go_away(last, u32::try_from(choices.below(16)).unwrap_or(0), &text)
            }
            8 => wire::frame(u8::try_from(choices.within(4, 15)).unwrap_or(4), 3, id, &self.payload(len)),
            9 => wire::data(id | 0x8000_0000, &self.payload(choices.below(9))),
            10 => wire::frame(u8::try_from(choices.below(4)).unwrap_or(0), 0, 0, &self.payload(8)),
            11 => {
                let length = u32::try_from(choices.below(1 << 24)).unwrap_or(0);
                wire::header(u8::try_from(choices.below(5)).unwrap_or(0), 0, length, id).to_vec()
            }
            12 => self.payload(choices.within(1, 30)),
            _ => wire::fin(id),
        }
    }
}
