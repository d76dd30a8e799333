//! What must be found in a direction: its frames, read as naively as can be.

use std::fmt;

use muxado_tokio::core::Side;

use crate::capture::Turn;

/// The fields of a header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) stream: u32,
    pub(crate) length: u32,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {} flags {} stream {} length {}", self.kind, self.flags, self.stream, self.length)
    }
}

/// What one side said: its frames, and the payload of all DATA.
#[derive(Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) frames: Vec<Frame>,
    pub(crate) payload: Vec<u8>,
}

/// Of all turns of a side, the frames that came whole.
pub(crate) fn said(turns: &[Turn], side: Side) -> Said {
    let bytes: Vec<u8> =
        turns.iter().filter(|turn| turn.from == side).flat_map(|turn| turn.bytes.clone()).collect();
    let mut rest = &bytes[..];
    let mut said = Said::default();
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, kind, id @ ..] = *header;
        let length = u32::from_be_bytes([0, a, b, c]);
        let Some((body, after)) = after.split_at_checked(length as usize) else { break };
        let (kind, flags) = (u32::from(kind >> 4), u32::from(kind & 15));
        said.frames.push(Frame { kind, flags, stream: u32::from_be_bytes(id) & 0x7FFF_FFFF, length });
        if kind == 1 {
            said.payload.extend_from_slice(body);
        }
        rest = after;
    }
    said
}
