//! Everything a fuzz target has ever been given and was worth keeping, replayed as a test.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in what its tests share"
)]

mod replay;
mod seeds;
