//! What a hostile peer can make us do for a frame (B33): the machine under floods of odd, useless and dear frames.
//!
//! Each flood stays within its budget, so that what is counted is the work and not its refusal.

mod applications;
mod floods;
mod wire;

use muxado_core::Side;
use muxado_core::proto::StreamKey;

use crate::machine::Machine;
use crate::measure::{Fault, Outcome, Tally, counted};
pub(crate) use floods::MEASURES;

/// One flood: what is there before it, its frames, and what our application does meanwhile.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Sessions that are flooded, one after the other.
    sessions: u64,
    /// Frames of the flood in one session at the most.
    most: u64,
    /// Frames that come in one read.
    at_once: usize,
    before: fn(&mut Scene) -> Result<(), Fault>,
    /// The flood's frame of this number.
    frame: fn(u64) -> Vec<u8>,
    /// What the application does after each read.
    application: fn(&mut Scene) -> Result<(), Fault>,
}

/// A server under attack, and the streams its application holds.
struct Scene {
    machine: Machine,
    held: Vec<StreamKey>,
    room: Vec<u8>,
}

impl Flood {
    pub(crate) fn run(&self, amount: u64) -> Outcome {
        let frames = amount / self.sessions;
        if frames > self.most {
            return Err("more frames than the budget of one session allows".into());
        }
        let all: Vec<Vec<u8>> = (0..self.most).map(self.frame).collect();
        let reads: Vec<(Vec<u8>, usize)> =
            all.chunks(self.at_once).map(|frames| (frames.concat(), frames.len())).collect();
        let mut wire = 0;
        for _ in 0..self.sessions {
            wire += self.flood(frames, &reads)?;
        }
        Ok(Tally { calls: 0, wire })
    }

    fn flood(&self, frames: u64, reads: &[(Vec<u8>, usize)]) -> Result<u64, Fault> {
        let machine = Machine::new(Side::Server);
        let mut scene = Scene { machine, held: Vec::new(), room: vec![0; 64 * 1024] };
        (self.before)(&mut scene)?;
        let wire = counted(|| self.storm(&mut scene, frames, reads))?;
        match scene.machine.mux.end() {
            None => Ok(wire),
            Some(end) => Err(format!("the session ended before the flood did: {end}").into()),
        }
    }

    fn storm(&self, scene: &mut Scene, frames: u64, reads: &[(Vec<u8>, usize)]) -> Result<u64, Fault> {
        let (mut left, mut wire) = (frames, 0);
        for (bytes, frames) in reads {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(*frames as u64);
            wire += bytes.len() as u64;
            scene.machine.feed(bytes);
            scene.machine.send();
            (self.application)(scene)?;
        }
        Ok(wire)
    }
}
