//! A conformance suite for muxado v2 peers: it plays the rows of docs/behaviour.md over TCP, and says where a peer does
//! something else. It knows nothing of the peer but its bytes, and no peer can make it hang or panic.
//!
//! The peer's application must be an echo: it accepts every stream, each in a task of its own, sends back what it reads
//! as it comes, and finishes when the peer has finished. [`run`] plays, a [`Report`] holds what came of it; the program
//! `muxspec` is a command line for both.

mod book;
mod conn;
mod expect;
mod frames;
mod plays;
mod report;
mod run;
mod source;

use std::time::Duration;

pub use muxado_frame::Side;
pub use report::{Finding, Report, Verdict};
pub use run::{is_row, run};
pub use source::Source;

/// How to play.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "for tests and one program, which set what they need")]
pub struct Options {
    /// The side that the suite plays. The peer is the other one.
    pub role: Side,
    /// How long to wait for something that must happen. Nothing waits this long with a good peer.
    pub limit: Duration,
    /// Plays at the same time.
    pub jobs: usize,
    /// The peer opens one stream at the start of each session, writes something, and echoes what comes.
    pub peer_opens: bool,
    /// The most payload in one DATA frame of the peer's, by its configuration.
    pub max_frame: usize,
    /// Only these rows; all if it is empty.
    pub only: Vec<String>,
}

impl Options {
    /// The defaults for playing this role.
    #[must_use]
    pub fn new(role: Side) -> Options {
        Options {
            role,
            limit: Duration::from_secs(3),
            jobs: 16,
            peer_opens: false,
            max_frame: 16 * 1024,
            only: Vec::new(),
        }
    }
}
