//! What bytes mean, read straight from docs/protocol.md, section 2, with all of them at hand. It shares no code with the
//! decoder and is as plain as can be, so that the two can be compared.

use muxado_frame::{DecodeError, Item};

/// A frame found in a sequence of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) length: usize,
    pub(super) id: u32,
    /// As much of the body as is there.
    pub(super) body: Vec<u8>,
}

/// The end of a sequence of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After a whole frame.
    Between,
    /// Within a frame.
    Within,
    /// Bytes that are no frame, and the error code that the session ends with.
    Malformed(u32),
}

/// The frames whose fixed part is there (the header, and for all types with a number in the body that as well), in
/// order.
pub(super) fn frames(mut bytes: &[u8]) -> (Vec<Frame>, End) {
    let mut found = Vec::new();
    loop {
        if bytes.is_empty() {
            return (found, End::Between);
        }
        if bytes.len() < 8 {
            return (found, End::Within);
        }
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (first, id) = (word(0), word(4));
        let length = (first >> 8) as usize;
        let (kind, flags) = ((first >> 4 & 0xF) as u8, (first & 0xF) as u8);
        let fixed = match kind {
            0 | 2 => 4,
            3 => 8,
            _ => 0,
        };
        let wrong_size = if kind == 3 { length < 8 } else { fixed == 4 && length != 4 };
        if wrong_size {
            return (found, End::Malformed(8));
        }
        if (kind <= 2 && id == 0) || (kind == 3 && id != 0) {
            return (found, End::Malformed(1));
        }
        if bytes.len() < 8 + fixed {
            return (found, End::Within);
        }
        if kind == 2 && word(8) & 0x7FFF_FFFF == 0 {
            return (found, End::Malformed(1));
        }
        let there = length.min(bytes.len() - 8);
        found.push(Frame { kind, flags, length, id, body: bytes[8..8 + there].to_vec() });
        if there < length {
            return (found, End::Within);
        }
        bytes = &bytes[8 + length..];
    }
}

impl Frame {
    /// The frame that begins with an item other than a piece of a body, as far as the item tells.
    pub(super) fn of(item: Item) -> Frame {
        let frame = |kind, flags, length: u32, id, fixed: &[u32]| Frame {
            kind,
            flags,
            length: length as usize,
            id,
            body: fixed.iter().flat_map(|word| word.to_be_bytes()).collect(),
        };
        match item {
            Item::Data { id, length, flags } => frame(1, flags.bits(), length, id, &[]),
            Item::Rst { id, code } => frame(0, 0, 4, id, &[code.get()]),
            Item::WndInc { id, increment } => frame(2, 0, 4, id, &[increment]),
            Item::GoAway { last, code, debug_len } => frame(3, 0, 8 + debug_len, 0, &[last, code.get()]),
            Item::Unknown { header } => {
                frame(header.kind().bits(), header.flags().bits(), header.length(), header.stream_id(), &[])
            }
            Item::Body { .. } => frame(0, 0, 0, 0, &[]),
        }
    }

    /// Without what the decoder does not report: flags on types that have none, the top bit of an increment.
    pub(super) fn reported(mut self) -> Frame {
        if matches!(self.kind, 0 | 2 | 3) {
            self.flags = 0;
        }
        if let (2, Some(first)) = (self.kind, self.body.first_mut()) {
            *first &= 0x7F;
        }
        self
    }
}

impl End {
    pub(super) fn of(decoded: Result<bool, DecodeError>) -> End {
        match decoded {
            Ok(true) => End::Between,
            Ok(false) => End::Within,
            Err(error) => End::Malformed(error.code().get()),
        }
    }
}
