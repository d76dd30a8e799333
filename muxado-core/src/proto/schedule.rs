//! Whose turn it is: strict between priorities, round robin within one.
//!
//! A turn is one frame, and frames are bounded, so turns are fair in bytes without a deficit to keep. Each stream
//! stands in the queue at most once (B26).

use std::collections::{BTreeMap, VecDeque};

use super::stream::StreamKey;

/// The streams that have something to send.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    normal: VecDeque<StreamKey>,
    /// Priorities other than 0. Empty in almost every session.
    others: BTreeMap<i8, VecDeque<StreamKey>>,
}

impl Schedule {
    pub(super) fn push(&mut self, priority: i8, key: StreamKey) {
        if priority == 0 {
            self.normal.push_back(key);
        } else {
            self.others.entry(priority).or_default().push_back(key);
        }
    }

    /// The stream whose turn it is.
    pub(super) fn pop(&mut self) -> Option<StreamKey> {
        if self.others.last_key_value().is_some_and(|(priority, _)| priority.is_positive()) {
            return self.pop_other();
        }
        self.normal.pop_front().or_else(|| self.pop_other())
    }

    /// Takes out a stream that has gone.
    pub(super) fn remove(&mut self, priority: i8, key: StreamKey) {
        if priority == 0 {
            self.normal.retain(|queued| *queued != key);
        } else if let Some(queue) = self.others.get_mut(&priority) {
            queue.retain(|queued| *queued != key);
            if queue.is_empty() {
                self.others.remove(&priority);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.normal.is_empty() && self.others.is_empty()
    }

    /// Every place in the order, with the priority it was taken at.
    pub(super) fn places(&self) -> impl Iterator<Item = (i8, StreamKey)> {
        let others =
            self.others.iter().flat_map(|(priority, queue)| queue.iter().map(|key| (*priority, *key)));
        others.chain(self.normal.iter().map(|key| (0, *key)))
    }

    pub(super) fn clear(&mut self) {
        *self = Schedule::default();
    }

    /// The next of the highest priority other than 0.
    fn pop_other(&mut self) -> Option<StreamKey> {
        let mut highest = self.others.last_entry()?;
        let key = highest.get_mut().pop_front();
        if highest.get().is_empty() {
            highest.remove();
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: u32) -> StreamKey {
        StreamKey { slot, serial: 0 }
    }

    #[test]
    fn higher_priorities_go_first_and_equals_take_turns() {
        let mut schedule = Schedule::default();
        for (priority, slot) in [(0, 1), (-5, 2), (7, 3), (0, 4), (7, 5), (1, 6)] {
            schedule.push(priority, key(slot));
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
                schedule.push(priority, key(slot));
            }
            schedule.remove(priority, key(2));
            let order: Vec<_> = schedule.places().collect();
            assert_eq!(order, [(priority, key(1)), (priority, key(3))]);
            schedule.remove(priority, key(1));
            schedule.remove(priority, key(3));
            assert!(schedule.is_empty());
        }
    }
}
