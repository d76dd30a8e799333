//! The frames a peer sends, as bytes ready to be written. Nothing here can fail.
//!
//! Wire: docs/protocol.md, "Frame". Reserved bits go out as 0 and only DATA has flags.

use crate::{ErrorCode, Flags, HEADER_LEN, Header, Kind, StreamId};

/// The high bit of an increment is reserved, as that of a stream id.
pub(crate) const INCREMENT_MASK: u32 = 0x7FFF_FFFF;

/// Bytes of a GOAWAY body before its debug text: last stream id and error code.
pub(crate) const GO_AWAY_FIXED_LEN: u32 = 8;

/// The header of a DATA frame; the caller writes `length` bytes of payload right after it.
///
/// `length` saturates at [`MAX_LENGTH`](crate::MAX_LENGTH): a caller with more payload than that has to cut it into
/// several frames, or the peer takes the surplus for the next frame.
///
/// ```
/// use muxado_frame::{Flags, Side, StreamId, data_header};
///
/// let header = data_header(StreamId::first(Side::Server), 0, Flags::FIN);
/// assert_eq!(header, [0, 0, 0, 0x11, 0, 0, 0, 2]);
/// ```
#[inline]
pub const fn data_header(id: StreamId, length: u32, flags: Flags) -> [u8; HEADER_LEN] {
    Header::saturating(Kind::Data, flags, length, id.get()).encode()
}

/// A whole RST frame.
///
/// ```
/// use muxado_frame::{ErrorCode, Side, StreamId, rst};
///
/// let frame = rst(StreamId::first(Side::Client), ErrorCode::STREAM_CANCELLED);
/// assert_eq!(frame, [0, 0, 4, 0x00, 0, 0, 0, 3, 0, 0, 0, 6]);
/// ```
#[inline]
pub const fn rst(id: StreamId, code: ErrorCode) -> [u8; 12] {
    frame_of_one_word(Kind::Rst, id, code.get())
}

/// A whole WNDINC frame that grants `increment` more bytes.
///
/// The increment is cut to its low 31 bits. The caller keeps it in 1 to 0x7FFF_FFFF: 0 ends the session at the peer.
///
/// ```
/// use muxado_frame::{Side, StreamId, wndinc};
///
/// let frame = wndinc(StreamId::first(Side::Client), 0x1_0000);
/// assert_eq!(frame, [0, 0, 4, 0x20, 0, 0, 0, 3, 0, 1, 0, 0]);
/// ```
#[inline]
pub const fn wndinc(id: StreamId, increment: u32) -> [u8; 12] {
    frame_of_one_word(Kind::WndInc, id, increment & INCREMENT_MASK)
}

/// A GOAWAY frame up to its debug text; the caller writes `debug_len` bytes of text right after it.
///
/// `last` is the highest of the peer's stream ids that was handled, `None` for none (0 on the wire). The length
/// of the frame saturates at [`MAX_LENGTH`](crate::MAX_LENGTH), so `debug_len` may be `MAX_LENGTH - 8` at most.
///
/// ```
/// use muxado_frame::{ErrorCode, go_away};
///
/// let frame = go_away(None, ErrorCode::NO_ERROR, 3);
/// assert_eq!(frame, [0, 0, 11, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/// ```
#[inline]
pub const fn go_away(last: Option<StreamId>, code: ErrorCode, debug_len: u32) -> [u8; 16] {
    let length = GO_AWAY_FIXED_LEN.saturating_add(debug_len);
    let [h0, h1, h2, h3, h4, h5, h6, h7] = Header::saturating(Kind::GoAway, Flags::NONE, length, 0).encode();
    let last = match last {
        Some(id) => id.get(),
        None => 0,
    };
    let [l0, l1, l2, l3] = last.to_be_bytes();
    let [c0, c1, c2, c3] = code.get().to_be_bytes();
    [h0, h1, h2, h3, h4, h5, h6, h7, l0, l1, l2, l3, c0, c1, c2, c3]
}

const fn frame_of_one_word(kind: Kind, id: StreamId, word: u32) -> [u8; 12] {
    let [h0, h1, h2, h3, h4, h5, h6, h7] = Header::saturating(kind, Flags::NONE, 4, id.get()).encode();
    let [w0, w1, w2, w3] = word.to_be_bytes();
    [h0, h1, h2, h3, h4, h5, h6, h7, w0, w1, w2, w3]
}

#[cfg(test)]
mod tests {
    use super::{data_header, go_away, wndinc};
    use crate::{ErrorCode, Flags, StreamId};

    #[test]
    fn lengths_saturate_at_24_bits() {
        for length in [0xFF_FFFF, 0x100_0000, u32::MAX] {
            let frame = data_header(StreamId::MAX, length, Flags::NONE);
            assert_eq!(frame, [0xFF, 0xFF, 0xFF, 0x10, 0x7F, 0xFF, 0xFF, 0xFF]);
        }
        for debug_len in [0xFF_FFF7, 0xFF_FFF8, u32::MAX] {
            let frame = go_away(None, ErrorCode::NO_ERROR, debug_len);
            assert_eq!(frame[..4], [0xFF, 0xFF, 0xFF, 0x30]);
        }
        assert_eq!(go_away(None, ErrorCode::NO_ERROR, 0xFF_FFF6)[..4], [0xFF, 0xFF, 0xFE, 0x30]);
    }

    #[test]
    fn the_reserved_bit_of_an_increment_is_never_sent() {
        let body = |increment| wndinc(StreamId::MAX, increment)[8..].to_vec();
        assert_eq!(body(u32::MAX), [0x7F, 0xFF, 0xFF, 0xFF]);
        assert_eq!(body(0x8000_0001), [0, 0, 0, 1]);
    }
}
