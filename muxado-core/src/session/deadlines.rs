//! The instants after which reading or writing a stream fails. The driver's timer watches the earliest of them.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use foldhash::fast::RandomState;

use super::wakers::{Direction, WakeList, Wakers};
use crate::proto::StreamKey;

type Place = (StreamKey, Direction);

/// At most one deadline for each direction of a stream that the application holds.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// Those that have not passed, the earliest first.
    due: BTreeSet<(Instant, Place)>,
    /// All of them; none for one that has passed.
    set: HashMap<Place, Option<Instant>, RandomState>,
    /// The earliest may be another than the driver was told.
    changed: bool,
}

impl Deadlines {
    /// Sets one, or takes it away. One that is not after `now` has passed.
    pub(crate) fn set(&mut self, key: StreamKey, direction: Direction, at: Option<Instant>, now: Instant) {
        let place = (key, direction);
        let at = at.map(|at| (at > now).then_some(at));
        let before = match at {
            Some(at) => self.set.insert(place, at),
            None => self.set.remove(&place),
        };
        self.changed = true;
        if let Some(before) = before.flatten() {
            self.due.remove(&(before, place));
        }
        if let Some(at) = at.flatten() {
            self.due.insert((at, place));
        }
    }

    /// The handle is gone.
    pub(crate) fn forget(&mut self, key: StreamKey, direction: Direction) {
        // Most streams never have one, and this is cheaper than looking.
        if self.set.is_empty() {
            return;
        }
        if let Some(Some(at)) = self.set.remove(&(key, direction)) {
            self.due.remove(&(at, (key, direction)));
        }
    }

    /// Whether it has passed, if there is one.
    pub(crate) fn passed(&self, key: StreamKey, direction: Direction) -> Option<bool> {
        // Most sessions never have one, and this is cheaper than looking.
        if self.set.is_empty() {
            return None;
        }
        self.set.get(&(key, direction)).map(Option::is_none)
    }

    /// Whether reading or writing is to fail.
    pub(crate) fn has_passed(&self, key: StreamKey, direction: Direction) -> bool {
        self.passed(key, direction) == Some(true)
    }

    /// Whether there is something to tell the driver.
    pub(crate) fn is_news(&self) -> bool {
        self.changed
    }

    /// The earliest that has not passed, if it may be another than before.
    pub(crate) fn news(&mut self) -> Option<Option<Instant>> {
        std::mem::take(&mut self.changed).then(|| self.due.first().map(|(at, _)| *at))
    }

    /// Lets all pass that are not after `now`, and takes out whoever waits there.
    pub(crate) fn pass(&mut self, now: Instant, wakers: &mut Wakers, woken: &mut WakeList) {
        self.changed = true;
        while let Some((at, place)) = self.due.pop_first() {
            if at > now {
                self.due.insert((at, place));
                return;
            }
            self.set.insert(place, None);
            woken.extend(wakers.take(place.0, place.1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_is_kept_of_a_handle_that_is_gone() {
        let (key, now) = (StreamKey { slot: 0, serial: 0 }, Instant::now());
        for at in [now, now + Duration::from_secs(1)] {
            let mut deadlines = Deadlines::default();
            deadlines.set(key, Direction::Read, Some(at), now);
            deadlines.set(key, Direction::Write, Some(at), now);
            deadlines.forget(key, Direction::Read);
            assert!(!deadlines.has_passed(key, Direction::Read));
            assert_eq!(deadlines.has_passed(key, Direction::Write), at == now, "the other half has its own");
            deadlines.forget(key, Direction::Write);
            assert!(deadlines.due.is_empty() && deadlines.set.is_empty());
        }
    }
}
