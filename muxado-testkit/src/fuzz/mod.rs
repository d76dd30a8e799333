//! The bodies of the fuzz targets: functions from bytes to nothing, which panic if a promise does not hold.
//!
//! What libFuzzer runs in `fuzz/` and what `tests/corpus.rs` replays is the same function, so a kept input stays a test.

mod decode;
mod ledger;
mod naive;
mod roundtrip;
mod session_bytes;
mod source;

pub use decode::decode;
pub use roundtrip::roundtrip;
pub use session_bytes::session_bytes;

pub use crate::sim::{session_ops, two_node};

/// A fuzz target: its name, which is also the folder of its corpus, and what it does with one input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("decode", decode),
    ("roundtrip", roundtrip),
    ("session_bytes", session_bytes),
    ("session_ops", session_ops),
    ("two_node", two_node),
];
