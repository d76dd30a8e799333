//! Frames as literal bytes, of the kinds that ours would not send.

use muxado_frame::{Flags, Header, Kind};

/// The peer's stream of this number, from 0: a client's, so odd.
pub(super) fn id(number: u64) -> u32 {
    let number = u32::try_from(number).unwrap_or(u32::MAX / 4);
    number * 2 + 3
}

pub(super) fn frame(kind: Kind, flags: Flags, id: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let header = Header::new(kind, flags, length, id).map_or([0; 8], Header::encode);
    [&header[..], body].concat()
}

pub(super) fn data(id: u32, payload: &[u8]) -> Vec<u8> {
    frame(Kind::Data, Flags::NONE, id, payload)
}

pub(super) fn syn(id: u32) -> Vec<u8> {
    frame(Kind::Data, Flags::SYN, id, b"")
}

pub(super) fn syn_fin(id: u32) -> Vec<u8> {
    frame(Kind::Data, Flags::SYN | Flags::FIN, id, b"")
}

pub(super) fn fin(id: u32) -> Vec<u8> {
    frame(Kind::Data, Flags::FIN, id, b"")
}

pub(super) fn rst(id: u32) -> Vec<u8> {
    frame(Kind::Rst, Flags::NONE, id, &6_u32.to_be_bytes())
}

pub(super) fn wndinc(id: u32, increment: u32) -> Vec<u8> {
    frame(Kind::WndInc, Flags::NONE, id, &increment.to_be_bytes())
}

pub(super) fn go_away(last: u32) -> Vec<u8> {
    frame(Kind::GoAway, Flags::NONE, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

pub(super) fn unknown() -> Vec<u8> {
    frame(Kind::from_bits(15), Flags::NONE, 3, b"")
}
