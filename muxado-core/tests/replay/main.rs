//! The recorded sessions of the existing implementations: replayed whole and in pieces, and cut off at every byte.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod app;
mod compare;
mod cut;
mod differences;
mod outcome;
mod recording;
mod report;
