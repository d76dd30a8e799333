//! The published attacks on multiplexers, V01 to V36 of docs/attacks.md, each with ceilings on what it makes us hold and
//! on what it makes us do for what it costs the attacker. No clock measures anything: work is counted in allocations,
//! bytes sent, events and polls.

mod frames;
mod liveness;
mod memory;
mod resets;

use muxado_core::{Config, SessionEnd};
use muxado_testkit::Host;
use muxado_testkit::catalog::{Flood, floods};
use stats_alloc::{INSTRUMENTED_SYSTEM, Stats};

use crate::bounds::Watch;

/// What an attack came to.
#[derive(Debug)]
struct Cost {
    /// Frames the peer sent until the end of the session, or in all.
    frames: u64,
    /// The most bytes held.
    held: usize,
    /// The most streams that had a place.
    streams: usize,
    /// Bytes sent for a hundred received.
    answer: u64,
    /// Allocations for a thousand frames.
    allocations: usize,
    /// Events for a thousand frames.
    events: u64,
    end: Option<SessionEnd>,
}

impl Cost {
    /// Fails if the attack cost us more than `ceiling` allows.
    #[track_caller]
    fn assert_under(&self, ceiling: &Ceiling) {
        let Ceiling { held, answer, allocations, events } = *ceiling;
        assert!(self.held <= held, "held {}: {self:?}", self.held);
        assert!(self.answer <= answer, "bytes sent: {self:?}");
        assert!(self.allocations <= allocations, "allocations: {self:?}");
        assert!(self.events <= events, "events: {self:?}");
    }

    /// The code with which the session ended.
    fn code(&self) -> Option<u32> {
        self.end.as_ref().map(|end| end.code().get())
    }
}

/// What an attack may cost; see [`Cost`].
#[derive(Clone, Copy, Debug)]
struct Ceiling {
    held: usize,
    answer: u64,
    allocations: usize,
    events: u64,
}

pub(crate) fn calls(from: Stats, to: Stats) -> usize {
    (to.allocations - from.allocations) + (to.reallocations - from.reallocations)
}

fn flood(name: &str) -> Flood {
    floods().into_iter().find(|flood| flood.name == name).expect(name)
}

/// Plays an attack in pieces of `piece` bytes until the session ends or the attack does.
fn play(flood: &Flood, config: &Config, piece: usize) -> Cost {
    let watch = Watch::new();
    let mut host = flood.host(config);
    let (emitted, events) = (host.emitted, host.events);
    let mut cost = Cost { frames: 0, held: 0, streams: 0, answer: 0, allocations: 0, events: 0, end: None };
    let (mut next, mut fed, mut made) = (0, 0, 0);
    while next < flood.rounds && host.mux.end().is_none() {
        let (bytes, after) = flood.rounds_from(next, 600);
        for piece in bytes.chunks(piece) {
            let before = INSTRUMENTED_SYSTEM.stats();
            host.feed(piece);
            made += calls(before, INSTRUMENTED_SYSTEM.stats());
            cost.streams = cost.streams.max(host.mux.stats().streams);
        }
        (next, fed) = (after, fed + bytes.len() as u64);
        drop(bytes);
        cost.held = cost.held.max(watch.held());
    }
    cost.end = host.mux.end();
    count(&mut cost, &host, fed, made, (emitted, events));
    cost
}

fn count(cost: &mut Cost, host: &Host, fed: u64, made: usize, (emitted, events): (u64, u64)) {
    cost.frames = host.mux.stats().frames_received.max(1);
    cost.answer = (host.emitted - emitted) * 100 / fed.max(1);
    cost.allocations = made * 1000 / usize::try_from(cost.frames).unwrap();
    cost.events = (host.events - events) * 1000 / cost.frames;
}
