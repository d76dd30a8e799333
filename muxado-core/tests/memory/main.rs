//! What a peer can make us hold in memory and do in work, by a counting allocator. A program of its own, since the
//! allocator counts everything in it; its tests take turns.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

mod attacks;
mod bounds;
mod crumbs;
mod driver;
mod floods;
mod mixes;
mod pinned;
#[path = "../replay/recording.rs"]
#[allow(dead_code, reason = "only the bytes are needed here")]
mod recording;
mod rows;
mod steady;
mod unread;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes allocated and not freed, in the whole program.
fn live() -> usize {
    let stats = COUNTED.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

/// Waits until no other test of this program counts. What the test harness itself allocates meanwhile is a few KiB.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
