//! Where every choice of a run comes from: a seed, or the bytes of a fuzzer. Nothing else is random.

/// A source of choices. The same source makes the same choices.
#[derive(Clone, Debug)]
pub(super) struct Choices<'a> {
    source: Source<'a>,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    /// The state of a generator.
    Seed(u64),
    /// What is left of the input.
    Bytes(&'a [u8]),
}

impl<'a> Choices<'a> {
    /// Choices that never end, all different for each seed.
    #[must_use]
    pub(super) fn seeded(seed: u64) -> Choices<'static> {
        Choices { source: Source::Seed(seed) }
    }

    /// Choices read off `bytes`: one for each few choices, two or four for wide ones. Once they are used up every choice
    /// is the first.
    #[must_use]
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Choices<'a> {
        Choices { source: Source::Bytes(bytes) }
    }

    /// Whether the bytes are used up.
    #[must_use]
    pub(super) fn is_spent(&self) -> bool {
        matches!(self.source, Source::Bytes([]))
    }

    /// A number under `bound`; 0 if there is only that.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        if bound <= 1 {
            return 0;
        }
        let number = match &mut self.source {
            Source::Seed(state) => mix(state) >> 16,
            Source::Bytes(bytes) => {
                let width = if bound <= 1 << 8 {
                    1
                } else if bound <= 1 << 16 {
                    2
                } else {
                    4
                };
                let (used, left) = bytes.split_at(width.min(bytes.len()));
                *bytes = left;
                used.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
        };
        usize::try_from(number % u64::try_from(bound).unwrap_or(u64::MAX)).unwrap_or(0)
    }

    /// A number from `from` to `to`, both included.
    pub(super) fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// True `part` times of `whole`.
    pub(super) fn chance(&mut self, part: usize, whole: usize) -> bool {
        self.below(whole) < part
    }

    /// One of `all`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// The place of one of `weights`, each as likely as it is heavy; the first if all are 0.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = usize> + Clone) -> usize {
        let mut at = self.below(weights.clone().sum());
        for (place, weight) in weights.enumerate() {
            if at < weight {
                return place;
            }
            at -= weight;
        }
        0
    }

    /// A length up to `most`: often tiny, often the most, sometimes anything between.
    pub(super) fn length(&mut self, most: usize) -> usize {
        match self.below(8) {
            0 => most,
            1..=3 => self.within(0, most.min(8)),
            4..=5 => self.within(0, most.min(100)),
            _ => self.within(0, most),
        }
    }
}

/// One step of SplitMix64: every seed is a good one.
fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut number = *state;
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reaches_every_choice() {
        let mut choices = Choices::seeded(7);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[choices.below(5)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        assert!(!choices.is_spent());
    }

    #[test]
    fn bytes_are_used_up_and_then_every_choice_is_the_first() {
        let mut choices = Choices::from_bytes(&[3, 1, 2]);
        assert_eq!((choices.below(2), choices.below(65_536)), (1, 0x0102));
        assert!(choices.is_spent());
        assert_eq!((choices.below(9), choices.within(4, 6), choices.pick(&['a', 'b'])), (0, 4, 'a'));
    }

    #[test]
    fn weights_are_heeded() {
        let mut choices = Choices::seeded(1);
        assert!((0..100).all(|_| choices.weighted([0, 3, 0].into_iter()) == 1));
    }
}
