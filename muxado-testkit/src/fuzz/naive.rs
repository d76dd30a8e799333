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

/// The frame that `bytes` begin with, with a body of the numbers that its type has, or none if they are not all there.
/// The error is the code that the session ends with.
fn first(bytes: &[u8]) -> Result<Option<Frame>, u32> {
    if bytes.len() < 8 {
        return Ok(None);
    }
    let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (start, id) = (word(0), word(4));
    let length = (start >> 8) as usize;
    let (kind, flags) = ((start >> 4 & 0xF) as u8, (start & 0xF) as u8);
    let numbers = match kind {
        0 | 2 => 4,
        3 => 8,
        _ => 0,
    };
    let wrong_size = if kind == 3 { length < 8 } else { numbers == 4 && length != 4 };
    if wrong_size {
        return Err(8);
    }
    if (kind <= 2 && id == 0) || (kind == 3 && id != 0) {
        return Err(1);
    }
    if bytes.len() < 8 + numbers {
        return Ok(None);
    }
    if kind == 2 && word(8) & 0x7FFF_FFFF == 0 {
        return Err(1);
    }
    Ok(Some(Frame { kind, flags, length, id, body: bytes[8..8 + numbers].to_vec() }))
}

/// The frames whose numbers are all there, in order.
pub(super) fn frames(mut bytes: &[u8]) -> (Vec<Frame>, End) {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let mut frame = match first(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return (found, End::Within),
            Err(code) => return (found, End::Malformed(code)),
        };
        let there = frame.length.min(bytes.len() - 8);
        frame.body = bytes[8..8 + there].to_vec();
        bytes = &bytes[8 + there..];
        let whole = there == frame.length;
        found.push(frame);
        if !whole {
            return (found, End::Within);
        }
    }
    (found, End::Between)
}

/// The same for bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The beginning of a frame.
    kept: Vec<u8>,
    /// What is missing of the body in progress.
    missing: usize,
}

/// What a [`Reader`] comes across.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A frame, with a body of the numbers its type has.
    Frame(Frame),
    /// More of its body, and whether that is the last.
    Body(&'a [u8], bool),
}

impl Reader {
    /// Takes the next part off the front of `bytes`. None: they are used up. The error is that of a frame.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Part<'a>>, u32> {
        if self.missing > 0 && !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.missing.min(bytes.len()));
            *bytes = rest;
            self.missing -= piece.len();
            return Ok(Some(Part::Body(piece, self.missing == 0)));
        }
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.kept.push(*byte);
            if let Some(frame) = first(&self.kept)? {
                self.kept.clear();
                self.missing = frame.length - frame.body.len();
                return Ok(Some(Part::Frame(frame)));
            }
        }
        Ok(None)
    }
}

impl Frame {
    /// The number at this place among the numbers of its body, or 0.
    pub(super) fn number(&self, at: usize) -> u32 {
        let bytes = self.body.get(at * 4..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn fin(&self) -> bool {
        self.flags & 1 != 0
    }

    pub(super) fn syn(&self) -> bool {
        self.flags & 2 != 0
    }

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
            Item::Rst { id, code, flags } => frame(0, flags.bits(), 4, id, &[code.get()]),
            Item::WndInc { id, increment, flags } => frame(2, flags.bits(), 4, id, &[increment]),
            Item::GoAway { last, code, debug_len, flags } => {
                frame(3, flags.bits(), 8 + debug_len, 0, &[last, code.get()])
            }
            Item::Unknown { header } => {
                frame(header.kind().bits(), header.flags().bits(), header.length(), header.stream_id(), &[])
            }
            Item::Body { .. } => frame(0, 0, 0, 0, &[]),
        }
    }

    /// Without what the decoder does not report: the top bit of an increment.
    pub(super) fn reported(mut self) -> Frame {
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
