//! The number that a typed stream begins with.

use std::fmt;

/// What a typed stream is for. Both sides agree on the numbers; the protocol itself gives a meaning to only one.
///
/// ```
/// use muxado_typed::StreamType;
///
/// const CHAT: StreamType = StreamType::new(7);
/// assert_eq!(StreamType::from(7), CHAT);
/// assert_eq!(StreamType::HEARTBEAT.get(), 0xFFFF_FFFF);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamType(u32);

impl StreamType {
    /// The streams that heartbeats go through.
    pub const HEARTBEAT: StreamType = StreamType(u32::MAX);

    /// A type of your own: any number but that of [`HEARTBEAT`](StreamType::HEARTBEAT).
    #[must_use]
    pub const fn new(number: u32) -> StreamType {
        StreamType(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As it stands at the beginning of the stream.
    pub(crate) const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    pub(crate) const fn from_bytes(bytes: [u8; 4]) -> StreamType {
        StreamType(u32::from_be_bytes(bytes))
    }
}

impl From<u32> for StreamType {
    fn from(number: u32) -> StreamType {
        StreamType(number)
    }
}

impl fmt::Display for StreamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
