//! The only window arithmetic there is: credit for sending, and credit given to the peer.
//!
//! Everything saturates or is bounded by what was granted, so no number from the peer can overflow anything.

/// A length from the wire as a length in memory. Saves a cast; both are bytes.
pub(super) fn size(wire: u32) -> usize {
    usize::try_from(wire).unwrap_or(usize::MAX)
}

/// A length in memory that credit was given for, as on the wire.
pub(super) fn wire(memory: usize) -> u32 {
    u32::try_from(memory).unwrap_or(u32::MAX)
}

/// A length in memory as a running total.
pub(super) fn total(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// How many WNDINCs beyond what was sent a stream may get before each counts as a glitch (S68).
const FREE_EXCESS: u8 = 64;

/// What we may still send on one stream, and what the peer has told us of its reading.
#[derive(Debug)]
pub(super) struct SendCredit {
    available: usize,
    sent: u64,
    returned: u64,
}

impl SendCredit {
    pub(super) fn new(window: usize) -> SendCredit {
        SendCredit { available: window, sent: 0, returned: 0 }
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
    /// An increment above the agreed `window` is extra credit and says nothing about reading (W05). What is too much is
    /// counted in `excess`.
    #[must_use]
    pub(super) fn grant(&mut self, increment: u32, window: u32, excess: &mut u8) -> bool {
        self.available = self.available.saturating_add(size(increment));
        if increment > window {
            return true;
        }
        self.returned = self.returned.saturating_add(u64::from(increment));
        if self.returned <= self.sent {
            return true;
        }
        *excess = excess.saturating_add(1);
        *excess <= FREE_EXCESS
    }

    /// Bytes sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that the peer's application has certainly read or discarded.
    pub(super) fn consumed(&self) -> u64 {
        self.returned.min(self.sent)
    }
}

/// What the peer may still send on one stream, and where the rest of its window is.
///
/// Invariant: `left + arriving + unread + owed == window + extra`. Both terms on the right are less than 2^31, so that
/// everything fits 32 bits: there is one of these in every stream.
#[derive(Debug)]
pub(super) struct RecvCredit {
    /// Agreed out of band.
    window: u32,
    /// Granted beyond it.
    extra: u32,
    /// The peer may send this much.
    left: u32,
    /// Announced by the header of the frame in progress, not here yet.
    arriving: u32,
    /// Here, not read yet.
    unread: u32,
    /// Read or discarded, not returned to the peer yet.
    owed: u32,
    /// The extra is being taken back: by not returning what is consumed.
    shrinks: bool,
}

/// What a settlement comes to, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// Returned to the peer.
    pub(super) returned: u32,
    /// Extra credit that there is no more.
    pub(super) taken_back: usize,
}

impl RecvCredit {
    pub(super) fn new(window: u32) -> RecvCredit {
        RecvCredit { window, extra: 0, left: window, arriving: 0, unread: 0, owed: 0, shrinks: false }
    }

    pub(super) fn left(&self) -> usize {
        size(self.left)
    }

    /// What the peer may still put on the wire, the rest of the frame in progress included.
    pub(super) fn outstanding(&self) -> usize {
        size(self.left.saturating_add(self.arriving))
    }

    /// Whether announced bytes are still to come.
    pub(super) fn is_arriving(&self) -> bool {
        self.arriving > 0
    }

    /// Here, not read yet.
    pub(super) fn unread(&self) -> usize {
        size(self.unread)
    }

    /// The agreed window.
    pub(super) fn window(&self) -> usize {
        size(self.window)
    }

    /// Credit beyond the agreed window.
    pub(super) fn extra(&self) -> usize {
        size(self.extra)
    }

    /// All the credit there is, wherever it is.
    pub(super) fn granted(&self) -> usize {
        size(self.window.saturating_add(self.extra))
    }

    /// Whether the peer has used a quarter of the window and not got it back.
    pub(super) fn is_used_by_a_quarter(&self) -> bool {
        self.left < self.window.saturating_sub(self.window / 4)
    }

    /// A frame announces `bytes`. False, and nothing changes, if they are beyond the window (S45, S46).
    #[must_use]
    pub(super) fn announce(&mut self, bytes: usize) -> bool {
        let Some(left) = self.left.checked_sub(wire(bytes)) else { return false };
        self.left = left;
        self.arriving = self.arriving.saturating_add(wire(bytes));
        self.check();
        true
    }

    /// Announced bytes came and are kept.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.arriving = self.arriving.saturating_sub(wire(bytes));
        self.unread = self.unread.saturating_add(wire(bytes));
        self.check();
    }

    /// Announced bytes came and nobody wants them.
    pub(super) fn discard(&mut self, bytes: usize) {
        self.arriving = self.arriving.saturating_sub(wire(bytes));
        self.owed = self.owed.saturating_add(wire(bytes));
        self.check();
    }

    /// The application has read kept bytes.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.unread = self.unread.saturating_sub(wire(bytes));
        self.owed = self.owed.saturating_add(wire(bytes));
        self.check();
    }

    /// Whether it is time to tell the peer what was consumed (S69): at half the agreed window, however much was granted
    /// beyond, since a peer may have thrown that away. While the credit shrinks the peer has to show by more than a
    /// window that it has not.
    pub(super) fn is_due(&self) -> bool {
        let threshold = match self.shrinks {
            true => self.window.saturating_add(self.extra.min(self.window)),
            false => self.window / 2,
        };
        self.owed >= threshold.max(1)
    }

    /// Whether the peer may be waiting for less than that: nothing is unread and something is owed (S69, S70), or half a
    /// window is kept back from one that may have thrown the rest away.
    pub(super) fn is_due_lazily(&self) -> bool {
        self.owed > 0 && (self.unread == 0 || self.owed >= self.window / 2)
    }

    /// Returns what is owed, at most the agreed window (W05), and takes extra credit back if it is to shrink.
    ///
    /// The peer may hold any part of the extra credit, or none of it. What it has sent shows what it held: that much
    /// less a window is safe to take.
    pub(super) fn settle(&mut self) -> Settled {
        let mut taken_back = 0;
        if self.shrinks {
            let shown = self.arriving.saturating_add(self.unread).saturating_add(self.owed);
            taken_back = shown.saturating_sub(self.window).min(self.extra).min(self.owed);
            self.owed = self.owed.saturating_sub(taken_back);
            self.extra = self.extra.saturating_sub(taken_back);
            // A peer that stopped amid the second half of a window may have been stopped by it: not again.
            let is_doubtful = taken_back == 0 && self.owed >= self.window / 2;
            self.shrinks = self.extra > 0 && !is_doubtful;
        }
        let returned = self.owed.min(self.window);
        self.owed = self.owed.saturating_sub(returned);
        self.left = self.left.saturating_add(returned);
        self.check();
        Settled { returned, taken_back: size(taken_back) }
    }

    /// Grants `bytes` beyond the window, which with what was granted before are less than 2^31.
    pub(super) fn extend(&mut self, bytes: u32) {
        self.extra = self.extra.saturating_add(bytes);
        self.left = self.left.saturating_add(bytes);
        self.check();
    }

    /// From now on extra credit is taken back as it is used.
    pub(super) fn shrink(&mut self) {
        self.shrinks = self.extra > 0;
    }

    /// Extra credit is taken back no more.
    pub(super) fn keep_extra(&mut self) {
        self.shrinks = false;
    }

    /// Whether extra credit is being taken back.
    pub(super) fn shrinks(&self) -> bool {
        self.shrinks
    }

    /// The peer sends no more: extra credit that it has not used is void. How much that was.
    pub(super) fn void(&mut self) -> usize {
        let unused = self.extra.min(self.left.saturating_add(self.owed));
        let of_left = unused.min(self.left);
        self.left = self.left.saturating_sub(of_left);
        self.owed = self.owed.saturating_sub(unused.saturating_sub(of_left));
        self.extra = self.extra.saturating_sub(unused);
        self.check();
        size(unused)
    }

    /// Whether the whole window is accounted for, with `unread` bytes of it in the stream's queue.
    pub(super) fn audit(&self, unread: usize) -> bool {
        self.total() == self.window.saturating_add(self.extra) && self.unread() == unread
    }

    /// What is owed to the peer.
    pub(super) fn owed(&self) -> usize {
        size(self.owed)
    }

    fn total(&self) -> u32 {
        self.left.saturating_add(self.arriving).saturating_add(self.unread).saturating_add(self.owed)
    }

    fn check(&self) {
        debug_assert_eq!(
            self.total(),
            self.window.saturating_add(self.extra),
            "credit is neither made nor lost"
        );
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
        assert_eq!(credit.settle().returned, 50);
        assert_eq!(credit.owed(), 0);
        assert_eq!(credit.left(), 90, "ten bytes are still to arrive");
        credit.discard(10);
        assert_eq!(credit.settle().returned, 10);
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
        let (mut credit, mut excess) = (SendCredit::new(10), 0);
        for _ in 0..10 {
            let _ = credit.grant(0x7FFF_FFFF, 10, &mut excess);
        }
        assert!(credit.available() > 0x7FFF_FFFF);
        let mut full = SendCredit { available: usize::MAX, ..SendCredit::new(10) };
        let _ = full.grant(5, 10, &mut excess);
        assert_eq!(full.available(), usize::MAX);
    }

    #[test]
    fn s68_excess_is_free_sixty_four_times() {
        let (mut credit, mut excess) = (SendCredit::new(10), 0);
        credit.spend(3);
        for _ in 0..3 + 64 {
            assert!(credit.grant(1, 10, &mut excess));
        }
        assert!(!credit.grant(1, 10, &mut excess));
    }

    #[test]
    fn w05_extra_credit_is_no_receipt() {
        let (mut credit, mut excess) = (SendCredit::new(10), 0);
        credit.spend(10);
        assert!(credit.grant(11, 10, &mut excess));
        assert_eq!(credit.consumed(), 0);
        assert!(credit.grant(10, 10, &mut excess));
        assert_eq!(credit.consumed(), 10);
    }
}
