//! Who waits for what. Wakers are cloned, woken and dropped outside the session's lock, always.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use slab::Slab;

use crate::proto::{Event, StreamKey};

/// The two directions of a stream in which a task can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Everybody who waits, for one session (B23, B24).
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    /// By slot: where in `waiting` the reader and the writer of a stream are. One task each; the last to poll is the one
    /// that is woken. Most streams of many have nobody who waits, and room for a number is smaller than for a waker.
    streams: Vec<[Option<NonZeroU32>; 2]>,
    waiting: Slab<Waker>,
    pub(crate) open: WaitList,
    pub(crate) accept: WaitList,
    pub(crate) closed: WaitList,
    pub(crate) leaving: WaitList,
    pub(crate) stopped: Watchers,
}

impl Wakers {
    /// Registers the task of `current` for one direction of a stream. False if it needs a clone of the waker first:
    /// the caller puts it in `fresh`, outside the lock, and tries again. A replaced waker comes back in `fresh`, to
    /// be dropped outside the lock.
    #[must_use]
    pub(crate) fn wait(
        &mut self,
        key: StreamKey,
        direction: Direction,
        current: &Waker,
        fresh: &mut Option<Waker>,
    ) -> bool {
        let slot = key.slot as usize;
        if slot >= self.streams.len() {
            self.streams.resize_with(slot + 1, Default::default);
        }
        let place = &mut self.streams[slot][direction as usize];
        if let Some(waker) = place.and_then(|place| self.waiting.get_mut(index(place))) {
            if waker.will_wake(current) {
                return true;
            }
            let Some(new) = fresh.take() else { return false };
            *fresh = Some(std::mem::replace(waker, new));
            return true;
        }
        let Some(waker) = fresh.take() else { return false };
        *place = u32::try_from(self.waiting.insert(waker) + 1).ok().and_then(NonZeroU32::new);
        true
    }

    /// Takes out whoever waits for one direction of a stream.
    pub(crate) fn take(&mut self, key: StreamKey, direction: Direction) -> Option<Waker> {
        let place = self.streams.get_mut(key.slot as usize)?[direction as usize].take()?;
        self.waiting.try_remove(index(place))
    }

    /// Takes out everybody an event concerns.
    pub(crate) fn collect(&mut self, event: Event, woken: &mut WakeList) {
        match event {
            Event::Readable(key) => woken.extend(self.take(key, Direction::Read)),
            Event::Writable(key) => woken.extend(self.take(key, Direction::Write)),
            Event::Stopped(key) => self.stopped.take(key, woken),
            // Who is told of a stream or a place depends on how many there are: see `State::collect`.
            Event::Incoming | Event::PlaceFree => {}
            Event::Ended => {
                self.streams.clear();
                woken.extend(self.waiting.drain());
                woken.extend(std::iter::from_fn(|| self.open.pop()));
                woken.extend(std::iter::from_fn(|| self.accept.pop()));
            }
        }
    }
}

fn index(place: NonZeroU32) -> usize {
    place.get() as usize - 1
}

/// Tasks that wait for the same thing, first come first served. A ticket is a task's place in the line.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    next_ticket: u64,
    waiting: BTreeMap<u64, Waker>,
    /// Those that were woken, and have not come or given up since.
    told: usize,
}

impl WaitList {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// As [`Wakers::wait`], for the holder of `ticket`, who gets one if it has none.
    #[must_use]
    pub(crate) fn wait(
        &mut self,
        ticket: &mut Option<u64>,
        current: &Waker,
        fresh: &mut Option<Waker>,
    ) -> bool {
        let was_told = ticket.is_some_and(|ticket| !self.waiting.contains_key(&ticket));
        let waits =
            wait_at(&mut self.waiting, &mut self.next_ticket, |ticket| ticket, ticket, current, fresh);
        self.told -= usize::from(was_told && waits);
        waits
    }

    /// Takes out the first in line.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        let (_, waker) = self.waiting.pop_first()?;
        self.told += 1;
        Some(waker)
    }

    /// Takes out the first in line if fewer have been told than `there_are` to be had. Whoever is told and does not come
    /// holds up nobody beyond that.
    pub(crate) fn pop_for(&mut self, there_are: usize) -> Option<Waker> {
        if self.told < there_are { self.pop() } else { None }
    }

    /// Whether somebody with an earlier ticket waits.
    pub(crate) fn is_behind(&self, ticket: Option<u64>) -> bool {
        match (self.waiting.first_key_value(), ticket) {
            (Some((first, _)), Some(ticket)) => *first < ticket,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Gives up a place in the line. Returns its waker, to be dropped outside the lock; none if it was woken already.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let left = self.waiting.remove(&ticket);
        self.told -= usize::from(left.is_none());
        left
    }
}

/// What [`Wakers::wait`] does, in a table with a place for each ticket. Whoever has no ticket gets the next one.
fn wait_at<K: Ord>(
    waiting: &mut BTreeMap<K, Waker>,
    next_ticket: &mut u64,
    place: impl Fn(u64) -> K,
    ticket: &mut Option<u64>,
    current: &Waker,
    fresh: &mut Option<Waker>,
) -> bool {
    if let Some(waker) = ticket.and_then(|ticket| waiting.get(&place(ticket))) {
        if waker.will_wake(current) {
            return true;
        }
    }
    let Some(waker) = fresh.take() else { return false };
    let ticket = *ticket.get_or_insert_with(|| {
        *next_ticket += 1;
        *next_ticket
    });
    *fresh = waiting.insert(place(ticket), waker);
    true
}

/// Tasks that wait for streams to be stopped, any number for each. In one table, so that streams that nobody watches cost
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    next_ticket: u64,
    waiting: BTreeMap<(StreamKey, u64), Waker>,
}

impl Watchers {
    /// The ticket of whoever polls a stream's handle. There is one handle, and it has no room for a number.
    pub(crate) const HANDLE: u64 = 0;

    /// As [`WaitList::wait`].
    #[must_use]
    pub(crate) fn wait(
        &mut self,
        key: StreamKey,
        ticket: &mut Option<u64>,
        current: &Waker,
        fresh: &mut Option<Waker>,
    ) -> bool {
        wait_at(&mut self.waiting, &mut self.next_ticket, |ticket| (key, ticket), ticket, current, fresh)
    }

    /// Takes out everybody who watches a stream.
    fn take(&mut self, key: StreamKey, woken: &mut WakeList) {
        let all = (key, Self::HANDLE)..=(key, u64::MAX);
        while let Some((&place, _)) = self.waiting.range(all.clone()).next() {
            woken.extend(self.waiting.remove(&place));
        }
    }

    /// Gives a place up. Returns its waker, to be dropped outside the lock.
    pub(crate) fn leave(&mut self, key: StreamKey, ticket: u64) -> Option<Waker> {
        self.waiting.remove(&(key, ticket))
    }
}

/// Wakers taken out under the lock, to be woken after it.
#[derive(Debug, Default)]
pub(crate) struct WakeList {
    /// Most of the time there is one, and it costs no allocation.
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl WakeList {
    pub(crate) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            if self.first.is_none() {
                self.first = Some(waker);
            } else {
                self.rest.push(waker);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes everybody, the first in line first. The list keeps its memory.
    ///
    /// Nobody's wake-up may depend on somebody else's waker: if one panics, the others are woken while it unwinds.
    pub(crate) fn wake(&mut self) {
        // They are taken from the back.
        self.rest.reverse();
        let rest = Rest(self);
        if std::thread::panicking() {
            return drop(rest);
        }
        while let Some(waker) = rest.0.pop() {
            waker.wake();
        }
    }

    fn pop(&mut self) -> Option<Waker> {
        self.first.take().or_else(|| self.rest.pop())
    }
}

/// Whoever is still in it would never be woken: something else has panicked in between.
impl Drop for WakeList {
    fn drop(&mut self) {
        if !self.is_empty() {
            drop(Rest(self));
        }
    }
}

/// Those who are still to be woken when something has panicked. A second panic would abort the process: it ends here.
struct Rest<'a>(&'a mut WakeList);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        while let Some(waker) = self.0.pop() {
            _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}
