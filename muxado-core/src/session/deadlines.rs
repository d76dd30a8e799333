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
        if let Some(before) = before.flatten() {
            self.due.remove(&(before, place));
        }
        if let Some(at) = at.flatten() {
            self.due.insert((at, place));
        }
    }

    /// The handle is gone.
    pub(crate) fn forget(&mut self, key: StreamKey, direction: Direction) {
        if let Some(Some(at)) = self.set.remove(&(key, direction)) {
            self.due.remove(&(at, (key, direction)));
        }
    }

    pub(crate) fn has_passed(&self, key: StreamKey, direction: Direction) -> bool {
        !self.set.is_empty() && matches!(self.set.get(&(key, direction)), Some(None))
    }

    /// The earliest that has not passed.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Lets all pass that are not after `now`, and takes out whoever waits there.
    pub(crate) fn pass(&mut self, now: Instant, wakers: &mut Wakers, woken: &mut WakeList) {
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
