//! Random churn between our own two ends over TCP on the loopback, for as long as wanted, with every byte checked: at
//! the end nothing may be left and memory must be flat.
//!
//! `cargo xtask soak --minutes 20` runs it. It exits with an error at the first thing that is wrong.
#![forbid(unsafe_code)]

mod args;
mod content;
mod pair;
mod plan;
mod plot;
mod relay;
mod run;
mod sample;
mod side;
mod story;
mod stream;
mod totals;
mod verdict;

use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is allocated: the curve of the heap is what shows a leak first.
#[global_allocator]
static HEAP: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words).and_then(|options| options.map_or(Ok(()), |options| run::all(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}
