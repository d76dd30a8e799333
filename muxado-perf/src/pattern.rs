//! What is sent: bytes whose place in the stream can be told from their values, so that a lost, repeated, misplaced or
//! changed piece shows. Making and checking them costs little beside sending them.

use std::sync::OnceLock;

use crate::protocol::MAX_WRITE;

/// After so many bytes the pattern repeats. A prime, so that no write, frame or buffer is a multiple of it.
const PERIOD: usize = 65_521;

/// The pattern from any place on, for one write or read. Both ends make the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern(&'static [u8]);

impl Pattern {
    pub(crate) fn get() -> Pattern {
        static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
        Pattern(BYTES.get_or_init(Pattern::make))
    }

    fn make() -> Vec<u8> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            // A linear generator, of which the high bits are good.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .take(PERIOD)
        .collect();
        noise.iter().copied().cycle().take(PERIOD + MAX_WRITE as usize).collect()
    }

    /// The `len` bytes, at most [`MAX_WRITE`], that belong at `position`.
    pub(crate) fn at(self, position: u64, len: usize) -> &'static [u8] {
        let start = (position % PERIOD as u64) as usize;
        &self.0[start..start + len]
    }

    /// Whether `piece`, at most [`MAX_WRITE`], is what belongs at `position`.
    pub(crate) fn matches(self, position: u64, piece: &[u8]) -> bool {
        self.at(position, piece.len()) == piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_somewhere_is_right_there_and_wrong_nearby() {
        let pattern = Pattern::get();
        let most = MAX_WRITE as usize;
        for position in [0, 1, PERIOD as u64 - 1, 3 * PERIOD as u64, 1 << 50] {
            let piece = pattern.at(position, most);
            assert!(pattern.matches(position, piece));
            for moved in [1, 64, 4096, 16_384, 65_536, 1 << 20] {
                assert!(!pattern.matches(position + moved, piece), "{position} {moved}");
            }
        }
    }

    #[test]
    fn every_changed_byte_shows() {
        let pattern = Pattern::get();
        for at in [0, 1000, 8191] {
            let mut piece = pattern.at(7, 8192).to_vec();
            piece[at] ^= 1;
            assert!(!pattern.matches(7, &piece), "{at}");
        }
    }
}
