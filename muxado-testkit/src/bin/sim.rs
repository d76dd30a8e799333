//! Runs simulations: `sim --seed N` one, with every step printed; `sim --seeds N [--from M]` many, on all cores.
//! Started by `cargo xtask sim`.

#![forbid(unsafe_code)]

use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use muxado_testkit::sim::run_seed;

const USAGE: &str = "sim --seed N | --seeds N [--from M]";

/// Failures after which it is no use to go on.
const ENOUGH: u64 = 20;

/// Seeds taken at once by one thread.
const BLOCK: u64 = 500;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().ok();
    let done = match args.as_slice() {
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Some(ExitCode::SUCCESS)
        }
        ["--seed", seed] => number(seed).map(run_one),
        ["--seeds", count] => number(count).map(|count| run_many(0, count)),
        ["--seeds", count, "--from", from] => {
            number(count).zip(number(from)).map(|(count, from)| run_many(from, count))
        }
        _ => None,
    };
    done.unwrap_or_else(|| {
        eprintln!("{USAGE}");
        ExitCode::FAILURE
    })
}

fn run_one(seed: u64) -> ExitCode {
    println!("hash {:016x}", run_seed(seed, true));
    ExitCode::SUCCESS
}

fn run_many(from: u64, count: u64) -> ExitCode {
    panic::set_hook(Box::new(|_| {}));
    let (start, next, failed) = (Instant::now(), AtomicU64::new(from), AtomicU64::new(0));
    let end = from.saturating_add(count);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failed.load(Ordering::Relaxed) < ENOUGH {
                    let first = next.fetch_add(BLOCK, Ordering::Relaxed);
                    if first >= end {
                        return;
                    }
                    run_block(first..end.min(first + BLOCK), &failed);
                    progress(first - from + BLOCK, count, start);
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{} seeds from {from}, {failed} failed, {} s", count, start.elapsed().as_secs());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_block(seeds: std::ops::Range<u64>, failed: &AtomicU64) {
    for seed in seeds {
        if let Err(found) = panic::catch_unwind(|| run_seed(seed, false)) {
            let what = found.downcast_ref::<String>().map(String::as_str);
            let what = what.or(found.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
            println!("seed {seed}: {}", what.replace('\n', " "));
            failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A line now and then.
fn progress(done: u64, count: u64, start: Instant) {
    if done % (BLOCK * 40) == 0 {
        println!("{done} of {count} seeds, {} s", start.elapsed().as_secs());
    }
}
