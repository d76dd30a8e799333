//! How much credit a stream is worth beyond its window: as much as its path holds, which is its rate times its round
//! trip, the *bandwidth-delay product*.
//!
//! The window limits a stream where a round trip lasts longer than the window takes to arrive. A *round* measures both:
//! it begins when credit is returned, and ends with the last byte which that credit allows. The peer cannot have sent
//! that byte before it had the credit, so no round is shorter than a round trip, whatever the peer does; and the longest
//! silence in it is the time in which the peer had nothing to say or was not allowed to.
//!
//! The rate at which bytes came outside of that silence, times the shortest round of the session, is that product:
//! what has to be under way for the link never to be idle. There is no clock here: the owner says what time it is.
//!
//! What is granted beyond need only queues ahead of the bytes of other streams. Where the latency is high the first
//! rounds may see a transport that has yet to reach its rate, so that streams get twice the product. Short rounds
//! consist mostly of the time that tasks wait for their turn: several have to agree, and a window beyond the product
//! is enough.
//!
//! A peer that pauses looks like one that waits, but for this: who waits has used up all the credit that was there before. A
//! round with a silence that is longer than a wait may be, and before which that was not so, says nothing of the path, and
//! earns no more than a window.
//!
//! A transport that has just begun doubles its rate with each round trip (slow start), and one that paces itself
//! leaves no silence: a round then says how fast it was, and not how fast it will be. So where the latency is high it
//! also counts what comes within a *trip* of that length: a stream that receives more than half of its credit in one
//! will soon be limited by it.
//!
//! Once a session has seen a round it knows its path, and a later stream need not wait for one of its own: the first
//! credit that it returns says how fast it is read. The first stream has to measure. If the peer is on another
//! machine it gets a few windows in advance; within one machine the measurement is quick enough.

use std::time::Duration;

use super::flow::RecvCredit;

/// After such a silence a stream has to earn its extra credit again.
const IDLE: Duration = Duration::from_secs(10);

/// The longest that a peer is believed to wait for credit: before a round trip is known and where it is short, and in any case.
const WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Windows that a stream is worth which pauses.
const PAUSED: usize = 2;

/// No peer is believed to be faster than this, in bytes per nanosecond: a window that lay ready is read at the speed
/// of memory and says nothing about the link.
const FASTEST: u128 = 4;

/// Streams are given this many times what a long path seems to hold.
const HEADROOM: usize = 2;

/// A stream that receives so much in a trip is worth this many times as much: twice that is under way by now, and twice as
/// much again will be when what is granted now has arrived.
const GROWTH: usize = 4;

/// Windows that the first stream of a session is worth before there has been a round, if the peer is on another machine.
const ADVANCE: usize = 4;

/// Shorter rounds measure how long tasks wait for their turn, the peer's and ours, more than they measure a link.
const SHORT: Duration = Duration::from_millis(2);

/// So many short rounds have to agree.
const AGREE: u8 = 4;

/// What a session has learned of its path.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// It leads to another machine.
    pub(super) is_far: bool,
    /// The shortest round: no less than a round trip.
    shortest: Option<Duration>,
    /// The credit that the stream of the last round should have had.
    worth: usize,
}

impl Path {
    /// Whether there has been a round.
    pub(super) fn is_known(&self) -> bool {
        self.shortest.is_some()
    }

    /// What is longer is no wait for credit, unless the peer had none.
    fn longest_wait(&self) -> Duration {
        match self.shortest.filter(|shortest| *shortest >= SHORT) {
            Some(shortest) => shortest.saturating_mul(2).min(LONGEST_WAIT),
            None => WAIT,
        }
    }
}

/// The measurements of one stream. Only streams that have received a good part of a window have any.
#[derive(Debug)]
pub(super) struct Tuning {
    /// When the first bytes came that count, until credit is returned for the first time.
    fresh: Option<Duration>,
    round: Option<Round>,
    trip: Trip,
    /// When bytes last came.
    last: Duration,
    /// The credit it should have in all, until it is granted or denied; 0 while a round is measured.
    target: usize,
    /// Short rounds that have yet to agree.
    short_rounds: u8,
    /// The least that the path held in one of them.
    least: usize,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    begun: Duration,
    /// Bytes that the peer may send without the credit that it begins with.
    before: usize,
    /// All bytes that it will see.
    bytes: usize,
    left: usize,
    silence: Duration,
    /// The least that was unread when bytes came.
    unread: usize,
    /// The peer had nothing to say for a while: how long it took says nothing of the path.
    is_paused: bool,
}

impl Round {
    /// Whether the peer might have sent something: one that waits for this round's credit has used up just what it had before.
    fn had_credit(&self) -> bool {
        self.bytes.saturating_sub(self.left) != self.before
    }
}

/// What comes within about a round trip.
#[derive(Clone, Copy, Debug)]
struct Trip {
    begun: Duration,
    bytes: usize,
    silence: Duration,
}

impl Trip {
    fn new(now: Duration) -> Trip {
        Trip { begun: now, bytes: 0, silence: Duration::ZERO }
    }

    /// More has come. If that completes a round trip, how much it was in all, and the next trip begins. None if the peer was
    /// silent for half of it: then rounds say more.
    fn count(&mut self, now: Duration, came: usize, round_trip: Duration) -> Option<usize> {
        self.bytes = self.bytes.saturating_add(came);
        if now.saturating_sub(self.begun) < round_trip {
            return None;
        }
        let Trip { bytes, silence, .. } = std::mem::replace(self, Trip::new(now));
        (silence.saturating_mul(2) <= round_trip).then_some(bytes)
    }
}

/// What the bytes that came have led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Nothing,
    /// The stream is worth measuring.
    Measure,
    /// More credit is wished for.
    Wish,
    /// The extra credit is of no use: they came after a long silence, or the reader is what limits the stream.
    Useless,
}

impl Tuning {
    pub(super) fn new(now: Duration) -> Tuning {
        Tuning {
            fresh: Some(now),
            round: None,
            trip: Trip::new(now),
            last: now,
            target: 0,
            short_rounds: 0,
            least: usize::MAX,
        }
    }

    /// So many bytes have been read and are returned. The first time they tell what the stream is worth: if the session
    /// knows its path, and more is read in a round than was granted, or before it does.
    pub(super) fn returned(&mut self, now: Duration, bytes: usize, credit: &RecvCredit, path: &Path) {
        let Some(begun) = self.fresh.take() else { return };
        let Some(shortest) = path.shortest else {
            if path.is_far && keeps_up(credit.unread(), credit) {
                self.target = credit.window().saturating_mul(ADVANCE);
            }
            return;
        };
        let product = bandwidth_delay_product(bytes, now.saturating_sub(begun), shortest);
        if product > credit.granted() {
            self.target = product.saturating_mul(HEADROOM).min(path.worth);
        }
    }

    /// Credit is returned, with which the peer may send so many bytes `more` than `before`, while so many are `unread`.
    pub(super) fn begin(&mut self, now: Duration, before: usize, more: usize, unread: usize) {
        if self.round.is_none() {
            self.last = now;
            let bytes = before.saturating_add(more);
            self.round = Some(Round {
                begun: now,
                before,
                bytes,
                left: bytes,
                silence: Duration::ZERO,
                unread,
                is_paused: false,
            });
        }
    }

    /// Bytes `came`, and are in `credit` already. What they say of the session's path is kept in `path`.
    pub(super) fn arrived(
        &mut self,
        now: Duration,
        came: usize,
        credit: &RecvCredit,
        path: &mut Path,
    ) -> Verdict {
        // Much of what comes at once comes in many frames.
        if now != self.last {
            let silence = now.saturating_sub(std::mem::replace(&mut self.last, now));
            self.trip.silence = self.trip.silence.max(silence);
            if silence >= IDLE {
                self.round = None;
                return Verdict::Useless;
            }
            if let Some(round) = &mut self.round {
                round.silence = round.silence.max(silence);
                round.unread = round.unread.min(credit.unread().saturating_sub(came));
                round.is_paused |= silence > path.longest_wait() && round.had_credit();
            }
        }
        let verdict = self.count(now, came, credit, path);
        match self.speeds_up(now, came, credit, path) {
            true if verdict != Verdict::Useless => Verdict::Wish,
            _ => verdict,
        }
    }

    /// Counts the bytes of the round, and ends it with the last of them.
    fn count(&mut self, now: Duration, came: usize, credit: &RecvCredit, path: &mut Path) -> Verdict {
        let Some(round) = &mut self.round else { return Verdict::Nothing };
        round.left = round.left.saturating_sub(came);
        if round.left > 0 {
            return Verdict::Nothing;
        }
        let round = *round;
        self.round = None;
        self.end_round(round, now, credit, path)
    }

    /// Whether so much has come in a trip, on a high-latency link, that the stream needs more credit to go on like
    /// that.
    fn speeds_up(&mut self, now: Duration, came: usize, credit: &RecvCredit, path: &mut Path) -> bool {
        let Some(shortest) = path.shortest.filter(|shortest| *shortest >= SHORT) else { return false };
        let Some(bytes) = self.trip.count(now, came, shortest) else { return false };
        if bytes <= credit.granted() / 2 || !keeps_up(credit.unread(), credit) {
            return false;
        }
        self.target = self.target.max(bytes.saturating_mul(GROWTH));
        path.worth = path.worth.max(self.target);
        self.wish(credit).is_some()
    }

    fn end_round(&mut self, round: Round, now: Duration, credit: &RecvCredit, path: &mut Path) -> Verdict {
        let Round { begun, bytes, silence, unread, is_paused, .. } = round;
        let time = now.saturating_sub(begun);
        let is_behind = unread > credit.granted() / 2;
        if is_paused && !path.is_known() {
            return if is_behind { Verdict::Useless } else { Verdict::Nothing };
        }
        let shortest = *path.shortest.insert(path.shortest.map_or(time, |shortest| shortest.min(time)));
        if is_behind {
            return Verdict::Useless;
        }
        if keeps_up(unread, credit) {
            let product = bandwidth_delay_product(bytes, time.saturating_sub(silence), shortest);
            let target = match shortest < SHORT {
                true => self.agreed(product).map(|least| least.saturating_add(credit.window())),
                false => Some(product.saturating_mul(HEADROOM)),
            };
            match target {
                Some(target) if is_paused => self.target = target.min(credit.window().saturating_mul(PAUSED)),
                Some(target) => (self.target, path.worth) = (target, target),
                None => {}
            }
        }
        if self.wish(credit).is_some() { Verdict::Wish } else { Verdict::Nothing }
    }

    /// What several short rounds say that the path holds, at the least; none before they have.
    fn agreed(&mut self, product: usize) -> Option<usize> {
        self.short_rounds = self.short_rounds.saturating_add(1);
        self.least = self.least.min(product);
        if self.short_rounds < AGREE {
            return None;
        }
        self.short_rounds = 0;
        Some(std::mem::replace(&mut self.least, usize::MAX))
    }

    /// How much is to be granted beyond what there is, in steps larger than a window (W05). None if that is about
    /// enough.
    pub(super) fn wish(&self, credit: &RecvCredit) -> Option<usize> {
        let missing = self.target.saturating_sub(credit.granted());
        (missing >= (credit.window() / 2).max(1)).then(|| missing.max(credit.window().saturating_add(1)))
    }

    /// What was wished for is granted or denied.
    pub(super) fn forget_wish(&mut self) {
        self.target = 0;
    }
}

/// Whether the reader is not what limits the stream, with so much unread: then it may have more.
fn keeps_up(unread: usize, credit: &RecvCredit) -> bool {
    unread <= credit.granted() / 4 && !credit.shrinks()
}

/// How much a path holds on which `bytes` came within `time`, and whose round trip is `round_trip`.
fn bandwidth_delay_product(bytes: usize, time: Duration, round_trip: Duration) -> usize {
    let bytes = u128::try_from(bytes).unwrap_or(u128::MAX);
    let time = time.as_nanos().max(bytes / FASTEST).max(1);
    let product = bytes.saturating_mul(round_trip.as_nanos()).checked_div(time).unwrap_or(0);
    usize::try_from(product).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The credit it should have after a round in which `bytes` came at the given times, and were read at once.
    fn target_after(came: &[(Duration, usize)], shortest: Option<Duration>) -> usize {
        let mut path = Path { is_far: false, shortest, worth: 0 };
        // It was opened before, and silent: that does not count.
        let mut tuning = Tuning::new(ms(0));
        let mut credit = RecvCredit::new(1 << 20);
        let begin = ms(700);
        tuning.begin(begin, 0, came.iter().map(|(_, bytes)| bytes).sum(), 0);
        for (at, bytes) in came {
            assert!(credit.announce(*bytes));
            credit.keep(*bytes);
            tuning.arrived(begin + *at, *bytes, &credit, &mut path);
            credit.consume(*bytes);
        }
        assert!(tuning.round.is_none());
        assert_eq!(path.worth, tuning.target);
        tuning.target
    }

    #[test]
    fn a_window_that_comes_at_once_after_a_round_trip_is_far_too_small() {
        let target = target_after(&[(ms(50), MIB / 8), (ms(51), MIB / 8)], None);
        // A quarter of a MiB in a millisecond, 51 ms long, twice.
        assert_eq!(target, 2 * 51 * MIB / 4);
    }

    #[test]
    fn a_line_that_is_never_silent_needs_no_more_than_it_has() {
        let came: Vec<_> = (1..=100).map(|moment| (ms(moment), MIB / 100)).collect();
        let target = target_after(&came, Some(ms(10)));
        assert!(target < MIB / 4, "a MiB took ten round trips: {target}");
    }

    #[test]
    fn short_rounds_are_believed_when_four_agree_and_earn_a_window_more() {
        let mut path = Path { is_far: false, shortest: Some(SHORT / 2), worth: 0 };
        let mut tuning = Tuning::new(ms(0));
        let credit = RecvCredit::new(1 << 18);
        let window = credit.window();
        let mut now = ms(1);
        let mut targets = Vec::new();
        for slowness in [1, 1, 2, 1, 1, 1, 1, 1] {
            tuning.begin(now, 0, MIB, 0);
            // Half of the time is silence.
            for wait in [4, 1, 1, 1, 1] {
                now += slowness * wait * SHORT / 8;
                tuning.arrived(now, MIB / 5 + 1, &credit, &mut path);
            }
            targets.push(tuning.target);
            tuning.forget_wish();
        }
        // A MiB came within the time of a round, but in the third within two.
        assert_eq!(targets, [0, 0, 0, MIB / 2 + window, 0, 0, 0, MIB + window]);
    }

    #[test]
    fn a_round_goes_on_when_more_credit_is_returned() {
        let mut path = Path::default();
        let mut tuning = Tuning::new(ms(0));
        let credit = RecvCredit::new(1 << 20);
        tuning.begin(ms(0), 0, 20, 0);
        tuning.arrived(ms(50), 10, &credit, &mut path);
        tuning.begin(ms(60), 0, 1000, 0);
        tuning.arrived(ms(70), 10, &credit, &mut path);
        assert_eq!(path.shortest, Some(ms(70)));
    }

    /// The target after some two thirds of a MiB came in a round trip of 50 ms, evenly, but for a `silence`.
    fn target_after_a_trip(shortest: Duration, silence: Duration, unread: usize) -> usize {
        let mut path = Path { is_far: false, shortest: Some(shortest), worth: 0 };
        let mut tuning = Tuning::new(ms(0));
        let mut credit = RecvCredit::new(1 << 20);
        assert!(credit.announce(unread));
        credit.keep(unread);
        let mut now = ms(0);
        for moment in 1..=50 {
            now += if moment == 45 { silence } else { ms(1) };
            tuning.arrived(now, MIB / 75, &credit, &mut path);
        }
        assert_eq!(path.worth, tuning.target);
        tuning.target
    }

    #[test]
    fn a_stream_that_gets_more_than_half_of_its_credit_in_a_trip_is_worth_four_times_as_much() {
        assert_eq!(target_after_a_trip(ms(50), ms(1), MIB / 4), 4 * 50 * (MIB / 75));
    }

    #[test]
    fn a_trip_says_nothing_with_a_silence_in_it_or_a_reader_behind_it_or_where_it_is_short() {
        assert_eq!(target_after_a_trip(ms(50), ms(26), 0), 0);
        assert_eq!(target_after_a_trip(ms(50), IDLE, 0), 0);
        assert_eq!(target_after_a_trip(ms(50), ms(1), MIB / 4 + 1), 0);
        assert_eq!(target_after_a_trip(SHORT - ms(1), ms(1), 0), 0);
    }

    #[test]
    fn a_small_lack_is_no_lack_and_steps_are_larger_than_the_window() {
        let wish = |target| Tuning { target, ..Tuning::new(ms(0)) }.wish(&RecvCredit::new(100));
        assert_eq!(wish(149), None);
        assert_eq!(wish(150), Some(101));
        assert_eq!(wish(500), Some(400));
    }

    #[test]
    fn no_peer_is_faster_than_memory() {
        assert_eq!(target_after(&[(ms(5), MIB)], None), 2 * 20_000_000);
    }

    #[test]
    fn a_later_stream_is_worth_what_it_reads_in_a_round_and_no_more_than_the_last_one() {
        let path = Path { is_far: false, shortest: Some(ms(50)), worth: 10 * MIB };
        let target = |read, at, path: &Path| {
            let mut tuning = Tuning::new(ms(100));
            let credit = RecvCredit::new(1 << 18);
            tuning.returned(at, read, &credit, path);
            // Only the first time: later there are rounds.
            tuning.returned(
                at,
                MIB,
                &credit,
                &Path { is_far: false, shortest: Some(ms(5000)), worth: usize::MAX },
            );
            tuning.target
        };
        assert_eq!(target(MIB / 8, ms(105), &path), 2 * 10 * MIB / 8, "an eighth of a MiB in 5 ms");
        assert_eq!(target(MIB / 8, ms(100), &path), 10 * MIB, "at once");
        assert_eq!(target(MIB / 8, ms(125), &path), 0, "a window in a round is what it has");
        assert_eq!(target(MIB / 8, ms(105), &Path::default()), 0, "the first stream of a session");
    }

    #[test]
    fn a_reader_that_is_behind_is_what_limits_the_stream() {
        for (unread, verdict) in [
            (MIB / 4, Verdict::Wish),
            (MIB / 4 + 1, Verdict::Nothing),
            (MIB / 2, Verdict::Nothing),
            (MIB / 2 + 1, Verdict::Useless),
        ] {
            let mut tuning = Tuning::new(ms(0));
            let mut credit = RecvCredit::new(1 << 20);
            let came = MIB / 4;
            assert!(credit.announce(unread + came));
            credit.keep(unread + came);
            tuning.begin(ms(0), 0, came, MIB);
            assert_eq!(tuning.arrived(ms(50), came, &credit, &mut Path::default()), verdict, "{unread}");
        }
    }

    #[test]
    fn a_long_silence_is_noticed_and_ends_the_round() {
        let mut tuning = Tuning::new(ms(0));
        let credit = RecvCredit::new(1 << 20);
        tuning.begin(ms(0), 0, 10, 0);
        let mut path = Path::default();
        assert_eq!(tuning.arrived(IDLE, 10, &credit, &mut path), Verdict::Useless);
        assert_eq!(tuning.arrived(IDLE, 10, &credit, &mut path), Verdict::Nothing);
        assert!(!path.is_known(), "it says nothing of the path");
    }
}
