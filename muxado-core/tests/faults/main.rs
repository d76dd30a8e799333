//! What networks, peers and callers can do wrong: the fault list F, exhaustive where it can be.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod app;
mod bytes;
mod drops;
mod foreign;
mod matrix;
mod owners;
#[allow(dead_code, reason = "only the bytes of the recordings are of interest here")]
#[path = "../replay/recording.rs"]
mod recording;
mod transport;
mod trap;
