//! The streams of a session: slots, ids, the accept queue, the limits, and the dead that are remembered.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};

#[cfg(not(test))]
use foldhash::fast::RandomState;
use muxado_frame::{Side, StreamId};
use slab::Slab;

#[cfg(test)]
use self::tests::RandomState;
use super::flow::{size, wire};
use super::stream::{Opener, Stream, StreamKey};

/// How many streams are remembered that ended with our RST, or while more than a window was under way (B09). The oldest are
/// forgotten: DATA for them then costs the peer one more RST, no more.
const REMEMBERED: usize = 1024;

/// Slots that a session without streams keeps for the next ones. What many streams at once took beyond is given back.
const KEPT: usize = 64;

/// A stream that is over, and whose sender may not know yet.
#[derive(Debug)]
struct Dead {
    /// What it may have under way, in bytes.
    credit: u32,
    /// It has been sent RST.
    is_told: bool,
}

/// The table of streams.
#[derive(Debug)]
pub(super) struct Streams {
    side: Side,
    slots: Slab<Stream>,
    /// Keyed hash: the peer chooses half of the ids (B27).
    by_id: HashMap<u32, u32, RandomState>,
    next_serial: u32,
    /// The id our next SYN gets; none when they are used up.
    next_id: Option<StreamId>,
    /// Streams of ours whose SYN has not gone out.
    without_id: usize,
    pub(super) outbound: usize,
    pub(super) inbound: usize,
    /// Those of them that have nothing left but their handles.
    pub(super) retired: usize,
    /// Streams that are not over: what a draining session waits for.
    pub(super) unfinished: usize,
    backlog: VecDeque<StreamKey>,
    /// The highest id the peer has ever put a SYN on.
    highest_seen: u32,
    /// The highest id of the peer's that the application was given.
    last_accepted: Option<StreamId>,
    dead: HashMap<u32, Dead, RandomState>,
    dead_order: VecDeque<u32>,
}

impl Streams {
    pub(super) fn new(side: Side) -> Streams {
        Streams {
            side,
            slots: Slab::new(),
            by_id: HashMap::default(),
            next_serial: 0,
            next_id: Some(StreamId::first(side)),
            without_id: 0,
            outbound: 0,
            inbound: 0,
            retired: 0,
            unfinished: 0,
            backlog: VecDeque::new(),
            highest_seen: 0,
            last_accepted: None,
            dead: HashMap::default(),
            dead_order: VecDeque::new(),
        }
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn get(&self, key: StreamKey) -> Option<&Stream> {
        self.slots.get(index(key.slot)).filter(|stream| stream.serial == key.serial)
    }

    pub(super) fn get_mut(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.slots.get_mut(index(key.slot)).filter(|stream| stream.serial == key.serial)
    }

    /// The live stream with this id.
    pub(super) fn find(&self, id: StreamId) -> Option<StreamKey> {
        let slot = *self.by_id.get(&id.get())?;
        let stream = self.slots.get(index(slot))?;
        Some(StreamKey { slot, serial: stream.serial })
    }

    /// The stream with this id, unless it is gone on the wire: DATA for it is then judged as for any forgotten id,
    /// whether the application holds it or not (S24, S26, S42 to S44).
    pub(super) fn find_open(&self, id: StreamId) -> Option<StreamKey> {
        self.find(id).filter(|key| self.get(*key).is_some_and(|stream| !stream.is_gone()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.slots.iter().map(|(_, stream)| stream)
    }

    pub(super) fn iter_keys(&self) -> impl Iterator<Item = (StreamKey, &Stream)> {
        self.slots.iter().filter_map(|(slot, stream)| Some((key(slot, stream)?, stream)))
    }

    pub(super) fn keys(&self) -> Vec<StreamKey> {
        self.keys_of(|_| true)
    }

    pub(super) fn keys_of(&self, which: impl Fn(&Stream) -> bool) -> Vec<StreamKey> {
        let chosen = self.slots.iter().filter(|(_, stream)| which(stream));
        chosen.filter_map(|(slot, stream)| key(slot, stream)).collect()
    }

    /// Whether the peer has as many streams as `limit` allows.
    ///
    /// The peer's own place is free once both FINs have passed, ours when the application has let go of the stream, a
    /// moment later. So that equal limits on both sides never refuse an honest peer in between, retired streams do not
    /// count, up to as many again. A stream that was reset is never retired (V01).
    pub(super) fn inbound_is_full(&self, limit: usize) -> bool {
        let active = self.inbound.saturating_sub(self.retired);
        active >= limit || self.inbound >= limit.saturating_mul(2)
    }

    /// Whether another stream of ours could still get an id.
    pub(super) fn has_id_left(&self) -> bool {
        let Some(next) = self.next_id else { return false };
        // The last id of each parity is kept for the filler frame of an early GOAWAY.
        let left = (LAST_ID.saturating_sub(next.get()) / 2).saturating_add(1);
        next.get() <= LAST_ID && usize::try_from(left).is_ok_and(|left| left > self.without_id)
    }

    /// Makes the stream that our next SYN will announce.
    pub(super) fn open(&mut self, window: u32) -> Option<StreamKey> {
        let key = self.insert(Stream::new(self.next_serial, Opener::Local, window))?;
        self.without_id = self.without_id.saturating_add(1);
        self.outbound = self.outbound.saturating_add(1);
        Some(key)
    }

    /// Makes the stream that a SYN of the peer announced, and puts it in the accept queue.
    pub(super) fn announce(&mut self, id: StreamId, window: u32) -> Option<StreamKey> {
        let mut stream = Stream::new(self.next_serial, Opener::Remote, window);
        stream.id = Some(id);
        stream.in_backlog = true;
        let key = self.insert(stream)?;
        self.by_id.insert(id.get(), key.slot);
        self.inbound = self.inbound.saturating_add(1);
        self.backlog.push_back(key);
        Some(key)
    }

    fn insert(&mut self, stream: Stream) -> Option<StreamKey> {
        let slot = u32::try_from(self.slots.vacant_key()).ok()?;
        let key = StreamKey { slot, serial: stream.serial };
        self.slots.insert(stream);
        self.next_serial = self.next_serial.wrapping_add(1);
        self.unfinished = self.unfinished.saturating_add(1);
        Some(key)
    }

    /// Gives our stream its id: its SYN is going out now, so ids increase on the wire (W01).
    pub(super) fn assign_id(&mut self, key: StreamKey) -> Option<StreamId> {
        let id = self.next_id?;
        let stream = self.get_mut(key)?;
        stream.id = Some(id);
        self.next_id = id.next();
        self.without_id = self.without_id.saturating_sub(1);
        self.by_id.insert(id.get(), key.slot);
        Some(id)
    }

    pub(super) fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    /// The highest id of the peer's that the application was given, or still can be.
    pub(super) fn last_handled(&self) -> Option<StreamId> {
        let waiting = self.backlog.iter().filter_map(|key| self.get(*key)?.id).max();
        self.last_accepted.max(waiting)
    }

    /// The stream that has waited longest to be accepted.
    pub(super) fn next_accepted(&mut self) -> Option<StreamKey> {
        let key = self.backlog.pop_front()?;
        let stream = self.get_mut(key)?;
        stream.in_backlog = false;
        stream.send.held = true;
        stream.recv.held = true;
        let id = stream.id;
        self.last_accepted = self.last_accepted.max(id);
        Some(key)
    }

    /// Empties the accept queue.
    pub(super) fn take_backlog(&mut self) -> VecDeque<StreamKey> {
        let backlog = std::mem::take(&mut self.backlog);
        for key in &backlog {
            if let Some(stream) = self.get_mut(*key) {
                stream.in_backlog = false;
            }
        }
        backlog
    }

    /// Takes a stream out of the accept queue before anybody saw it.
    pub(super) fn leave_backlog(&mut self, key: StreamKey) {
        if let Some(stream) = self.get_mut(key) {
            if std::mem::take(&mut stream.in_backlog) {
                self.backlog.retain(|queued| *queued != key);
            }
        }
    }

    /// Frees the slot of a stream. The caller has taken it out of its own queues.
    pub(super) fn remove(&mut self, key: StreamKey) -> Option<Stream> {
        self.get(key)?;
        let stream = self.slots.try_remove(index(key.slot))?;
        match stream.id.map(|id| self.by_id.entry(id.get())) {
            // A later stream may have the same id by now (S26).
            Some(Entry::Occupied(place)) if *place.get() == key.slot => _ = place.remove(),
            Some(_) => {}
            None => self.without_id = self.without_id.saturating_sub(1),
        }
        let counted = match stream.opener {
            Opener::Local => &mut self.outbound,
            Opener::Remote => &mut self.inbound,
        };
        *counted = counted.saturating_sub(1);
        self.retired = self.retired.saturating_sub(usize::from(stream.retired));
        if self.slots.is_empty() && self.slots.capacity() > KEPT {
            self.slots = Slab::new();
            self.by_id = HashMap::default();
            self.backlog = VecDeque::new();
        }
        Some(stream)
    }

    /// Whether `id` is ours to open.
    pub(super) fn is_local(&self, id: StreamId) -> bool {
        id.opener() == self.side
    }

    /// Whether a SYN for `id` has ever gone out, for an id of ours, or come in, for one of the peer's.
    ///
    /// No history is kept for the peer's ids, which may come out of order: what is not above the highest counts as
    /// seen (B31).
    pub(super) fn was_seen(&self, id: StreamId) -> bool {
        if self.is_local(id) {
            self.next_id.is_none_or(|next| id < next) && id >= StreamId::first(self.side)
        } else {
            id.get() <= self.highest_seen
        }
    }

    /// Notes a SYN. False if its id is not above all before: it comes out of order, or again (S25, S26).
    pub(super) fn saw(&mut self, id: StreamId) -> bool {
        let above = id.get() > self.highest_seen;
        self.highest_seen = self.highest_seen.max(id.get());
        above
    }

    /// Remembers that `id` was reset, and the credit the peer still had for it (B09).
    pub(super) fn bury(&mut self, id: StreamId, credit: usize) {
        self.remember(id, Dead { credit: wire(credit), is_told: true });
    }

    /// Remembers the credit that the peer still had for `id`, of which nobody will tell it that it is over before it sends more.
    pub(super) fn leave_behind(&mut self, id: StreamId, credit: usize) {
        self.remember(id, Dead { credit: wire(credit), is_told: false });
    }

    fn remember(&mut self, id: StreamId, dead: Dead) {
        if self.dead.insert(id.get(), dead).is_none() {
            self.dead_order.push_back(id.get());
            if self.dead_order.len() > REMEMBERED {
                if let Some(oldest) = self.dead_order.pop_front() {
                    self.dead.remove(&oldest);
                }
            }
        }
    }

    /// Whether a stream is remembered as reset.
    pub(super) fn is_dead(&self, id: StreamId) -> bool {
        self.dead.get(&id.get()).is_some_and(|dead| dead.is_told)
    }

    /// The peer has sent `bytes` to a stream that is remembered as reset: whether it had credit for them. None if there is no
    /// such stream.
    pub(super) fn spend_of_dead(&mut self, id: StreamId, bytes: usize) -> Option<bool> {
        let dead = self.dead.get_mut(&id.get()).filter(|dead| dead.is_told)?;
        let left = dead.credit.checked_sub(wire(bytes));
        dead.credit = left.unwrap_or(dead.credit);
        Some(left.is_some())
    }

    /// The credit the peer still has for all streams that are remembered.
    pub(super) fn dead_credit(&self) -> usize {
        self.dead.values().map(|dead| size(dead.credit)).fold(0, usize::saturating_add)
    }

    /// The credit the peer still has for a stream that was left behind.
    pub(super) fn left_behind(&self, id: StreamId) -> Option<usize> {
        self.dead.get(&id.get()).filter(|dead| !dead.is_told).map(|dead| size(dead.credit))
    }

    /// Recounts everything that is counted as it changes, and follows every reference.
    pub(super) fn audit(&self) -> Result<(), String> {
        let count = |which: fn(&Stream) -> bool| self.iter().filter(|stream| which(stream)).count();
        let counters = [
            ("outbound", self.outbound, count(|stream| stream.opener == Opener::Local)),
            ("inbound", self.inbound, count(|stream| stream.opener == Opener::Remote)),
            ("retired", self.retired, count(|stream| stream.retired)),
            ("unfinished", self.unfinished, count(Stream::is_unfinished)),
            ("without id", self.without_id, count(|stream| stream.id.is_none())),
            ("in the backlog", self.backlog.len(), count(|stream| stream.in_backlog)),
            ("remembered", self.dead_order.len(), self.dead.len()),
        ];
        if let Some((what, counted, are)) = counters.iter().find(|(_, counted, are)| counted != are) {
            return Err(format!("{counted} streams count as {what}, {are} are"));
        }
        if let Some(key) = self.backlog.iter().find(|key| !self.get(**key).is_some_and(|s| s.in_backlog)) {
            return Err(format!("{key:?} stands in the backlog and is not of it"));
        }
        if self.dead_order.len() > REMEMBERED || !self.dead_order.iter().all(|id| self.dead.contains_key(id))
        {
            return Err("the remembered ids are too many or not in order (B09)".into());
        }
        for (id, slot) in &self.by_id {
            let named = self.slots.get(index(*slot)).and_then(|stream| stream.id);
            if named.is_none_or(|named| named.get() != *id) {
                return Err(format!("id {id} leads to slot {slot}, which has {named:?}"));
            }
        }
        for (slot, stream) in &self.slots {
            let Some(id) = stream.id.filter(|_| !stream.is_gone()) else { continue };
            if self.by_id.get(&id.get()).is_none_or(|found| index(*found) != slot) {
                return Err(format!("stream {id} in slot {slot} cannot be found by its id"));
            }
        }
        Ok(())
    }

    /// Makes the ids of this side start at `id`, to test what happens when they run out.
    pub(super) fn start_ids_at(&mut self, id: StreamId) {
        self.next_id = Some(id);
    }
}

/// The last id we use, of either parity. The pair above it is never opened.
const LAST_ID: u32 = 0x7FFF_FFFD;

/// An id of ours that is never used: for the frame that everybody ignores.
pub(super) fn filler_id(side: Side) -> Option<StreamId> {
    StreamId::new(match side {
        Side::Client => 0x7FFF_FFFF,
        Side::Server => 0x7FFF_FFFE,
    })
}

/// None for a slot that is no number of 32 bits, of which there is none.
fn key(slot: usize, stream: &Stream) -> Option<StreamKey> {
    Some(StreamKey { slot: u32::try_from(slot).ok()?, serial: stream.serial })
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::BuildHasher;

    use muxado_testkit::wire;

    use super::*;
    use crate::Config;
    use crate::proto::{Batch, Mux, Read};

    thread_local! {
        static LOOKS: Cell<u32> = const { Cell::new(0) };
    }

    /// The hash of both tables, which counts how often one of them is looked into.
    #[derive(Clone, Debug, Default)]
    pub(super) struct RandomState(foldhash::fast::RandomState);

    impl BuildHasher for RandomState {
        type Hasher = <foldhash::fast::RandomState as BuildHasher>::Hasher;

        fn build_hasher(&self) -> Self::Hasher {
            LOOKS.set(LOOKS.get() + 1);
            self.0.build_hasher()
        }
    }

    /// How often the tables are looked into for what comes, and for what is then sent.
    fn looks(mux: &mut Mux, bytes: &[u8]) -> u32 {
        LOOKS.set(0);
        assert_eq!(mux.handle_slice(bytes), bytes.len());
        while mux.poll_event().is_some() {}
        mux.poll_transmit(&mut Batch::contiguous(), usize::MAX);
        LOOKS.get()
    }

    #[test]
    fn no_frame_is_looked_for_more_than_once() {
        let mut mux = Mux::new(Side::Server, &Config::default());
        // With the fourth the table grows, and everybody is put there anew.
        for id in [3, 5, 7, 9] {
            looks(&mut mux, &wire::syn(id, b""));
        }
        assert_eq!(looks(&mut mux, &wire::syn(11, b"")), 2, "it is not there, and is put there");
        let keys: Vec<_> = std::iter::from_fn(|| mux.accept().unwrap()).collect();
        let pieces = [&wire::data(3, &[7; 100])[..], &wire::data(5, &[7; 100])].concat();
        assert_eq!(looks(&mut mux, &pieces), 2, "one for each");
        let (head, rest) = pieces.split_at(50);
        assert_eq!(looks(&mut mux, head) + looks(&mut mux, rest), 2, "whatever the pieces");
        assert_eq!(looks(&mut mux, &wire::wndinc(3, 100)), 1);
        // With what we send ourselves: data, credit, FIN.
        LOOKS.set(0);
        for key in &keys {
            while let Ok(Read::Chunk(_)) = mux.read(*key, usize::MAX) {}
            mux.write(*key, &[7; 100]).unwrap();
            mux.finish(*key).unwrap();
        }
        mux.handle_credit_due();
        mux.poll_transmit(&mut Batch::contiguous(), usize::MAX);
        assert_eq!((LOOKS.get(), mux.stats().frames_sent), (0, 2 + 2 * 5));
        assert_eq!(looks(&mut mux, &wire::fin(3)), 1);
        assert_eq!(looks(&mut mux, &wire::rst(5, 7)), 1);
        LOOKS.set(0);
        for key in keys {
            mux.release_send(key);
            mux.release_recv(key);
        }
        assert_eq!((LOOKS.get(), mux.stats().streams), (5, 0), "each is taken out");
        let mut mux = Mux::new(Side::Client, &Config::default());
        let keys = [mux.open().unwrap(), mux.open().unwrap()];
        keys.iter().for_each(|key| mux.flush(*key).unwrap());
        assert_eq!(looks(&mut mux, b""), 2, "they are put there with their SYNs");
    }

    #[test]
    fn a_slot_is_small_and_the_next_stream_has_the_last_one() {
        assert!(size_of::<Stream>() <= 240, "{} bytes", size_of::<Stream>());
        let (mut streams, mut keys) = with(10);
        let capacity = streams.slots.capacity();
        for _ in 0..1000 {
            let gone = keys[3];
            streams.remove(gone);
            keys[3] = streams.open(1).unwrap();
            assert_eq!((keys[3].slot, keys[3] == gone), (gone.slot, false));
        }
        assert_eq!(streams.slots.capacity(), capacity);
    }

    fn with(count: usize) -> (Streams, Vec<StreamKey>) {
        let mut streams = Streams::new(Side::Client);
        let keys = (0..count).map(|_| streams.open(1).unwrap()).collect();
        (streams, keys)
    }

    #[test]
    fn the_memory_of_many_streams_is_given_back_with_the_last_of_them() {
        let (mut streams, keys) = with(KEPT + 1);
        let many = streams.slots.capacity();
        let (last, others) = keys.split_last().unwrap();
        for key in others {
            assert!(streams.remove(*key).is_some());
        }
        assert_eq!(streams.slots.capacity(), many, "not while one is there");
        assert!(streams.remove(*last).is_some());
        assert_eq!((streams.slots.capacity(), streams.by_id.capacity()), (0, 0));
    }

    #[test]
    fn the_memory_of_few_streams_is_kept_for_the_next() {
        let (mut streams, keys) = with(KEPT);
        assert_eq!(streams.slots.capacity(), KEPT);
        for key in keys {
            streams.remove(key);
        }
        assert_eq!((streams.len(), streams.slots.capacity()), (0, KEPT));
    }
}
