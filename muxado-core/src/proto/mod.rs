//! The session as a value: bytes in, bytes out, no I/O.
//!
//! [`Mux`] is the whole protocol. It has `&mut self` methods and nothing else: no async, no waker, no lock, no
//! clock, no thread, no transport. It can be driven by any event loop, by a test byte by byte, or by a fuzzer.
//! [`Session`](crate::Session) is one such driver.
//!
//! # The contract
//!
//! There are four kinds of methods:
//!
//! - *getters* change nothing;
//! - `handle_*`: something happened on the transport, or a time limit that the owner keeps has passed;
//! - *commands* ([`open`](Mux::open), [`accept`](Mux::accept), [`write`](Mux::write), [`read`](Mux::read),
//!   [`finish`](Mux::finish), [`reset`](Mux::reset), [`drain`](Mux::drain), [`close`](Mux::close), ...):
//!   the application wants something;
//! - `poll_*`: what follows from it.
//!
//! Drain [`poll_event`](Mux::poll_event) after each `handle_*` and each command, and if a lock is held, take out
//! [`take_discarded`](Mux::take_discarded) to drop it outside. Call
//! [`poll_transmit`](Mux::poll_transmit) only when the transport can take bytes, and report with
//! [`handle_written`](Mux::handle_written) what it took.
//!
//! ```
//! use muxado_core::Config;
//! use muxado_core::proto::{Batch, Mux, Read};
//! use muxado_frame::Side;
//!
//! let config = Config::default();
//! let (mut client, mut server) = (Mux::new(Side::Client, &config), Mux::new(Side::Server, &config));
//!
//! // A command queues; nothing is framed until the transport can take it.
//! let stream = client.open()?;
//! client.write(stream, b"hello")?;
//! client.finish(stream)?;
//!
//! // "The transport": whatever one side transmits, the other side handles.
//! let mut batch = Batch::new(true);
//! client.poll_transmit(&mut batch, usize::MAX);
//! let wire: Vec<u8> = batch.slices().collect::<Vec<_>>().concat();
//! assert_eq!(wire, *b"\x00\x00\x05\x12\x00\x00\x00\x03hello\x00\x00\x00\x11\x00\x00\x00\x03");
//! server.handle_slice(&wire);
//!
//! let incoming = server.accept()?.expect("a stream was announced");
//! assert!(matches!(server.read(incoming, 100)?, Read::Chunk(data) if data == "hello"));
//! assert!(matches!(server.read(incoming, 100)?, Read::End));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable
    )
)]

mod audit;
mod batch;
mod budget;
mod command;
mod credit;
mod event;
mod flow;
mod frames;
mod inspect;
pub mod inspection;
mod mux;
mod pieces;
mod receive;
mod room;
mod schedule;
mod shutdown;
mod spare;
mod state;
mod stats;
mod stream;
mod streams;
mod transmit;
mod tuning;
mod violation;
mod watch;

pub use batch::Batch;
pub use command::Read;
pub use event::Event;
pub use frames::{FrameDirection, FrameLog, FrameRecord};
pub use inspection::{
    DriverWait, Driving, Inspection, Life, Limit, Receiving, Sending, StreamInspection, Wait, Waiting,
};
pub use mux::Mux;
pub use stats::Stats;
pub use stream::StreamKey;
