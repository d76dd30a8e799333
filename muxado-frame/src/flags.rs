//! The four flag bits of a header: FIN, SYN and two without meaning, which are kept as they came.
//!
//! Wire: docs/protocol.md, "Frame". Flags count on DATA only; following that rule is up to the decoder's user.

use core::{fmt, ops::BitOr};

/// The flags of a frame, four bits. Default: [`Flags::NONE`].
///
/// ```
/// use muxado_frame::Flags;
///
/// let flags = Flags::SYN | Flags::FIN;
/// assert!(flags.syn() && flags.fin());
/// assert_eq!((flags.bits(), Flags::NONE.bits()), (0x3, 0));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// No flag set.
    pub const NONE: Self = Self(0);
    /// 0x1: the sender's direction of the stream ends after this payload.
    pub const FIN: Self = Self(0x1);
    /// 0x2: the first frame of a stream.
    pub const SYN: Self = Self(0x2);

    /// The flags in the low four bits of `bits`; the high four are ignored.
    ///
    /// ```
    /// use muxado_frame::Flags;
    /// assert_eq!(Flags::from_bits(0x3), Flags::SYN | Flags::FIN);
    /// ```
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0xF)
    }

    /// The four bits, the two without meaning included.
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether FIN is set.
    #[inline]
    pub const fn fin(self) -> bool {
        self.0 & Self::FIN.0 != 0
    }

    /// Whether SYN is set.
    #[inline]
    pub const fn syn(self) -> bool {
        self.0 & Self::SYN.0 != 0
    }
}

impl BitOr for Flags {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#06b})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;
    use std::format;

    #[test]
    fn four_bits_are_kept_and_four_ignored() {
        for bits in 0..=u8::MAX {
            let flags = Flags::from_bits(bits);
            assert_eq!(flags.bits(), bits & 0xF);
            assert_eq!(flags.fin(), bits & 1 == 1);
            assert_eq!(flags.syn(), bits & 2 == 2);
        }
    }

    #[test]
    fn or_unites() {
        for a in 0..16 {
            for b in 0..16 {
                assert_eq!((Flags::from_bits(a) | Flags::from_bits(b)).bits(), a | b);
            }
        }
    }

    #[test]
    fn the_named_flags_are_one_bit_each() {
        assert_eq!((Flags::NONE.bits(), Flags::FIN.bits(), Flags::SYN.bits()), (0, 1, 2));
        assert_eq!(Flags::default(), Flags::NONE);
    }

    #[test]
    fn prints_as_four_bits() {
        assert_eq!(format!("{:?}", Flags::SYN), "Flags(0b0010)");
    }
}
