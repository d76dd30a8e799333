//! Test equipment for the muxado crates, for their integration tests only. It decides nothing about the protocol.
//!
//! - [`wire`]: frames as literal bytes, allowed or not.
//! - [`Peer`]: one machine, whose peer is the test.
//! - [`Host`]: one machine with a simple application, to be measured. [`catalog`]: what odd peers send to it.
//! - [`Pair`]: two machines on a perfect link.
//! - [`Line`]: two machines at the ends of a long line.
//! - [`World`]: a runtime with virtual time. [`pipe`]: a transport with moods. [`connected`], [`alone`]: sessions on them.
//! - [`Meanwhile`]: such a world with something done amid a poll. [`Interrupted`]: a transport that is, always.
//! - [`Here`]: such a world for sessions that make their runtime by themselves.
//! - [`Watched`]: a future held to the contract of polling. [`counter`]: a waker that counts.
//! - [`recorded`]: what the existing implementations sent in a session.
//! - `certs`, by feature: certificates of a test's own.
//! - [`every_split`]: the same bytes in other pieces. [`takes_many_slices`]: what a transport makes of a vectored write.
//! - [`sim`]: random use of machines, checked after every step.
//! - [`suite`]: what every face must do, over real connections.
//! - [`spec`]: what any peer must do, played over TCP.
//! - [`assert_sender_rules`]: what we may put on the wire.

#![forbid(unsafe_code)]

pub mod catalog;
#[cfg(feature = "certs")]
#[allow(clippy::expect_used, reason = "tests")]
pub mod certs;
pub mod fuzz;
mod here;
mod host;
mod interrupted;
#[allow(clippy::expect_used, reason = "tests")]
mod line;
mod meanwhile;
mod pair;
mod peer;
mod pipe;
#[allow(clippy::unwrap_used, reason = "tests")]
mod recorded;
mod rules;
mod sessions;
pub mod sim;
pub mod spec;
mod split;
#[allow(clippy::unwrap_used, clippy::panic, reason = "they are tests")]
pub mod suite;
mod vectored;
mod watch;
pub mod wire;
mod world;

pub use here::Here;
pub use host::Host;
pub use interrupted::Interrupted;
pub use line::Line;
pub use meanwhile::Meanwhile;
pub use pair::Pair;
pub use peer::{Ending, Outcome, Peer};
pub use pipe::{End, Lane, Mood, Reader, Writer, pipe};
pub use recorded::{Recorded, expand, frames_of, payload_of, recorded, recordings, unhex};
pub use rules::assert_sender_rules;
pub use sessions::{Alone, Connected, Faced, alone, connected, slow, start};
pub use split::every_split;
pub use vectored::takes_many_slices;
pub use watch::{Counter, Watched, counter, poll};
pub use world::{Sleep, World};
