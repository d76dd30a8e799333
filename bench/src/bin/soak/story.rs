//! What is to happen to one pair of sessions, told from a random source.

use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::Config;

use crate::relay::Mishap;
use crate::side::Habits;

#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) fate: Fate,
    pub(crate) mishap: Option<Mishap>,
    /// Which runtime each side has.
    pub(crate) flavours: [usize; 2],
    pub(crate) habits: Habits,
    pub(crate) config: Config,
}

/// How a pair ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// When every stream has ended.
    Rest,
    /// While streams run: they may finish.
    Drain([bool; 2]),
    /// While streams run: they fail.
    Close([bool; 2]),
    /// All handles of one side or of both are dropped.
    LetGo([bool; 2]),
    /// The transport goes wrong.
    Mishap(Mishap),
}

impl Story {
    pub(crate) fn random(rng: &mut Rng) -> Story {
        let fate = Fate::random(rng);
        let habits = Habits {
            openers: rng.usize(1..6),
            acceptors: rng.usize(1..3),
            streams: if fate == Fate::Rest { rng.u64(1..40) } else { 100_000 },
            refuses: if rng.u8(0..4) == 0 { 5 } else { 0 },
            pause: Duration::from_millis(rng.u64(0..10)),
        };
        let slow = rng.u8(0..8) == 0;
        let mishap = match fate {
            Fate::Mishap(mishap) => Some(mishap),
            _ => slow.then_some(Mishap::Slow),
        };
        Story { fate, mishap, flavours: [rng.usize(0..2), rng.usize(0..2)], habits, config: config(rng) }
    }

    /// A pair with nothing special, for as long as the run: each number has another choice of two runtimes.
    pub(crate) fn long(number: u64) -> Story {
        let pause = Duration::from_millis(20);
        Story {
            fate: Fate::Rest,
            mishap: None,
            flavours: [usize::from(number % 2 == 1), usize::from(number / 2 % 2 == 1)],
            habits: Habits { openers: 3, acceptors: 2, streams: u64::MAX, refuses: 1, pause },
            config: Config::default(),
        }
    }
}

impl Fate {
    fn random(rng: &mut Rng) -> Fate {
        let sides = [[true, false], [false, true], [true, true]][rng.usize(0..3)];
        match rng.u8(0..10) {
            0..=3 => Fate::Rest,
            4..=5 => Fate::Drain(sides),
            6 => Fate::Close(sides),
            7 => Fate::LetGo(sides),
            _ => Fate::Mishap(Mishap::random(rng)),
        }
    }
}

fn config(rng: &mut Rng) -> Config {
    let builder = Config::builder().write_stall(Duration::from_secs(rng.u64(1..40)));
    let builder = match rng.u8(0..6) {
        0 => builder.max_outbound_streams(4),
        // More are opened than the other side takes.
        1 => builder.max_inbound_streams(3).accept_backlog(1),
        2 => builder.window(20_000).window_agreed_out_of_band(),
        3 => builder.window(1 << 20).window_agreed_out_of_band().max_frame(100_000).send_queue(5_000),
        4 => builder.max_frame(300).session_send_queue(10_000).peer_drains(true),
        _ => builder,
    };
    builder.build().unwrap_or_default()
}
