//! The four-bit frame kind: all sixteen values are representable, and each in one way only.
//!
//! Wire: docs/protocol.md, "Frame".

use core::fmt;

/// What a frame is: one of the four kinds of muxado v2, or a number that v2 gives no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the sixteen values of four bits, complete by definition")]
pub enum Kind {
    /// 0: ends a stream in both directions, with an error code.
    Rst,
    /// 1: carries payload, opens (SYN) and half-closes (FIN) a stream.
    Data,
    /// 2: grants more window on a stream.
    WndInc,
    /// 3: announces the end of the session.
    GoAway,
    /// 4 to 15: to be skipped with its body.
    Unknown(UnknownKind),
}

/// A frame kind from 4 to 15; it cannot hold a number that [`Kind`] has a name for.
///
/// ```
/// use muxado_frame::Kind;
///
/// let Kind::Unknown(kind) = Kind::from_bits(9) else { panic!("9 has no name") };
/// assert_eq!(kind.bits(), 9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownKind(u8);

impl Kind {
    /// The kind in the low four bits of `bits`; the high four are ignored.
    ///
    /// ```
    /// use muxado_frame::Kind;
    /// assert_eq!(Kind::from_bits(1), Kind::Data);
    /// assert_eq!(Kind::from_bits(0xF7).bits(), 7);
    /// ```
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0xF {
            0 => Self::Rst,
            1 => Self::Data,
            2 => Self::WndInc,
            3 => Self::GoAway,
            unknown => Self::Unknown(UnknownKind(unknown)),
        }
    }

    /// The number on the wire, 0 to 15.
    #[inline]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Rst => 0,
            Self::Data => 1,
            Self::WndInc => 2,
            Self::GoAway => 3,
            Self::Unknown(kind) => kind.bits(),
        }
    }
}

impl UnknownKind {
    /// The number on the wire, 4 to 15.
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rst => f.write_str("RST"),
            Self::Data => f.write_str("DATA"),
            Self::WndInc => f.write_str("WNDINC"),
            Self::GoAway => f.write_str("GOAWAY"),
            Self::Unknown(kind) => write!(f, "kind {}", kind.bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use std::string::ToString;

    #[test]
    fn every_number_survives_and_the_high_bits_do_not_matter() {
        for bits in 0..=u8::MAX {
            assert_eq!(Kind::from_bits(bits).bits(), bits & 0xF);
        }
    }

    #[test]
    fn only_the_numbers_from_4_on_are_unknown() {
        for bits in 0..16 {
            assert_eq!(matches!(Kind::from_bits(bits), Kind::Unknown(_)), bits >= 4, "{bits}");
        }
    }

    #[test]
    fn prints_as_the_protocol_names_it() {
        let names: [(u8, &str); 5] = [(0, "RST"), (1, "DATA"), (2, "WNDINC"), (3, "GOAWAY"), (9, "kind 9")];
        for (bits, name) in names {
            assert_eq!(Kind::from_bits(bits).to_string(), name);
        }
    }
}
