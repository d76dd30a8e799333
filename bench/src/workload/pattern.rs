//! Bytes whose place in the stream can be told from their values, cheaply: a lost, repeated or misplaced block shows.

use bytes::Bytes;

/// The most that is written or checked at once.
pub(crate) const BLOCK: usize = 64 * 1024;

/// After so many bytes the pattern repeats. A prime, so that no block, frame or buffer size divides it.
const PERIOD: usize = 65_521;

/// The pattern, from any place on for a block.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Bytes);

impl Pattern {
    pub(crate) fn new() -> Pattern {
        let mut state = 0x9E37_79B9_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .take(PERIOD)
        .collect();
        Pattern(noise.iter().copied().cycle().take(PERIOD + BLOCK).collect())
    }

    /// The `len` bytes, at most a block, that belong at `position`.
    pub(crate) fn at(&self, position: u64, len: usize) -> Bytes {
        let start = start(position);
        self.0.slice(start..start + len)
    }

    /// Whether `piece`, at most a block, is what belongs at `position`.
    pub(crate) fn matches(&self, position: u64, piece: &[u8]) -> bool {
        self.0[start(position)..].starts_with(piece)
    }
}

fn start(position: u64) -> usize {
    (position % PERIOD as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_somewhere_matches_there_and_nowhere_near() {
        let pattern = Pattern::new();
        for position in [0, 1, PERIOD as u64 - 1, PERIOD as u64, 1 << 40] {
            let block = pattern.at(position, BLOCK);
            assert!(pattern.matches(position, &block));
            for other in [position + 1, position + BLOCK as u64, position + (1 << 20)] {
                assert!(!pattern.matches(other, &block), "{position} {other}");
            }
        }
    }

    #[test]
    fn one_wrong_byte_shows() {
        let pattern = Pattern::new();
        let mut block = pattern.at(7, BLOCK).to_vec();
        block[BLOCK - 1] ^= 1;
        assert!(!pattern.matches(7, &block));
    }
}
