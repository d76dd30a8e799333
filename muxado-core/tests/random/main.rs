//! Two sessions with their drivers, on a pipe of any mood, used at random through everything that a handle can do. Futures are
//! polled by hand, moved between tasks and given up.
//!
//! Whoever sleeps must have reason to (I11), what is read is what was written (I2), an end is clean only if it was said (I3),
//! and in the end nothing is left and nobody waits.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod app;
mod dice;
mod finale;
mod node;
mod sleepers;
mod steps;

use muxado_core::Side;
use muxado_testkit::{Lane, World, pipe};

use dice::Dice;
use node::{Node, config};

/// One run.
struct Run {
    dice: Dice,
    world: World,
    nodes: [Node; 2],
    /// What each side writes to.
    lanes: [Lane; 2],
    /// What was said on each direction of each stream; those of the application's handles have their places here.
    said: Vec<Said>,
    /// The longest write and read, in bytes.
    most: usize,
    /// The session was ended on purpose, or its transport broken.
    disturbed: bool,
}

/// What a writer has said.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    bytes: usize,
    finished: bool,
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut dice = Dice::new(seed);
        let world = World::new();
        let (near, far) = pipe(dice.pick(&[10, 300, 5000, 1 << 20]));
        let lanes = [near.write.lane(), far.write.lane()];
        let config = config(&mut dice);
        let nodes = [
            Node::new(&world, Side::Client, near, &config, &mut dice),
            Node::new(&world, Side::Server, far, &config, &mut dice),
        ];
        // Tiny frames and queues make long work of long writes.
        let least = config.send_queue().min(config.session_send_queue());
        let least = least.min(config.max_frame() as usize).min(config.window() as usize);
        let most = (100 * least).min(200_000);
        Run { dice, world, nodes, lanes, said: Vec::new(), most, disturbed: false }
    }

    fn go(&mut self) {
        for _ in 0..self.dice.pick(&[30, 200, 1000]) {
            self.step();
        }
        self.finale();
    }

    fn audit(&self) {
        for session in self.nodes.iter().filter_map(|node| node.sessions.first()) {
            assert_eq!(session.audit(), Ok(()));
        }
    }
}

/// Prints the seed if its run fails.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!("again: MUXADO_RANDOM={seed}..{} cargo test -p muxado-core --test random", seed + 1);
        }
    }
}

/// `MUXADO_RANDOM=100..1000` tries other seeds.
#[test]
fn i02_i03_i11_hold_however_two_sessions_are_used() {
    let range = std::env::var("MUXADO_RANDOM").unwrap_or("0..2000".into());
    let (from, to) = range.split_once("..").expect("a range");
    for seed in from.parse().expect("a number")..to.parse().expect("a number") {
        let _announce = Announce(seed);
        Run::new(seed).go();
    }
}
