//! The only window arithmetic there is: credit for sending, and credit given to the peer.
//!
//! Everything saturates or is bounded by what was granted, so no number from the peer can overflow anything.

/// A length from the wire as a length in memory. Saves a cast; both are bytes.
pub(super) fn size(wire: u32) -> usize {
    usize::try_from(wire).unwrap_or(usize::MAX)
}

/// A length in memory as a running total.
pub(super) fn total(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// How many WNDINCs beyond what was sent a stream may get before each counts as a glitch (S68).
const FREE_EXCESS: u32 = 64;

/// What we may still send on one stream, and what the peer has told us of its reading.
#[derive(Debug)]
pub(super) struct SendCredit {
    window: usize,
    available: usize,
    sent: u64,
    returned: u64,
    excess: u32,
}

impl SendCredit {
    pub(super) fn new(window: usize) -> SendCredit {
        SendCredit { window, available: window, sent: 0, returned: 0, excess: 0 }
    }

    pub(super) fn available(&self) -> usize {
        self.available
    }

    /// Takes `bytes`, which are at most `available`.
    pub(super) fn spend(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.available);
        self.available = self.available.saturating_sub(bytes);
        self.sent = self.sent.saturating_add(total(bytes));
    }

    /// Adds what a WNDINC grants (S64: no sum is an error). False if the peer returns more than it can have read.
    ///
    /// An increment above the agreed window is extra credit and says nothing about reading (W05).
    #[must_use]
    pub(super) fn grant(&mut self, increment: u32) -> bool {
        let increment = size(increment);
        self.available = self.available.saturating_add(increment);
        if increment > self.window {
            return true;
        }
        self.returned = self.returned.saturating_add(total(increment));
        if self.returned <= self.sent {
            return true;
        }
        self.excess = self.excess.saturating_add(1);
        self.excess <= FREE_EXCESS
    }

    /// Bytes that the peer's application has certainly read or discarded.
    pub(super) fn consumed(&self) -> u64 {
        self.returned.min(self.sent)
    }
}

/// What the peer may still send on one stream, and where the rest of its window is.
///
/// Invariant: `left + arriving + unread + owed == window`.
#[derive(Debug)]
pub(super) struct RecvCredit {
    window: usize,
    /// The peer may send this much.
    left: usize,
    /// Announced by the header of the frame in progress, not here yet.
    arriving: usize,
    /// Here, not read yet.
    unread: usize,
    /// Read or discarded, not returned to the peer yet.
    owed: usize,
}

impl RecvCredit {
    pub(super) fn new(window: usize) -> RecvCredit {
        RecvCredit { window, left: window, arriving: 0, unread: 0, owed: 0 }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// What the peer may still put on the wire, the rest of the frame in progress included.
    pub(super) fn outstanding(&self) -> usize {
        self.left.saturating_add(self.arriving)
    }

    /// Whether announced bytes are still to come.
    pub(super) fn is_arriving(&self) -> bool {
        self.arriving > 0
    }

    /// A frame announces `bytes`. False, and nothing changes, if they are beyond the window (S45, S46).
    #[must_use]
    pub(super) fn announce(&mut self, bytes: usize) -> bool {
        let Some(left) = self.left.checked_sub(bytes) else { return false };
        self.left = left;
        self.arriving = self.arriving.saturating_add(bytes);
        self.check();
        true
    }

    /// Announced bytes came and are kept.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.arriving = self.arriving.saturating_sub(bytes);
        self.unread = self.unread.saturating_add(bytes);
        self.check();
    }

    /// Announced bytes came and nobody wants them.
    pub(super) fn discard(&mut self, bytes: usize) {
        self.arriving = self.arriving.saturating_sub(bytes);
        self.owed = self.owed.saturating_add(bytes);
        self.check();
    }

    /// The application has read kept bytes.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.unread = self.unread.saturating_sub(bytes);
        self.owed = self.owed.saturating_add(bytes);
        self.check();
    }

    /// Whether half a window waits to be returned: time to tell the peer (S69).
    pub(super) fn is_due(&self) -> bool {
        self.owed >= (self.window / 2).max(1)
    }

    /// Whether the peer may be waiting for less than that: nothing is unread and something is owed (S69, S70).
    pub(super) fn is_due_lazily(&self) -> bool {
        self.unread == 0 && self.owed > 0
    }

    /// Returns what is owed; at most the window, so it always fits a WNDINC (W05).
    pub(super) fn settle(&mut self) -> u32 {
        let owed = std::mem::take(&mut self.owed);
        self.left = self.left.saturating_add(owed);
        self.check();
        u32::try_from(owed).unwrap_or(u32::MAX)
    }

    /// Whether the whole window is accounted for, with `unread` bytes of it in the stream's queue.
    pub(super) fn audit(&self, unread: usize) -> bool {
        self.total() == self.window && self.unread == unread
    }

    /// What is owed to the peer.
    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    fn total(&self) -> usize {
        self.left.saturating_add(self.arriving).saturating_add(self.unread).saturating_add(self.owed)
    }

    fn check(&self) {
        debug_assert_eq!(self.total(), self.window, "credit is neither made nor lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_goes_round_and_none_is_lost() {
        let mut credit = RecvCredit::new(100);
        assert!(credit.announce(60));
        credit.keep(50);
        credit.consume(49);
        assert!(!credit.is_due(), "49 is under half");
        assert!(!credit.is_due_lazily(), "one byte is unread");
        credit.consume(1);
        assert!(credit.is_due() && credit.is_due_lazily());
        assert_eq!(credit.owed(), 50);
        assert_eq!(credit.settle(), 50);
        assert_eq!(credit.owed(), 0);
        assert_eq!(credit.left(), 90, "ten bytes are still to arrive");
        credit.discard(10);
        assert_eq!(credit.settle(), 10);
        assert_eq!(credit.left(), 100);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "neither made nor lost")]
    fn bytes_that_nobody_announced_make_no_credit() {
        RecvCredit::new(10).discard(1);
    }

    #[test]
    fn s45_one_byte_too_many_changes_nothing() {
        let mut credit = RecvCredit::new(10);
        assert!(credit.announce(4));
        assert!(!credit.announce(7));
        assert_eq!(credit.left(), 6);
        assert!(credit.announce(6));
    }

    #[test]
    fn s64_credit_saturates() {
        let mut credit = SendCredit::new(10);
        for _ in 0..10 {
            let _ = credit.grant(0x7FFF_FFFF);
        }
        assert!(credit.available() > 0x7FFF_FFFF);
        let mut full = SendCredit { available: usize::MAX, ..SendCredit::new(10) };
        let _ = full.grant(5);
        assert_eq!(full.available(), usize::MAX);
    }

    #[test]
    fn s68_excess_is_free_sixty_four_times() {
        let mut credit = SendCredit::new(10);
        credit.spend(3);
        for _ in 0..3 + 64 {
            assert!(credit.grant(1));
        }
        assert!(!credit.grant(1));
    }

    #[test]
    fn w05_extra_credit_is_no_receipt() {
        let mut credit = SendCredit::new(10);
        credit.spend(10);
        assert!(credit.grant(11));
        assert_eq!(credit.consumed(), 0);
        assert!(credit.grant(10));
        assert_eq!(credit.consumed(), 10);
    }
}
