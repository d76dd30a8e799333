//! The eight bytes in front of every frame: total in both directions, so it judges nothing.
//!
//! Wire: docs/protocol.md, "Frame". Whether a header is *allowed* is `decode`'s question.

use crate::{Flags, Kind};

/// Bytes in a frame header.
pub const HEADER_LEN: usize = 8;

/// The highest length of a frame body in bytes: 24 bits, one byte less than 16 MiB.
pub const MAX_LENGTH: u32 = 0xFF_FFFF;

/// A decoded frame header. Every eight bytes are a header, and every header is eight bytes.
///
/// ```
/// use muxado_frame::{Flags, Header, Kind};
///
/// let header = Header::decode([0, 0, 5, 0x12, 0, 0, 0, 3]);
/// assert_eq!((header.kind(), header.flags()), (Kind::Data, Flags::SYN));
/// assert_eq!((header.length(), header.stream_id()), (5, 3));
/// assert_eq!(Header::new(Kind::Data, Flags::SYN, 5, 3), Some(header));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// At most [`MAX_LENGTH`].
    length: u32,
    kind: Kind,
    flags: Flags,
    stream_id: u32,
}

impl Header {
    /// A header with these fields, or `None` if `length` is above [`MAX_LENGTH`].
    #[inline]
    pub const fn new(kind: Kind, flags: Flags, length: u32, stream_id: u32) -> Option<Self> {
        if length > MAX_LENGTH { None } else { Some(Self { length, kind, flags, stream_id }) }
    }

    /// As [`Header::new`] with a `length` above [`MAX_LENGTH`] brought down to it.
    #[inline]
    pub(crate) const fn saturating(kind: Kind, flags: Flags, length: u32, stream_id: u32) -> Self {
        match Self::new(kind, flags, length, stream_id) {
            Some(header) => header,
            None => Self { length: MAX_LENGTH, kind, flags, stream_id },
        }
    }

    /// Reads a header.
    #[inline]
    pub const fn decode(bytes: [u8; HEADER_LEN]) -> Self {
        let [l2, l1, l0, kind_and_flags, s3, s2, s1, s0] = bytes;
        Self {
            length: u32::from_be_bytes([0, l2, l1, l0]),
            kind: Kind::from_bits(kind_and_flags >> 4),
            flags: Flags::from_bits(kind_and_flags),
            stream_id: u32::from_be_bytes([s3, s2, s1, s0]),
        }
    }

    /// Writes a header.
    ///
    /// ```
    /// use muxado_frame::{Flags, Header, Kind};
    ///
    /// let header = Header::new(Kind::Data, Flags::SYN, 5, 3).expect("5 is no more than `MAX_LENGTH`");
    /// assert_eq!(header.encode(), [0, 0, 5, 0x12, 0, 0, 0, 3]);
    /// ```
    #[inline]
    pub const fn encode(self) -> [u8; HEADER_LEN] {
        let [_, l2, l1, l0] = self.length.to_be_bytes();
        let [s3, s2, s1, s0] = self.stream_id.to_be_bytes();
        [l2, l1, l0, self.kind.bits() << 4 | self.flags.bits(), s3, s2, s1, s0]
    }

    /// Bytes of body that follow the header, 0 to [`MAX_LENGTH`].
    #[inline]
    pub const fn length(self) -> u32 {
        self.length
    }

    /// What the frame is.
    #[inline]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// The flags, which have a meaning on [`Kind::Data`] only.
    #[inline]
    pub const fn flags(self) -> Flags {
        self.flags
    }

    /// The stream id field as it is on the wire: it may be 0 and may have the reserved top bit set.
    #[inline]
    pub const fn stream_id(self) -> u32 {
        self.stream_id
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, MAX_LENGTH};
    use crate::{Flags, Kind};

    #[test]
    fn every_field_has_its_own_bits() {
        let header = Header::decode([0x12, 0x34, 0x56, 0x39, 0x89, 0xAB, 0xCD, 0xEF]);
        assert_eq!(header.length(), 0x12_3456);
        assert_eq!(header.kind(), Kind::GoAway);
        assert_eq!(header.flags().bits(), 0x9);
        assert_eq!(header.stream_id(), 0x89AB_CDEF);
    }

    #[test]
    fn a_length_of_25_bits_has_no_header() {
        let header = |length| Header::new(Kind::Data, Flags::NONE, length, 3);
        assert!(header(MAX_LENGTH).is_some());
        assert_eq!(header(MAX_LENGTH + 1), None);
        assert_eq!(header(u32::MAX), None);
    }
}
