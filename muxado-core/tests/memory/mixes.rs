//! B32 for what nobody thought of: rounds of all floods in a random order, on a machine whose application, limits and
//! transport change at random too.

use muxado_core::{Config, Side};
use muxado_testkit::Host;
use muxado_testkit::catalog::{APPS, Flood, Row, floods, rows};

use crate::alone;
use crate::bounds::Watch;

/// Names other seeds: `MUXADO_MIXES=60..1000`.
const SEEDS: &str = "MUXADO_MIXES";

/// Numbers that look random: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn config(dice: &mut Dice) -> Config {
    let mut builder = Config::builder()
        .max_inbound_streams(dice.of(&[1, 3, 64, 256]))
        .max_outbound_streams(dice.of(&[1, 64, 256]))
        .accept_backlog(dice.of(&[1, 16, 256]));
    if dice.below(3) == 0 {
        builder = builder.max_session_recv(dice.of(&[1, 5000, 300_000]));
    }
    match dice.of(&[0, 16, 5000, 1 << 20]) {
        0 => builder,
        window => builder.window(window).window_agreed_out_of_band(),
    }
    .build()
    .unwrap()
}

/// A few frames of some flood or row, or what is left of them when something is cut off.
fn some(dice: &mut Dice, floods: &[Flood], rows: &[Row]) -> Vec<u8> {
    let mut bytes = match dice.below(8) {
        0 => rows[dice.below(rows.len())].parts.concat(),
        _ => {
            let flood = &floods[dice.below(floods.len())];
            let number = u32::try_from(dice.below(400)).unwrap();
            (0..1 + dice.below(20)).flat_map(|_| (flood.round)(number)).collect()
        }
    };
    bytes.truncate(20_000);
    bytes
}

fn run(seed: u64, floods: &[Flood], rows: &[Row]) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let config = config(&mut dice);
    let side = dice.of(&[Side::Client, Side::Server]);
    let mut watch = Watch::new();
    let opens = dice.below(8) * 40;
    let mut host = Host::new(side, &config, dice.of(&APPS), opens);
    let mut fed = 0;
    for step in 0..150 {
        match dice.below(40) {
            0 => host.set_app(dice.of(&APPS)),
            1 => host.listened_to = !host.listened_to,
            2 => host.drop_all(),
            3 => host.mux.handle_credit_due(),
            4 if step > 100 => host.mux.drain(),
            _ => {}
        }
        let bytes = some(&mut dice, floods, rows);
        let chunk = dice.of(&[1, 9, 700, 20_000]).max(bytes.len() / 50);
        for piece in bytes.chunks(chunk) {
            host.feed(piece);
            fed += piece.len();
        }
        drop(bytes);
        watch.look(&format!("seed {seed}, step {step}"), fed, &host);
        if host.mux.end().is_some() {
            break;
        }
    }
}

#[test]
fn b32_no_mix_of_floods_holds_more_than_it_may() {
    let _turn = alone();
    let seeds = std::env::var(SEEDS).ok().and_then(|range| {
        let (from, to) = range.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let (floods, rows) = (floods(), rows());
    for seed in seeds.unwrap_or(0..40) {
        run(seed, &floods, &rows);
    }
}
