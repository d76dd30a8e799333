//! The bytes of a stream, told from its seed, its direction and the offset.

use bytes::Bytes;

/// The most that is written or checked at once.
pub(crate) const BLOCK: usize = 256 * 1024;

/// After so many bytes the pattern repeats. A prime, so that no block, frame or buffer size divides it.
const PERIOD: usize = 1_048_573;

/// Noise that all streams share; each begins at a place of its own, so that a byte of another stream shows too.
#[derive(Clone, Debug)]
pub(crate) struct Content(Bytes);

/// One direction of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    start: u64,
}

impl Way {
    /// What the opener sends, and what it gets.
    pub(crate) fn both(seed: u64) -> (Way, Way) {
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (Way { start: mixed >> 40 }, Way { start: (mixed >> 8) & 0xFF_FFFF })
    }
}

impl Content {
    pub(crate) fn new() -> Content {
        let mut noise = vec![0; PERIOD + BLOCK];
        fastrand::Rng::with_seed(1).fill(&mut noise[..PERIOD]);
        noise.copy_within(..BLOCK, PERIOD);
        Content(noise.into())
    }

    /// The `len` bytes, at most a block, that belong at `offset`.
    pub(crate) fn at(&self, way: Way, offset: u64, len: usize) -> Bytes {
        let start = start(way, offset);
        self.0.slice(start..start + len)
    }

    /// Whether `piece` is what belongs at `offset`.
    pub(crate) fn matches(&self, way: Way, mut offset: u64, piece: &[u8]) -> bool {
        piece.chunks(BLOCK).all(|block| {
            let matches = self.0[start(way, offset)..].starts_with(block);
            offset += block.len() as u64;
            matches
        })
    }
}

fn start(way: Way, offset: u64) -> usize {
    ((way.start + offset) % PERIOD as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_somewhere_matches_there_and_nowhere_else() {
        let content = Content::new();
        let (there, back) = Way::both(5);
        for offset in [0, 1, PERIOD as u64 - 1, 1 << 40] {
            let block = content.at(there, offset, 1000);
            assert!(content.matches(there, offset, &block));
            assert!(!content.matches(there, offset + 1, &block));
            assert!(!content.matches(back, offset, &block));
            assert!(!content.matches(Way::both(6).0, offset, &block));
        }
    }

    #[test]
    fn one_wrong_byte_shows() {
        let content = Content::new();
        let way = Way::both(9).0;
        let mut long = [content.at(way, 3, BLOCK), content.at(way, 3 + BLOCK as u64, BLOCK)].concat();
        assert!(content.matches(way, 3, &long));
        long[2 * BLOCK - 1] ^= 1;
        assert!(!content.matches(way, 3, &long));
    }
}
