//! Which stream ids exist, which side of a session opens which, and in what order.
//!
//! Wire: docs/protocol.md, "Frame" (31 bits, never 0) and "Streams" (parity, first ids).

use core::fmt;
use core::num::NonZeroU32;

/// One of the two peers of a session. The roles differ in nothing but the ids of the streams they open.
///
/// ```
/// use muxado_frame::{Side, StreamId};
///
/// assert_eq!(StreamId::first(Side::Client.peer()).get(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a session has two sides")]
pub enum Side {
    /// Opens odd ids.
    Client,
    /// Opens even ids.
    Server,
}

impl Side {
    /// The other side.
    #[inline]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// A valid stream id, 1 to 0x7FFF_FFFF.
///
/// ```
/// use muxado_frame::{Side, StreamId};
///
/// let id = StreamId::first(Side::Client);
/// assert_eq!(id.get(), 3);
/// assert_eq!(id.opener(), Side::Client);
/// assert_eq!(id.next().map(StreamId::get), Some(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(NonZeroU32);

impl StreamId {
    /// The highest id, 0x7FFF_FFFF, the last that a client can open.
    pub const MAX: Self = Self(NonZeroU32::MIN.saturating_add(0x7FFF_FFFE));

    /// The id, unless it is 0 or has the reserved top bit set.
    #[inline]
    pub const fn new(id: u32) -> Option<Self> {
        match NonZeroU32::new(id) {
            Some(id) if id.get() <= Self::MAX.get() => Some(Self(id)),
            _ => None,
        }
    }

    /// The id as a number.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The side that opens streams with ids of this parity.
    #[inline]
    pub const fn opener(self) -> Side {
        if self.get() & 1 == 1 { Side::Client } else { Side::Server }
    }

    /// The first id that `side` opens: 3 for a client, 2 for a server.
    ///
    /// Id 1 is valid, and a peer may use it, but the existing implementations start at 3.
    #[inline]
    pub const fn first(side: Side) -> Self {
        match side {
            Side::Client => Self(NonZeroU32::MIN.saturating_add(2)),
            Side::Server => Self(NonZeroU32::MIN.saturating_add(1)),
        }
    }

    /// The next id of the same side, or `None` when that side has used them all.
    #[inline]
    pub const fn next(self) -> Option<Self> {
        // No overflow: an id is at most 0x7FFF_FFFF.
        Self::new(self.get().saturating_add(2))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, StreamId};
    use std::string::ToString;

    #[test]
    fn zero_and_the_top_bit_are_no_ids() {
        for id in [0, 0x8000_0000, 0x8000_0001, 0x8000_0003, u32::MAX] {
            assert_eq!(StreamId::new(id), None, "{id:#x}");
        }
        for id in [1, 2, 3, 0x7FFF_FFFE, 0x7FFF_FFFF] {
            assert_eq!(StreamId::new(id).map(StreamId::get), Some(id));
        }
    }

    #[test]
    fn w01_ids_start_at_3_and_2_and_count_by_2() {
        for (side, ids) in [(Side::Client, [3, 5, 7]), (Side::Server, [2, 4, 6])] {
            let mut next = Some(StreamId::first(side));
            for id in ids {
                assert_eq!(next.map(StreamId::get), Some(id));
                assert_eq!(next.map(StreamId::opener), Some(side));
                next = next.and_then(StreamId::next);
            }
        }
    }

    #[test]
    fn both_sides_run_out_at_31_bits() {
        for last in [0x7FFF_FFFE, 0x7FFF_FFFF] {
            let id = StreamId::new(last - 2).unwrap();
            assert_eq!(id.next().map(StreamId::get), Some(last));
            assert_eq!(id.next().and_then(StreamId::next), None);
        }
    }

    #[test]
    fn the_peer_of_the_peer_is_oneself() {
        assert_eq!(Side::Client.peer(), Side::Server);
        assert_eq!(Side::Server.peer(), Side::Client);
    }

    #[test]
    fn prints_in_decimal() {
        assert_eq!(StreamId::MAX.to_string(), "2147483647");
    }

    #[test]
    fn sides_print_by_name() {
        assert_eq!(Side::Client.to_string(), "client");
        assert_eq!(Side::Server.to_string(), "server");
    }
}
