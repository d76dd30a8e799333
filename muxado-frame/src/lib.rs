//! The wire encoding of muxado v2: frames, stream ids, error codes and an incremental decoder.
//!
//! No I/O, no allocation, no `std`, no dependencies. This crate decides what the bytes *mean*; what a frame
//! *does* to a session or a stream is left to its user.
//!
//! # A frame
//!
//! Eight bytes of header, all numbers big-endian, then `length` bytes of body:
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-----------------------------------------------+-------+-------+
//! |                  length (24)                  |kind(4)|flags(4)
//! +-+---------------------------------------------+-------+-------+
//! |0|                       stream id (31)                        |
//! +-+-------------------------------------------------------------+
//! |                    body (length bytes) ...                    |
//! +---------------------------------------------------------------+
//! ```
//!
//! | kind | stream id | body |
//! |---|---|---|
//! | 0 RST | not 0 | error code (4 bytes) |
//! | 1 DATA | not 0 | payload; flags 0x1 FIN, 0x2 SYN |
//! | 2 WNDINC | not 0 | window increment (4 bytes), not 0 |
//! | 3 GOAWAY | 0 | last stream id (4), error code (4), debug text (the rest) |
//! | 4 to 15 | any | skipped |
//!
//! # Sending and receiving
//!
//! [`data_header`], [`rst`], [`wndinc`] and [`go_away`] return bytes that are ready to be written. A
//! [`Decoder`] is fed whatever the transport delivered, split anywhere, and reports one [`Item`] at a time:
//!
//! ```
//! use muxado_frame::{Decoder, Flags, Item, Side, StreamId, data_header};
//!
//! let id = StreamId::first(Side::Client);
//! let mut wire = data_header(id, 5, Flags::SYN).to_vec();
//! wire.extend_from_slice(b"hello");
//!
//! let mut decoder = Decoder::new();
//! let mut input = &wire[..];
//! let mut payload = Vec::new();
//! while !input.is_empty() {
//!     let (taken, item) = decoder.decode(input)?;
//!     match item {
//!         Some(Item::Data { id, length, flags }) => {
//!             assert_eq!((id, length), (3, 5));
//!             assert!(flags.syn() && !flags.fin());
//!         }
//!         Some(Item::Body { len, .. }) => payload.extend_from_slice(&input[taken - len..taken]),
//!         _ => {}
//!     }
//!     input = &input[taken..];
//! }
//! assert_eq!(payload, b"hello");
//! assert!(decoder.is_idle());
//! # Ok::<(), muxado_frame::DecodeError>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)
)]

#[cfg(test)]
extern crate std;

mod decode;
mod encode;
mod error;
mod error_code;
mod flags;
mod header;
mod kind;
mod stream_id;

pub use decode::{Decoder, Item};
pub use encode::{data_header, go_away, rst, wndinc};
pub use error::DecodeError;
pub use error_code::ErrorCode;
pub use flags::Flags;
pub use header::{HEADER_LEN, Header, MAX_LENGTH};
pub use kind::{Kind, UnknownKind};
pub use stream_id::{Side, StreamId};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
