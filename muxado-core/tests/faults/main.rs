//! What networks, peers and callers can do wrong: the fault list F, exhaustive where it can be.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod app;
mod bytes;
mod cancel;
mod drops;
mod foreign;
mod limits;
mod matrix;
mod odd;
mod outbound;
mod owners;
#[allow(dead_code, reason = "only the bytes of the recordings are of interest here")]
#[path = "../replay/recording.rs"]
mod recording;
mod transport;
mod trap;
