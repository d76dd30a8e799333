//! What one run may do: swarm style, each run has some operations, faults and limits and lacks the others.

use muxado_core::Config;

use super::choices::Choices;
use super::op::{ALL, Kind};

/// Who the two ends are, and what the link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Two machines on a link that may stop, but never lies.
    Honest,
    /// Two machines on a link that changes bytes.
    Corrupt,
    /// One machine, whose peer sends whatever it likes.
    Hostile,
}

/// The settings of one run.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) mode: Mode,
    pub(super) configs: [Config; 2],
    /// How likely each operation is.
    pub(super) weights: Vec<(usize, Kind)>,
    /// The longest write, read and piece of the wire, in bytes.
    pub(super) most: usize,
    pub(super) chunk: usize,
    /// Ids begin so far before the last one that they run out.
    pub(super) few_ids: bool,
    /// Other priorities than 0 occur.
    pub(super) priorities: bool,
    /// One in so many frames of a hostile peer is odd.
    pub(super) odd_in: usize,
    pub(super) steps: usize,
}

impl Profile {
    pub(super) fn draw(choices: &mut Choices<'_>, mode: Mode, steps: usize) -> Profile {
        let window = choices.pick(&[1, 2, 16, 100, 1000, 4096, 65_536, 256 * 1024]);
        let mut config = || draw_config(choices, window);
        let configs = [config(), config()];
        // Tiny frames and windows make long work of long writes.
        let frame = configs.iter().map(Config::max_frame).min().unwrap_or(1).min(window);
        let most = 100 * usize::try_from(frame).unwrap_or(1);
        let weights = ALL.iter().map(|&kind| (weight(kind, mode, choices), kind)).collect();
        Profile {
            mode,
            configs,
            weights,
            most: choices.pick(&[3, 60, 60, 500, 5000, 40_000]).min(most),
            chunk: choices.pick(&[1, 7, 100, 3000, 100_000, 100_000]),
            few_ids: choices.chance(1, 16),
            priorities: choices.chance(1, 3),
            odd_in: choices.pick(&[4, 20, 100, 1_000_000]),
            steps,
        }
    }
}

fn draw_config(choices: &mut Choices<'_>, window: u32) -> Config {
    let mut builder = Config::builder()
        .window(window)
        .window_agreed_out_of_band()
        .max_frame(choices.pick(&[1, 5, 100, 1000, 16 * 1024, 16 * 1024]))
        .send_queue(choices.pick(&[1, 20, 300, 20_000, 256 * 1024]))
        .session_send_queue(choices.pick(&[1, 30, 1000, 512 * 1024]))
        .max_inbound_streams(choices.pick(&[0, 1, 2, 3, 8, 256, 256]))
        .max_outbound_streams(choices.pick(&[1, 2, 3, 8, 256, 256]))
        .extra_credit(choices.pick(&[0, 50, 5000, 64 * 1024 * 1024]))
        .peer_drains(choices.chance(1, 3));
    if choices.chance(1, 3) {
        builder = builder.accept_backlog(choices.pick(&[0, 1, 2, 5]));
    }
    if choices.chance(1, 8) {
        builder = builder.max_session_recv(choices.pick(&[0, 1, 50, 5000]));
    }
    // Every combination above is allowed.
    builder.build().unwrap_or_default()
}

fn weight(kind: Kind, mode: Mode, choices: &mut Choices<'_>) -> usize {
    let usual = kind.usual_weight(mode);
    match choices.below(6) {
        0 if !kind.is_vital() => 0,
        1 => usual * 4,
        _ => usual,
    }
}
