//! Ours and the crate `muxado` 0.5.4 on the two ends of a TCP connection, each in both roles. docs/interop.md says what
//! is particular about that peer.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bulk;
mod end;
mod exchange;
mod half_close;
mod heartbeat;
mod limits;
mod reset;
mod roles;
mod streams;
mod typed;
