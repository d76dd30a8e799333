//! What a session tells `tracing`, with the feature of that name; without it, the same calls that do nothing.
//!
//! Nothing is told under the session's lock: a subscriber is foreign code. Nothing is louder than debug: a peer can make
//! all of it happen, as often as it likes.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{SessionTrace, StreamTrace};
#[cfg(feature = "tracing")]
pub(crate) use on::{SessionTrace, StreamTrace};
