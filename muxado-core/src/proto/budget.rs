//! Abuse budgets: tokens that nuisance costs and useful work earns (behaviour, decision 1). No clock.

use super::flow::total;

/// Streams that may be reset through the peer's doing before work must be done for more (B18).
const RESETS: u32 = 1000;

/// Useless or odd frames before work must be done for more (B19).
const GLITCHES: u32 = 10_000;

/// Bytes the application has to consume to earn one glitch token.
const BYTES_PER_GLITCH: u64 = 4096;

/// What the peer may still waste.
#[derive(Debug)]
pub(super) struct Budget {
    resets: u32,
    glitches: u32,
    consumed: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { resets: RESETS, glitches: GLITCHES, consumed: 0 }
    }
}

impl Budget {
    /// Charges a stream reset through the peer's doing. False: the budget is gone.
    #[must_use]
    pub(super) fn charge_reset(&mut self) -> bool {
        charge(&mut self.resets)
    }

    /// Charges a useless frame. False: the budget is gone.
    #[must_use]
    pub(super) fn charge_glitch(&mut self) -> bool {
        charge(&mut self.glitches)
    }

    /// A stream ended with FIN both ways.
    pub(super) fn stream_ended(&mut self) {
        self.resets = self.resets.saturating_add(1).min(RESETS);
        self.glitches = self.glitches.saturating_add(1).min(GLITCHES);
    }

    /// The application consumed `bytes`.
    pub(super) fn consumed(&mut self, bytes: usize) {
        self.consumed = self.consumed.saturating_add(total(bytes));
        let earned = self.consumed / BYTES_PER_GLITCH;
        self.consumed %= BYTES_PER_GLITCH;
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        self.glitches = self.glitches.saturating_add(earned).min(GLITCHES);
    }
}

fn charge(tokens: &mut u32) -> bool {
    let left = tokens.checked_sub(1);
    *tokens = left.unwrap_or(0);
    left.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b18_resets_are_bounded_and_earned_back_by_ended_streams() {
        let mut budget = Budget::default();
        assert!((0..1000).all(|_| budget.charge_reset()));
        assert!(!budget.charge_reset());
        budget.stream_ended();
        assert!(budget.charge_reset());
        assert!(!budget.charge_reset());
    }

    #[test]
    fn b19_glitches_are_bounded_and_earned_back_by_consumed_bytes() {
        let mut budget = Budget::default();
        assert!((0..10_000).all(|_| budget.charge_glitch()));
        assert!(!budget.charge_glitch());
        budget.consumed(4095);
        assert!(!budget.charge_glitch());
        budget.consumed(1);
        assert!(budget.charge_glitch());
        for _ in 0..3 {
            budget.consumed(usize::MAX);
        }
        assert!((0..10_000).all(|_| budget.charge_glitch()), "earned, but never above the start");
        assert!(!budget.charge_glitch());
    }
}
