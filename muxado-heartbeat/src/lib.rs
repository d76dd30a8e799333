#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod heartbeat;
mod proto;
mod requester;
mod responder;

pub use config::{Beat, HeartbeatConfig, Policy};
pub use heartbeat::{BeatError, Heartbeat};
