//! Test equipment for the muxado crates, for their integration tests only. It decides nothing about the protocol.
//!
//! - [`wire`]: frames as literal bytes, allowed or not.
//! - [`Peer`]: one machine, whose peer is the test.
//! - [`Pair`]: two machines on a perfect link.
//! - [`every_split`]: the same bytes in other pieces.

#![forbid(unsafe_code)]

mod pair;
mod peer;
mod split;
pub mod wire;

pub use pair::Pair;
pub use peer::{Ending, Outcome, Peer};
pub use split::every_split;
