//! The target `roundtrip`: what the encoder writes, both readers read back, and every header survives both ways.

use muxado_frame::{ErrorCode, Flags, HEADER_LEN, Header, StreamId, data_header, go_away, rst, wndinc};

use super::decode::decode_cut;
use super::naive::{self, End, Frame};
use super::source::Source;

/// An input is a list of frames in a form of its own: a byte that chooses the type, then its numbers, then its payload.
///
/// # Panics
/// If a frame is not read as it was written.
pub fn roundtrip(data: &[u8]) {
    for bytes in data.chunks_exact(HEADER_LEN) {
        let Some(bytes) = bytes.first_chunk() else { break };
        let header = Header::decode(*bytes);
        assert_eq!(header.encode(), *bytes, "{header:?}");
        let again = Header::new(header.kind(), header.flags(), header.length(), header.stream_id());
        assert_eq!(again, Some(header));
    }
    let mut source = Source::new(data);
    let mut wire = Vec::new();
    let mut meant = Vec::new();
    while !source.is_empty() {
        let (bytes, frame) = one(&mut source);
        wire.extend_from_slice(&bytes);
        meant.push(frame);
    }
    let expected = (meant, End::Between);
    assert_eq!(naive::frames(&wire), expected, "the naive reading");
    assert_eq!(decode_cut(&wire, || usize::MAX), expected, "the decoder");
    assert_eq!(decode_cut(&wire, || 3), expected, "the decoder, in pieces");
}

/// The next frame of the input as our encoder writes it, and as it is meant.
fn one(source: &mut Source<'_>) -> (Vec<u8>, Frame) {
    let choice = source.byte();
    // Never 0, and without the reserved bit.
    let id = StreamId::new(source.word() & StreamId::MAX.get()).unwrap_or(StreamId::MAX);
    let frame = |kind, flags, id: u32, body: &[u8]| Frame {
        kind,
        flags,
        length: body.len(),
        id,
        body: body.to_vec(),
    };
    match choice % 4 {
        0 => {
            let code = source.word();
            (rst(id, ErrorCode::new(code)).to_vec(), frame(0, 0, id.get(), &code.to_be_bytes()))
        }
        1 => {
            let (flags, len) = (choice >> 4, usize::from(source.byte()));
            let payload = source.bytes(len);
            let header = data_header(id, payload.len() as u32, Flags::from_bits(flags));
            ([&header[..], payload].concat(), frame(1, flags, id.get(), payload))
        }
        2 => {
            // The caller of the encoder keeps it above 0; the top bit is cut off.
            let increment = source.word();
            let increment = if increment << 1 == 0 { 1 } else { increment };
            let body = (increment & 0x7FFF_FFFF).to_be_bytes();
            (wndinc(id, increment).to_vec(), frame(2, 0, id.get(), &body))
        }
        _ => {
            let last = (choice >> 4 != 0).then_some(id);
            let (code, len) = (source.word(), usize::from(source.byte()));
            let text = source.bytes(len);
            let number = last.map_or(0, StreamId::get);
            let body = [&number.to_be_bytes()[..], &code.to_be_bytes(), text].concat();
            let fixed = go_away(last, ErrorCode::new(code), text.len() as u32);
            ([&fixed[..], text].concat(), frame(3, 0, 0, &body))
        }
    }
}
