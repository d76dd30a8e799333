//! What a session tells `tracing`: spans that open and close, an event for each frame, one summary, and nothing louder
//! than debug, whatever a peer does.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod listener;
mod loudness;
mod spans;
