//! What our application has done before a flood, and what it does while it lasts.

use muxado_core::proto::{Read, StreamKey};

use super::Scene;
use super::wire::{data, fin, id, syn, syn_fin};
use crate::measure::Fault;

/// Streams that the peer may have open by default.
pub(super) const LIMIT: u64 = 256;

impl Scene {
    fn feed(&mut self, bytes: &[u8]) {
        self.machine.feed(bytes);
        self.machine.send();
    }

    fn accept(&mut self) -> Result<(), Fault> {
        while let Some(key) = self.machine.mux.accept()? {
            self.held.push(key);
        }
        Ok(())
    }

    /// Reads all there is of every stream, then waits for more.
    fn read(&mut self) -> Result<(), Fault> {
        for key in &self.held {
            self.machine.read_into(*key, &mut self.room)?;
        }
        Ok(())
    }

    fn opened(&mut self, streams: u64) {
        let all: Vec<u8> = (0..streams).flat_map(|number| syn(id(number))).collect();
        self.feed(&all);
    }
}

pub(super) fn nothing(_: &mut Scene) -> Result<(), Fault> {
    Ok(())
}

/// One stream, accepted.
pub(super) fn one(scene: &mut Scene) -> Result<(), Fault> {
    scene.opened(1);
    scene.accept()
}

/// One stream, accepted, that the peer has finished.
pub(super) fn one_finished(scene: &mut Scene) -> Result<(), Fault> {
    scene.feed(&syn_fin(3));
    scene.accept()
}

/// One stream whose reader is gone while its writer is not.
pub(super) fn one_unread(scene: &mut Scene) -> Result<(), Fault> {
    one(scene)?;
    scene.held.iter().for_each(|key| scene.machine.mux.release_recv(*key));
    Ok(())
}

/// As many streams as there may be, accepted, each with a reader that waits.
pub(super) fn all(scene: &mut Scene) -> Result<(), Fault> {
    scene.opened(LIMIT);
    scene.accept()?;
    scene.read()
}

/// As many streams as there may be, and nobody accepts.
pub(super) fn full(scene: &mut Scene) -> Result<(), Fault> {
    scene.opened(LIMIT);
    Ok(())
}

/// All but one of the places taken, and nobody accepts.
pub(super) fn almost_full(scene: &mut Scene) -> Result<(), Fault> {
    scene.opened(LIMIT - 1);
    Ok(())
}

/// As many streams as there may be from both sides.
pub(super) fn both(scene: &mut Scene) -> Result<(), Fault> {
    all(scene)?;
    for _ in 0..LIMIT {
        let key = scene.machine.mux.open()?;
        scene.machine.mux.flush(key)?;
    }
    scene.machine.send();
    Ok(())
}

/// All streams, their credit used up, and every writer waiting.
pub(super) fn writers(scene: &mut Scene) -> Result<(), Fault> {
    all(scene)?;
    while scene.write_until_full()? > 0 {
        scene.machine.send();
    }
    Ok(())
}

impl Scene {
    /// Writes what each stream takes. How much that was.
    fn write_until_full(&mut self) -> Result<usize, Fault> {
        let mut all = 0;
        for key in &self.held {
            loop {
                match self.machine.mux.write(*key, &self.room)? {
                    0 => break,
                    taken => all += taken,
                }
            }
        }
        Ok(all)
    }
}

/// Ids that are remembered as dead.
pub(super) const GRAVES: u64 = 1000;

/// Streams that were refused, behind as many as there may be.
pub(super) fn graves(scene: &mut Scene) -> Result<(), Fault> {
    full(scene)?;
    for number in (0..GRAVES).map(|number| LIMIT + number) {
        scene.feed(&syn(id(number)));
    }
    Ok(())
}

/// A stream with a high id, so that all below count as seen.
pub(super) fn far_ahead(scene: &mut Scene) -> Result<(), Fault> {
    scene.feed(&syn_fin(id(1_000_000)));
    scene.accept()
}

/// One stream that both sides have finished and the application has read and still holds.
pub(super) fn one_over(scene: &mut Scene) -> Result<(), Fault> {
    one(scene)?;
    scene.feed(&[data(3, b"x"), fin(3)].concat());
    scene.read()?;
    for key in &scene.held {
        scene.machine.mux.finish(*key)?;
    }
    scene.machine.send();
    Ok(())
}

/// Reads what came on all streams.
pub(super) fn reads(scene: &mut Scene) -> Result<(), Fault> {
    scene.read()?;
    scene.machine.send();
    Ok(())
}

/// Writes what there is room for now.
pub(super) fn writes(scene: &mut Scene) -> Result<(), Fault> {
    scene.write_until_full()?;
    Ok(())
}

/// Accepts every stream, and lets go of those that the peer has reset.
pub(super) fn drops_reset(scene: &mut Scene) -> Result<(), Fault> {
    scene.accept()?;
    for key in std::mem::take(&mut scene.held) {
        match scene.machine.mux.read(key, usize::MAX) {
            Ok(_) => scene.held.push(key),
            Err(_) => scene.machine.release(key),
        }
    }
    scene.machine.send();
    Ok(())
}

/// Accepts every stream, reads it to where it stands, finishes it and lets go.
pub(super) fn answers(scene: &mut Scene) -> Result<(), Fault> {
    ends(scene, |scene, key| Ok(scene.machine.mux.finish(key)?))
}

/// Accepts every stream, and lets go without a word.
pub(super) fn drops(scene: &mut Scene) -> Result<(), Fault> {
    ends(scene, |_, _| Ok(()))
}

fn ends(scene: &mut Scene, last: fn(&mut Scene, StreamKey) -> Result<(), Fault>) -> Result<(), Fault> {
    while let Some(key) = scene.machine.mux.accept()? {
        while let Ok(Read::Chunk(_)) = scene.machine.mux.read(key, usize::MAX) {}
        // A stream that the peer has reset cannot be finished, and need not be.
        let _ = last(scene, key);
        scene.machine.release(key);
    }
    scene.machine.send();
    Ok(())
}
