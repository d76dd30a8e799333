//! Streams that begin with their type, over muxado sessions of any runtime.
//!
//! Several services share a session: whoever opens a stream says which of them it is for. [`Typed`] wraps a session of any
//! face: `open_typed` and `accept_typed`. A [`Router`] brings each stream to the handler or the queue of its type. The
//! README has a program.
//!
//! What holds for a session holds here: cancelling loses nothing, every error says whether it is safe to retry, and what a
//! peer can make wait has a bound, in number and in time.

#![forbid(unsafe_code)]

mod router;
mod stream_type;
#[cfg(feature = "tokio")]
mod tokio_io;
mod typed;
mod typed_stream;
mod waiting;

pub use router::{Queue, Router};
pub use stream_type::StreamType;
pub use typed::{OpenTypedError, Typed};
pub use typed_stream::TypedStream;

/// Runs the program of the page as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
