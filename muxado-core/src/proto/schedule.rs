//! Whose turn it is: strict between priorities, round robin within one.
//!
//! A turn is one frame of at most [`max_frame`](crate::Config::max_frame) bytes. A stream that sends less has nothing
//! more to send, or no credit for it, so that turns are fair in bytes without the counters of deficit round robin: a
//! stream that could send more is given no less than any other. Each stream stands in the order once (B26).
//!
//! A stream that has had no turn for as long as a round of the others takes has *rested*. It goes before those that
//! have not, as long as these get their share. So a message now and then does not wait until 64 bulk streams have had
//! their turns. A stream that has not rested is due after twice as many turns of its priority as that has other streams,
//! however many messages there are. As many may become due at once as there are: so none waits for more than three times
//! as many turns as there are others.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use super::stream::StreamKey;

/// So many streams are many; and one that has had no turn for so many is seen seldom.
pub(super) const MANY: usize = 16;

/// So many turns of such streams, of late, and there are many.
const VARIED: u8 = 16;

/// The streams that have something to send.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    normal: Level,
    /// Priorities other than 0. Empty in almost every session.
    others: BTreeMap<i8, Level>,
    /// Turns that were had, all told. Wraps; 0 is left out.
    turns: u32,
    /// How many of the last turns were had by streams that had had none for a while.
    variety: u8,
}

/// When a stream last had a turn; none if never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LastTurn(Option<NonZeroU32>);

/// The streams of one priority.
#[derive(Debug, Default)]
struct Level {
    rested: VecDeque<StreamKey>,
    /// With the turns that had been had here when it began to wait.
    busy: VecDeque<(StreamKey, u32)>,
    /// Turns that were had here: those of other priorities make nobody wait for others of his own. Wraps.
    turns: u32,
}

impl Schedule {
    /// Puts a stream in the order.
    pub(super) fn push(&mut self, priority: i8, key: StreamKey, last: LastTurn) {
        let level = if priority == 0 { &mut self.normal } else { self.others.entry(priority).or_default() };
        match last.0.is_none_or(|last| between(last.get(), self.turns) >= level.len()) {
            true => level.rested.push_back(key),
            false => level.busy.push_back((key, level.turns)),
        }
    }

    /// The stream whose turn it is.
    pub(super) fn pop(&mut self) -> Option<StreamKey> {
        let is_next = |(priority, _): (&i8, &Level)| priority.is_positive() || self.normal.is_empty();
        let key = match self.others.last_key_value().is_some_and(is_next) {
            true => self.pop_other(),
            false => self.normal.pop(),
        };
        if key.is_some() {
            self.turns = self.turns.checked_add(1).unwrap_or(1);
        }
        key
    }

    /// When a stream that has a turn now, and had one at `last`, has had it.
    pub(super) fn this_turn(&mut self, last: LastTurn) -> LastTurn {
        self.variety = match last.0.is_none_or(|last| between(last.get(), self.turns) >= MANY) {
            true => self.variety.saturating_add(2).min(2 * VARIED),
            false => self.variety.saturating_sub(1),
        };
        LastTurn(NonZeroU32::new(self.turns))
    }

    /// Whether many streams have turns now, each of them seldom: others may want theirs in a moment.
    pub(super) fn is_varied(&self) -> bool {
        self.variety >= VARIED
    }

    /// Takes out a stream that has gone.
    pub(super) fn remove(&mut self, priority: i8, key: StreamKey) {
        if priority == 0 {
            self.normal.remove(key);
        } else if let Some(level) = self.others.get_mut(&priority) {
            level.remove(key);
            if level.is_empty() {
                self.others.remove(&priority);
            }
        }
    }

    /// Takes out all streams but those that `keep` says.
    pub(super) fn retain(&mut self, keep: impl Fn(StreamKey) -> bool) {
        self.normal.retain(&keep);
        self.others.retain(|_, level| {
            level.retain(&keep);
            !level.is_empty()
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.normal.is_empty() && self.others.is_empty()
    }

    /// Every place in the order, with the priority it was taken at.
    pub(super) fn places(&self) -> impl Iterator<Item = (i8, StreamKey)> {
        let others =
            self.others.iter().flat_map(|(priority, level)| level.keys().map(|key| (*priority, key)));
        others.chain(self.normal.keys().map(|key| (0, key)))
    }

    pub(super) fn clear(&mut self) {
        *self = Schedule::default();
    }

    /// The next of the highest priority other than 0.
    fn pop_other(&mut self) -> Option<StreamKey> {
        let mut highest = self.others.last_entry()?;
        let key = highest.get_mut().pop();
        if highest.get().is_empty() {
            highest.remove();
        }
        key
    }
}

impl Level {
    fn pop(&mut self) -> Option<StreamKey> {
        let (turns, most) = (self.turns, self.len().saturating_sub(1).saturating_mul(2));
        self.turns = turns.wrapping_add(1);
        let is_due = |(_, since): &(StreamKey, u32)| between(*since, turns) >= most;
        if self.rested.is_empty() || self.busy.front().is_some_and(is_due) {
            return self.busy.pop_front().map(|(key, _)| key);
        }
        self.rested.pop_front()
    }

    fn remove(&mut self, key: StreamKey) {
        self.retain(|queued| queued != key);
    }

    fn retain(&mut self, keep: impl Fn(StreamKey) -> bool) {
        self.rested.retain(|queued| keep(*queued));
        self.busy.retain(|(queued, _)| keep(*queued));
    }

    fn is_empty(&self) -> bool {
        self.rested.is_empty() && self.busy.is_empty()
    }

    fn len(&self) -> usize {
        self.rested.len().saturating_add(self.busy.len())
    }

    fn keys(&self) -> impl Iterator<Item = StreamKey> {
        self.rested.iter().copied().chain(self.busy.iter().map(|(key, _)| *key))
    }
}

/// Turns from `since` to `now`.
fn between(since: u32, now: u32) -> usize {
    usize::try_from(now.wrapping_sub(since)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: LastTurn = LastTurn(None);

    fn key(slot: u32) -> StreamKey {
        StreamKey { slot, serial: 0 }
    }

    #[test]
    fn higher_priorities_go_first_and_equals_take_turns() {
        let mut schedule = Schedule::default();
        for (priority, slot) in [(0, 1), (-5, 2), (7, 3), (0, 4), (7, 5), (1, 6)] {
            schedule.push(priority, key(slot), NEVER);
        }
        let order: Vec<u32> = std::iter::from_fn(|| schedule.pop()).map(|key| key.slot).collect();
        assert_eq!(order, [3, 5, 6, 1, 4, 2]);
        assert!(schedule.is_empty());
    }

    #[test]
    fn who_is_taken_out_has_no_turn_and_everybody_else_has() {
        for priority in [-1, 0, 1] {
            let mut schedule = Schedule::default();
            for slot in [1, 2, 3] {
                schedule.push(priority, key(slot), NEVER);
            }
            schedule.remove(priority, key(2));
            let order: Vec<_> = schedule.places().collect();
            assert_eq!(order, [(priority, key(1)), (priority, key(3))]);
            schedule.retain(|queued| queued == key(3));
            assert_eq!(schedule.places().collect::<Vec<_>>(), [(priority, key(3))]);
            schedule.retain(|_| false);
            assert!(schedule.is_empty() && schedule.others.is_empty());
        }
    }

    #[test]
    fn who_has_rested_for_a_round_goes_first_and_nobody_loses_a_turn() {
        let mut schedule = Schedule::default();
        let mut last = [NEVER; 10];
        let mut turn = |schedule: &mut Schedule, again: bool| {
            let slot = schedule.pop().unwrap().slot;
            last[slot as usize] = schedule.this_turn(last[slot as usize]);
            if again {
                schedule.push(0, key(slot), last[slot as usize]);
            }
            slot
        };
        for slot in 0..4 {
            schedule.push(0, key(slot), NEVER);
        }
        let round: Vec<_> = (0..8).map(|_| turn(&mut schedule, true)).collect();
        assert_eq!(round, [0, 1, 2, 3, 0, 1, 2, 3]);
        // Two that are new.
        schedule.push(0, key(8), NEVER);
        schedule.push(0, key(9), NEVER);
        let after: Vec<_> = (0..4).map(|_| turn(&mut schedule, false)).collect();
        assert_eq!(after, [8, 9, 0, 1]);
    }

    #[test]
    fn a_few_streams_in_turns_are_no_variety_and_many_are() {
        for (streams, varied) in [(1, false), (2, false), (15, false), (16, true), (64, true)] {
            let mut schedule = Schedule::default();
            let mut last = vec![NEVER; streams];
            for turn in 0..1000 {
                schedule.push(0, key(turn as u32), NEVER);
                schedule.pop();
                let place = turn % streams;
                last[place] = schedule.this_turn(last[place]);
            }
            assert_eq!(schedule.is_varied(), varied, "{streams}");
        }
    }

    #[test]
    fn streams_that_are_new_each_time_are_variety_even_if_each_has_two_turns() {
        let mut schedule = Schedule::default();
        for turn in 0..100 {
            schedule.push(0, key(turn), NEVER);
            schedule.pop();
            let first = schedule.this_turn(NEVER);
            schedule.this_turn(first);
        }
        assert!(schedule.is_varied());
    }

    /// All become busy in one moment, the last to have had a turn first, as when credit comes for all of them at once.
    #[test]
    fn nobody_waits_for_more_than_three_times_as_many_turns_as_there_are_others() {
        for (busy, messages) in [(1, 3), (8, 2), (64, 3), (64, 64)] {
            let mut schedule = Schedule::default();
            let mut last = vec![NEVER; busy];
            let fill = |schedule: &mut Schedule| {
                while schedule.normal.rested.len() < messages {
                    schedule.push(0, key(1000), NEVER);
                }
            };
            (0..busy).for_each(|slot| schedule.push(0, key(slot as u32), NEVER));
            for last in &mut last {
                schedule.pop();
                *last = schedule.this_turn(*last);
            }
            fill(&mut schedule);
            (0..busy).rev().for_each(|slot| schedule.push(0, key(slot as u32), last[slot]));
            assert_eq!(schedule.normal.busy.len(), busy);
            let others = busy + messages - 1;
            for turn in 0..=3 * others {
                assert!(
                    !schedule.normal.busy.is_empty() || turn > 2 * others,
                    "the messages go first: {turn}"
                );
                schedule.pop();
                fill(&mut schedule);
            }
            assert!(schedule.normal.busy.is_empty(), "{busy} and {messages}");
        }
    }

    /// Two or more turns of a higher priority before each of these.
    #[test]
    fn who_is_new_has_his_turn_before_the_busy_whatever_a_higher_priority_sends_meanwhile() {
        for ahead in 0..5 {
            let mut schedule = Schedule::default();
            let mut last = [NEVER; 6];
            let mut turn = |schedule: &mut Schedule| {
                for _ in 0..ahead {
                    schedule.push(1, key(0), last[0]);
                    assert_eq!(schedule.pop(), Some(key(0)));
                    last[0] = schedule.this_turn(last[0]);
                }
                let slot = schedule.pop().unwrap().slot;
                last[slot as usize] = schedule.this_turn(last[slot as usize]);
                schedule.push(0, key(slot), last[slot as usize]);
                slot
            };
            (1..5).for_each(|slot| schedule.push(0, key(slot), NEVER));
            (0..40).for_each(|_| _ = turn(&mut schedule));
            schedule.push(0, key(5), NEVER);
            assert_eq!(turn(&mut schedule), 5, "{ahead}");
        }
    }
}
