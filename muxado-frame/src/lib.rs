#![doc = include_str!("../README.md")]
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
