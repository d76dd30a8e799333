//! The incremental decoder: which bytes end a header or a body piece, and which frames are impossible.
//!
//! Wire: docs/protocol.md, "Frame". A frame is judged on its header, before a byte of its body is looked at, and
//! payload is counted, never kept: no length field can make the decoder hold more than sixteen bytes.

use crate::encode::{GO_AWAY_FIXED_LEN, INCREMENT_MASK};
use crate::{DecodeError, ErrorCode, Flags, HEADER_LEN, Header, Kind};

/// The longest part of a frame that has to be seen at once: a GOAWAY up to its debug text.
const MAX_FIXED_LEN: usize = 16;

/// What the decoder has found. Stream ids are raw: the reserved top bit may be set.
///
/// ```
/// use muxado_frame::{Decoder, ErrorCode, Flags, Item};
///
/// let rst = [0, 0, 4, 0x00, 0, 0, 0, 3, 0, 0, 0, 6];
/// let (taken, item) = Decoder::new().decode(&rst)?;
/// assert_eq!(taken, 12);
/// assert_eq!(item, Some(Item::Rst { id: 3, code: ErrorCode::STREAM_CANCELLED, flags: Flags::NONE }));
/// # Ok::<(), muxado_frame::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one item per frame kind, and their body; complete for muxado v2"
)]
pub enum Item {
    /// The header of a DATA frame.
    Data {
        /// Not 0.
        id: u32,
        /// Bytes of payload that follow as [`Item::Body`].
        length: u32,
        /// FIN, SYN and the two bits without meaning.
        flags: Flags,
    },
    /// More of the body that the last header announced: DATA payload, GOAWAY debug text, or what an unknown
    /// frame holds.
    Body {
        /// How many of the bytes just taken they are, counted from the last one back. Not 0.
        len: usize,
        /// Whether the frame ends with them.
        last: bool,
    },
    /// A whole RST frame.
    Rst {
        /// Not 0.
        id: u32,
        /// Why.
        code: ErrorCode,
        /// As they came: on this frame none has a meaning.
        flags: Flags,
    },
    /// A whole WNDINC frame.
    WndInc {
        /// Not 0.
        id: u32,
        /// Bytes of window granted, 1 to 0x7FFF_FFFF.
        increment: u32,
        /// As they came: on this frame none has a meaning.
        flags: Flags,
    },
    /// A GOAWAY frame up to its debug text.
    GoAway {
        /// The highest stream that the peer has handled, raw, 0 for none.
        last: u32,
        /// Why.
        code: ErrorCode,
        /// Bytes of debug text that follow as [`Item::Body`].
        debug_len: u32,
        /// As they came: on this frame none has a meaning.
        flags: Flags,
    },
    /// The header of a frame of unknown kind; its length in bytes follows as [`Item::Body`].
    Unknown {
        /// The header as it came.
        header: Header,
    },
}

/// Finds frames in bytes that arrive in pieces of any size.
///
/// It keeps the beginning of a header or of a short body that was cut, sixteen bytes at most, and no payload.
/// After an error there is no telling where the next frame begins, so it stays failed.
///
/// ```
/// use muxado_frame::{Decoder, ErrorCode, Flags, Item, Side, StreamId, rst};
///
/// let frame = rst(StreamId::first(Side::Client), ErrorCode::STREAM_RESET);
/// let mut decoder = Decoder::new();
/// assert_eq!(decoder.decode(&frame[..5])?, (5, None));
/// let whole = Item::Rst { id: 3, code: ErrorCode::STREAM_RESET, flags: Flags::NONE };
/// assert_eq!(decoder.decode(&frame[5..])?, (7, Some(whole)));
/// # Ok::<(), muxado_frame::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// At a frame boundary.
    #[default]
    Idle,
    /// The first `have` of `bytes` came, too few to make an item of: 0 < have < 16.
    Cut {
        bytes: [u8; MAX_FIXED_LEN],
        have: usize,
    },
    /// `left` bytes of body are still to come: left > 0.
    Body {
        left: u32,
    },
    Failed(DecodeError),
}

impl Decoder {
    /// A decoder at a frame boundary.
    #[inline]
    pub const fn new() -> Self {
        Self { state: State::Idle }
    }

    /// Takes bytes from the front of `input`: returns how many, and what they completed, if anything.
    ///
    /// It never takes bytes of a second item, so the caller goes on with the rest of the input. `None` means
    /// that all of the input was taken and more is needed. Empty input takes nothing and completes nothing.
    ///
    /// # Errors
    ///
    /// The bytes are not a frame of muxado v2: the length is checked first, then the stream id, both as soon as
    /// the last byte of the header is in, then the increment of a WNDINC. From then on every call returns the
    /// same error, whatever the input.
    #[inline]
    pub fn decode(&mut self, input: &[u8]) -> Result<(usize, Option<Item>), DecodeError> {
        match self.state {
            State::Idle => match fixed_part(input) {
                Ok(Some((len, item))) => {
                    self.state = State::after(item);
                    Ok((len, Some(item)))
                }
                Ok(None) => Ok(self.keep(input)),
                Err(error) => Err(self.fail(error)),
            },
            State::Body { left } => Ok(self.body(left, input)),
            State::Cut { bytes, have } => self.join(bytes, have, input),
            State::Failed(error) => Err(error),
        }
    }

    /// Whether it is at a frame boundary: everything taken so far belongs to frames that are complete.
    ///
    /// False after an error.
    #[inline]
    pub const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    #[inline]
    fn body(&mut self, left: u32, input: &[u8]) -> (usize, Option<Item>) {
        let len = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if len == 0 {
            return (0, None);
        }
        let left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
        self.state = State::body(left);
        (len, Some(Item::Body { len, last: left == 0 }))
    }

    /// Keeps an input that was too short.
    #[cold]
    fn keep(&mut self, input: &[u8]) -> (usize, Option<Item>) {
        let mut bytes = [0; MAX_FIXED_LEN];
        let have = fill(&mut bytes, input);
        if have > 0 {
            self.state = State::Cut { bytes, have };
        }
        (have, None)
    }

    /// Goes on with what was kept. Bytes of the next frame may get copied along, but they are not taken.
    #[cold]
    fn join(
        &mut self,
        mut bytes: [u8; MAX_FIXED_LEN],
        kept: usize,
        input: &[u8],
    ) -> Result<(usize, Option<Item>), DecodeError> {
        let copied = fill(bytes.get_mut(kept..).unwrap_or_default(), input);
        let have = kept.saturating_add(copied);
        match fixed_part(bytes.get(..have).unwrap_or_default()) {
            Ok(Some((len, item))) => {
                self.state = State::after(item);
                Ok((len.saturating_sub(kept), Some(item)))
            }
            Ok(None) => {
                self.state = State::Cut { bytes, have };
                Ok((copied, None))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    #[cold]
    fn fail(&mut self, error: DecodeError) -> DecodeError {
        self.state = State::Failed(error);
        error
    }
}

impl State {
    /// The state after an item other than a body piece.
    #[inline]
    const fn after(item: Item) -> Self {
        match item {
            Item::Data { length, .. } => Self::body(length),
            Item::GoAway { debug_len, .. } => Self::body(debug_len),
            Item::Unknown { header } => Self::body(header.length()),
            Item::Rst { .. } | Item::WndInc { .. } | Item::Body { .. } => Self::Idle,
        }
    }

    #[inline]
    const fn body(left: u32) -> Self {
        if left == 0 { Self::Idle } else { Self::Body { left } }
    }
}

/// The item that `bytes` begin with and its length, or `None` if they are too few.
#[inline]
fn fixed_part(bytes: &[u8]) -> Result<Option<(usize, Item)>, DecodeError> {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_LEN>() else {
        return Ok(None);
    };
    let header = Header::decode(*header);
    judge(header)?;
    let (id, flags) = (header.stream_id(), header.flags());
    let item = match header.kind() {
        Kind::Data => (HEADER_LEN, Item::Data { id, length: header.length(), flags }),
        Kind::Unknown(_) => (HEADER_LEN, Item::Unknown { header }),
        Kind::Rst => match body.first_chunk() {
            Some(code) => (12, Item::Rst { id, code: ErrorCode::new(u32::from_be_bytes(*code)), flags }),
            None => return Ok(None),
        },
        Kind::WndInc => match body.first_chunk() {
            Some(increment) => match u32::from_be_bytes(*increment) & INCREMENT_MASK {
                0 => return Err(DecodeError::ZeroIncrement { id }),
                increment => (12, Item::WndInc { id, increment, flags }),
            },
            None => return Ok(None),
        },
        Kind::GoAway => match body.first_chunk() {
            Some(&[l3, l2, l1, l0, c3, c2, c1, c0]) => {
                let last = u32::from_be_bytes([l3, l2, l1, l0]);
                let code = ErrorCode::new(u32::from_be_bytes([c3, c2, c1, c0]));
                let debug_len = header.length().saturating_sub(GO_AWAY_FIXED_LEN);
                (MAX_FIXED_LEN, Item::GoAway { last, code, debug_len, flags })
            }
            None => return Ok(None),
        },
    };
    Ok(Some(item))
}

/// Whether a frame may have this header. The order (length, then stream id) is that of the Go implementation,
/// so that a header with two faults gets the same code from both.
#[inline]
const fn judge(header: Header) -> Result<(), DecodeError> {
    let (kind, length, id) = (header.kind(), header.length(), header.stream_id());
    let possible = match kind {
        Kind::Rst | Kind::WndInc => length == 4,
        Kind::GoAway => length >= GO_AWAY_FIXED_LEN,
        Kind::Data | Kind::Unknown(_) => true,
    };
    if !possible {
        return Err(DecodeError::FrameSize { kind, length });
    }
    match kind {
        Kind::Data | Kind::Rst | Kind::WndInc if id == 0 => Err(DecodeError::ZeroStreamId { kind }),
        Kind::GoAway if id != 0 => Err(DecodeError::NonZeroStreamId { id }),
        _ => Ok(()),
    }
}

/// Copies as much as fits and returns how much that was.
fn fill(space: &mut [u8], from: &[u8]) -> usize {
    let mut copied = 0_usize;
    for (to, byte) in space.iter_mut().zip(from) {
        *to = *byte;
        copied = copied.saturating_add(1);
    }
    copied
}
