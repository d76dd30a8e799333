//! The Go in the book, compiled against a stub of ours wherever there is a Go, and the Go peer itself where its module can be
//! had: the book's programs and ours talk to each other, and the conformance suite says where that peer differs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod book;
mod compile;
mod conformance;
mod differences;
#[path = "../muxspec/known.rs"]
mod known;
mod live;
mod module;
mod program;
