//! What may cross threads, be moved while it is polled, and be printed. It is the compiler that says so.

use std::fmt::Debug;

use futures_util::io::Cursor;
use muxado_core::proto::{Batch, Event, Mux, StreamKey};
use muxado_core::tap::{Overheard, Tap};
use muxado_core::{
    Accept, AcceptError, Closed, Config, ConfigBuilder, ConfigError, Driver, EndCause, FrameLog, Half,
    Inspection, Leaving, Observer, Open, OpenError, PeerMisbehaved, ReadChunk, ReadError, RecvStream,
    ResetError, SendStream, Session, SessionEnd, SessionLost, Stats, Stopped, Stream, WriteChunk, WriteError,
    face,
};
use muxado_testkit::World;

/// Held by any task, by several at once, and polled where it lies.
fn shared<T: Send + Sync + Unpin + Debug>() {}

/// Held by one task at a time.
fn sent<T: Send + Unpin + Debug>() {}

/// An error that `?` turns into any boxed one.
fn error<T: std::error::Error + Send + Sync + 'static>() {}

type Transport = Cursor<Vec<u8>>;

#[test]
fn handles_and_futures_may_be_shared() {
    shared::<Session>();
    shared::<face::Session<World>>();
    shared::<Observer>();
    shared::<Stream>();
    shared::<SendStream>();
    shared::<RecvStream>();
    shared::<Open>();
    shared::<Accept>();
    shared::<Closed>();
    shared::<Leaving>();
    shared::<Stopped>();
    shared::<ReadChunk<'static>>();
    shared::<WriteChunk<'static>>();
}

#[test]
fn drivers_go_to_any_task() {
    sent::<Driver<Transport, Transport, World>>();
    sent::<Driver<Half<Transport>, Half<Transport>, World>>();
    sent::<Tap<Transport, fn(Overheard)>>();
}

#[test]
fn values_may_be_shared() {
    shared::<Mux>();
    shared::<Batch>();
    shared::<Event>();
    shared::<StreamKey>();
    shared::<Config>();
    shared::<ConfigBuilder>();
    shared::<Stats>();
    shared::<Inspection>();
    shared::<FrameLog>();
    shared::<SessionEnd>();
    shared::<EndCause>();
}

#[test]
fn errors_are_boxed_by_a_question_mark() {
    error::<OpenError>();
    error::<AcceptError>();
    error::<ReadError>();
    error::<WriteError>();
    error::<ResetError>();
    error::<SessionLost>();
    error::<PeerMisbehaved>();
    error::<ConfigError>();
}
