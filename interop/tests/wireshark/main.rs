//! The dissector of docs/wireshark, judged by tshark on captures of sessions: ours, recorded ones, and frames that no
//! session of ours would send. Nothing is captured: what sessions said is put into segments of made-up connections.
//! They are ignored unless asked for, since tshark may not be there: cargo xtask wireshark.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod capture;
mod frames;
mod odd;
mod ours;
mod recorded;
mod sample;
mod sessions;
mod tshark;
