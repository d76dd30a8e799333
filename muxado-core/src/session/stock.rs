//! How much a far transport should hold unsent: enough that it never runs dry, and no more, since whatever comes later
//! waits behind it.

use std::time::{Duration, Instant};

/// What a transport holds unsent at the most to begin with, in bytes.
pub(crate) const BEGIN: u32 = 128 * 1024;

/// The least bound, in bytes: a few packets of the slowest line.
const LEAST: u32 = 16 * 1024;

/// The greatest bound, in bytes.
const MOST: u32 = 2 * 1024 * 1024;

/// A transport that runs dry in less was emptied by this machine, not by the line: then it is not for want of stock.
const DRY_AFTER: Duration = Duration::from_micros(200);

/// A stock need not last longer, and must not last twice as long.
const ENOUGH: Duration = Duration::from_millis(10);

/// So many refills without running dry, and less may do.
const CALM: u8 = 64;

/// What is known of the unsent bytes of one transport.
///
/// TCP does not say how many there are, but how it takes more does: it asks for more when half of the stock is gone, or
/// late, when what is in flight fills its buffer. Then the stock has run out before it is asked for more, and it takes as
/// much as the bound at once.
#[derive(Debug)]
pub(super) struct Stock {
    bound: u32,
    /// Since when it has taken no more.
    full_since: Option<Instant>,
    refill: Option<Refill>,
    calm: u8,
    /// The bound was larger a moment ago, and so is what it holds.
    holds_more: bool,
}

/// What it takes between two times at which it takes no more.
#[derive(Debug)]
struct Refill {
    full_before: Instant,
    begun: Instant,
    /// In bytes.
    taken: usize,
}

impl Default for Stock {
    fn default() -> Stock {
        Stock { bound: BEGIN, full_since: None, refill: None, calm: 0, holds_more: false }
    }
}

impl Stock {
    /// It took so many bytes. The time is asked for only if it counts.
    pub(super) fn took(&mut self, bytes: usize, now: impl FnOnce() -> Instant) {
        if bytes == 0 {
            return;
        }
        if let Some(full_before) = self.full_since.take() {
            self.refill = Some(Refill { full_before, begun: now(), taken: 0 });
        }
        if let Some(refill) = &mut self.refill {
            refill.taken = refill.taken.saturating_add(bytes);
        }
    }

    /// It takes no more for now. The bound from now on, if it is another.
    pub(super) fn filled(&mut self, now: impl FnOnce() -> Instant) -> Option<u32> {
        if self.full_since.is_some() {
            return None;
        }
        let now = now();
        self.full_since = Some(now);
        let refill = self.refill.take()?;
        if std::mem::take(&mut self.holds_more) {
            return None;
        }
        let old = self.bound;
        self.bound = self.bound_after(&refill, now);
        self.holds_more = self.bound < old;
        (self.bound != old).then_some(self.bound)
    }

    fn bound_after(&mut self, refill: &Refill, now: Instant) -> u32 {
        let since = |then| now.saturating_duration_since(then);
        // At the rate of the line, if it was that which kept more from being taken.
        let enough = refill.taken as u128 * ENOUGH.as_nanos() / since(refill.full_before).as_nanos().max(1);
        let enough = u32::try_from(enough).unwrap_or(u32::MAX);
        if self.bound / 2 > enough {
            return (self.bound / 2).max(LEAST);
        }
        let waited = refill.begun.saturating_duration_since(refill.full_before);
        // What was filled slowly, since there was little to send, was emptied meanwhile, whatever it took.
        if refill.taken >= self.bound as usize && since(refill.begun) <= ENOUGH {
            self.calm = 0;
            let by_the_line = self.bound < BEGIN || waited >= DRY_AFTER;
            let more = if by_the_line { self.bound.saturating_mul(2) } else { self.bound };
            return more.min(MOST).min(enough.max(self.bound));
        }
        self.calm = if self.bound > BEGIN { self.calm + 1 } else { 0 };
        if self.calm < CALM {
            return self.bound;
        }
        self.calm = 0;
        (self.bound / 2).max(BEGIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u32 = 1024;
    const MS: Duration = Duration::from_millis(1);

    /// A transport that takes no more is filled again after `waited`, with `taken` bytes. The bound after that.
    struct Line {
        stock: Stock,
        now: Instant,
        bound: u32,
    }

    impl Line {
        fn new() -> Line {
            let mut line = Line { stock: Stock::default(), now: Instant::now(), bound: BEGIN };
            line.refill(Duration::ZERO, BEGIN);
            line
        }

        fn refill(&mut self, waited: Duration, taken: u32) -> u32 {
            self.now += waited;
            self.stock.took(taken as usize, || self.now);
            self.bound = self.stock.filled(|| self.now).unwrap_or(self.bound);
            self.bound
        }

        /// Refills in which half of the stock is gone after `half` of the time.
        fn calm(&mut self, waited: Duration, times: usize) -> u32 {
            (0..times).for_each(|_| _ = self.refill(waited, self.bound / 2));
            self.bound
        }
    }

    #[test]
    fn what_runs_dry_gets_more_up_to_what_lasts_long_enough() {
        // 200 KiB/ms: 2000 KiB last 10 ms.
        let mut line = Line::new();
        let bounds = [(); 6].map(|()| line.refill(MS * line.bound / (200 * KIB), line.bound));
        assert_eq!(bounds.map(|bound| bound / KIB), [256, 512, 1024, 2000, 2000, 2000]);
        // 50 KiB/ms.
        let mut line = Line::new();
        let bounds = [(); 3].map(|()| line.refill(MS * line.bound / (50 * KIB), line.bound));
        assert_eq!(bounds.map(|bound| bound / KIB), [256, 500, 500]);
        // And never more than 2 MiB.
        let mut line = Line::new();
        (0..10).for_each(|_| _ = line.refill(MS, line.bound * 4));
        assert_eq!(line.bound, MOST);
    }

    #[test]
    fn what_this_machine_empties_at_once_gets_no_more() {
        let mut line = Line::new();
        for _ in 0..100 {
            assert_eq!(line.refill(DRY_AFTER / 2, BEGIN), BEGIN);
        }
    }

    #[test]
    fn a_stock_that_lasts_for_long_is_made_smaller_and_grows_again() {
        let mut line = Line::new();
        assert_eq!(line.calm(7 * MS, 10), BEGIN, "14 ms");
        // 4 KiB/ms, of which 80 KiB are too much; and then the rest of the larger stock must go first.
        assert_eq!(line.refill(16 * MS, BEGIN / 2), BEGIN / 2);
        assert_eq!(line.refill(24 * MS, BEGIN / 4), BEGIN / 2, "it held more");
        assert_eq!(line.calm(8 * MS, 100), BEGIN / 2);
        // 100 bytes/ms.
        let bounds = [(); 6].map(|()| line.refill(160 * MS, 16_000));
        assert_eq!(bounds.map(|bound| bound / KIB), [32, 32, 16, 16, 16, 16]);
        // A line that is quick again: however short it stood still.
        line.refill(MS / 100, 0);
        let bounds = [(); 4].map(|()| line.refill(MS / 100, line.bound));
        assert_eq!(bounds.map(|bound| bound / KIB), [32, 64, 128, 128]);
    }

    #[test]
    fn a_line_that_became_slow_is_found_out_however_it_is_filled() {
        let mut line = Line::new();
        (0..10).for_each(|_| _ = line.refill(MS, line.bound * 4));
        assert_eq!(line.bound, MOST);
        for _ in 0..20 {
            // Half of what is there goes in half a second, and the rest comes bit by bit.
            line.now += 500 * MS;
            line.stock.took(1, || line.now);
            line.refill(20 * MS, line.bound / 2);
        }
        assert!(line.bound <= BEGIN, "{}", line.bound);
    }

    #[test]
    fn a_reader_that_stood_still_is_no_fast_line() {
        let mut line = Line::new();
        for _ in 0..10 {
            assert!(line.refill(1000 * MS, BEGIN) <= BEGIN, "all at once, after a second");
        }
    }

    #[test]
    fn what_no_longer_runs_dry_gets_less() {
        let mut line = Line::new();
        line.refill(MS / 2, BEGIN);
        line.refill(MS / 2, 2 * BEGIN);
        assert_eq!(line.bound, 4 * BEGIN);
        assert_eq!(line.calm(MS, usize::from(CALM) - 1), 4 * BEGIN);
        // Emptied by this machine, which says nothing for less.
        assert_eq!(line.refill(DRY_AFTER / 2, 4 * BEGIN), 4 * BEGIN);
        assert_eq!(line.calm(MS, usize::from(CALM) - 1), 4 * BEGIN);
        assert_eq!(line.calm(MS, 1), 2 * BEGIN);
        assert_eq!(line.calm(MS, usize::from(CALM) + 1), BEGIN);
        assert_eq!(line.calm(MS, 1000), BEGIN);
    }

    #[test]
    fn what_was_filled_bit_by_bit_gets_no_more() {
        let mut line = Line::new();
        for _ in 0..5 {
            line.now += MS;
            line.stock.took(BEGIN as usize / 2, || line.now);
            line.now += ENOUGH + MS;
            line.stock.took(BEGIN as usize, || line.now);
            assert_eq!(line.stock.filled(|| line.now), None);
        }
    }

    #[test]
    fn a_look_at_a_full_transport_is_no_refill() {
        let mut line = Line::new();
        for _ in 0..16 {
            assert_eq!(line.refill(MS, 0), BEGIN);
        }
        // The wait counts from when it became full: half of the bound lasts for 17 ms.
        assert_eq!(line.refill(MS, BEGIN / 2), BEGIN / 2);
    }
}
