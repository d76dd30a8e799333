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
//! Drain [`poll_event`](Mux::poll_event) after each `handle_*`, each command and each `poll_transmit`. If you hold a lock,
//! also call [`take_discarded`](Mux::take_discarded), and drop what it returns outside of the lock. Call
//! [`poll_transmit`](Mux::poll_transmit) only when the transport can take bytes, and report with
//! [`handle_written`](Mux::handle_written) what it took.
//!
//! A stream keeps its place among those that may be open until both of its directions are given back, with
//! [`release_send`](Mux::release_send) and [`release_recv`](Mux::release_recv).
//!
//! The machine has no clock: time limits are the owner's. What the owner has to do, and when:
//!
//! | what the machine says | what the owner does |
//! |---|---|
//! | [`wants_transmit`](Mux::wants_transmit) | `poll_transmit`, when the transport has room |
//! | [`wants_time`](Mux::wants_time) | [`handle_time`](Mux::handle_time) before bytes are handled or transmitted |
//! | [`has_lazy_credit`](Mux::has_lazy_credit) | [`handle_credit_due`](Mux::handle_credit_due) after [`credit_delay`](crate::Config::credit_delay), or before with what else is sent |
//! | [`has_lingering`](Mux::has_lingering) | [`handle_sweep`](Mux::handle_sweep) each half of [`drain_timeout`](crate::Config::drain_timeout) |
//! | [`is_peer_leaving`](Mux::is_peer_leaving) | [`handle_deadline`](Mux::handle_deadline) after `drain_timeout`; after a limit of its own, if it drains or closes |
//! | nothing: `poll_transmit` gave bytes, and the transport takes none | [`handle_stall`](Mux::handle_stall) after [`write_stall`](crate::Config::write_stall) |
//! | nothing: the transport has ended or failed | [`handle_eof`](Mux::handle_eof), [`handle_failure`](Mux::handle_failure) |
//! | [`is_finished`](Mux::is_finished) | closes the transport |
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
//! let mut batch = Batch::contiguous();
//! client.poll_transmit(&mut batch, usize::MAX);
//! let wire: Vec<u8> = batch.slices().collect::<Vec<_>>().concat();
//! assert_eq!(wire, *b"\x00\x00\x05\x12\x00\x00\x00\x03hello\x00\x00\x00\x11\x00\x00\x00\x03");
//! assert_eq!(server.handle_slice(&wire), wire.len()); // of many frames it takes some at a time
//!
//! let incoming = server.accept()?.expect("a stream was announced");
//! assert!(matches!(server.read(incoming, 100)?, Read::Chunk(data) if data == "hello"));
//! assert!(matches!(server.read(incoming, 100)?, Read::End));
//! server.release_recv(incoming);
//! server.release_send(incoming); // not finished: it ends in a reset, never in a false end
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
