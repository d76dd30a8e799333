//! Frames as literal bytes, allowed or not: what a peer could send, and what is expected from us.
//!
//! Wire: docs/protocol.md, "Frame". Ids, lengths and codes are plain numbers, because the point is often a number
//! that no correct encoder would write.

use muxado_frame::{Flags, HEADER_LEN, Header, Kind};

/// Type 0: RST.
pub const RST: u8 = 0;
/// Type 1: DATA.
pub const DATA: u8 = 1;
/// Type 2: WNDINC.
pub const WNDINC: u8 = 2;
/// Type 3: GOAWAY.
pub const GOAWAY: u8 = 3;
/// Flag 0x1 of DATA.
pub const FIN: u8 = 1;
/// Flag 0x2 of DATA.
pub const SYN: u8 = 2;

/// A header with any numbers; `length` is cut to 24 bits, `kind` and `flags` to 4.
#[must_use]
pub fn header(kind: u8, flags: u8, length: u32, id: u32) -> [u8; HEADER_LEN] {
    let header = Header::new(Kind::from_bits(kind), Flags::from_bits(flags), length & 0xFF_FFFF, id);
    header.map_or([0; HEADER_LEN], Header::encode)
}

/// A whole frame with any type, flags, id and body, and a length that is right.
#[must_use]
pub fn frame(kind: u8, flags: u8, id: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&header(kind, flags, length, id)[..], body].concat()
}

/// DATA without flags.
#[must_use]
pub fn data(id: u32, payload: &[u8]) -> Vec<u8> {
    frame(DATA, 0, id, payload)
}

/// DATA with SYN.
#[must_use]
pub fn syn(id: u32, payload: &[u8]) -> Vec<u8> {
    frame(DATA, SYN, id, payload)
}

/// DATA with SYN and FIN, which we accept and never send.
#[must_use]
pub fn syn_fin(id: u32, payload: &[u8]) -> Vec<u8> {
    frame(DATA, SYN | FIN, id, payload)
}

/// Empty DATA with FIN.
#[must_use]
pub fn fin(id: u32) -> Vec<u8> {
    frame(DATA, FIN, id, b"")
}

/// RST.
#[must_use]
pub fn rst(id: u32, code: u32) -> Vec<u8> {
    frame(RST, 0, id, &code.to_be_bytes())
}

/// WNDINC.
#[must_use]
pub fn wndinc(id: u32, increment: u32) -> Vec<u8> {
    frame(WNDINC, 0, id, &increment.to_be_bytes())
}

/// GOAWAY.
#[must_use]
pub fn go_away(last: u32, code: u32, text: &[u8]) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[&last.to_be_bytes(), &code.to_be_bytes(), text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_bytes_of_the_protocol() {
        assert_eq!(syn(3, b"hi"), *b"\0\0\x02\x12\0\0\0\x03hi");
        assert_eq!(syn_fin(3, b""), *b"\0\0\0\x13\0\0\0\x03");
        assert_eq!(data(3, b"x"), *b"\0\0\x01\x10\0\0\0\x03x");
        assert_eq!(fin(2), *b"\0\0\0\x11\0\0\0\x02");
        assert_eq!(rst(0x0102_0304, 6), *b"\0\0\x04\x00\x01\x02\x03\x04\0\0\0\x06");
        assert_eq!(wndinc(5, 0x8000_0000), *b"\0\0\x04\x20\0\0\0\x05\x80\0\0\0");
        assert_eq!(go_away(7, 10, b"no"), *b"\0\0\x0A\x30\0\0\0\0\0\0\0\x07\0\0\0\x0Ano");
        assert_eq!(header(15, 15, 0xFFF_FFFF, u32::MAX), [0xFF; 8]);
    }
}
