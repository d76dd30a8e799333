//! Whether the peer of a muxado session lives, and how long the way there and back takes.
//!
//! [`Heartbeat`] wraps a typed session of any face: it sends beats on a stream of their own, answers the peer's, and says
//! what it learns. Any byte that comes shows that the peer lives; a beat goes out before bulk data; silence is concluded
//! once [`interval`](HeartbeatConfig::interval) and [`tolerance`](HeartbeatConfig::tolerance) have passed without any.
//! The README has a program.

#![forbid(unsafe_code)]

mod config;
mod heartbeat;
mod proto;
mod requester;
mod responder;

pub use config::{HeartbeatConfig, Policy};
pub use heartbeat::{BeatError, Heartbeat};

/// Runs the program of the page as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
