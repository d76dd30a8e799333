//! Frames on their way out: headers and small payloads in one arena, large payloads beside it.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Payloads up to this size are copied next to their header, in bytes: cheaper than a slice of their own.
pub(super) const COPY_UP_TO: usize = 1024;

/// What the arena keeps while there is nothing to send, in bytes.
const KEEP: usize = 4096;

/// How many entries each of the lists beside it has room for then: some 4 KiB.
const KEEP_ENTRIES: usize = 128;

/// Encoded frames in order, written and taken off from the front.
///
/// Everything in one slice, or large payloads as slices of their own, which are never copied.
///
/// ```
/// use std::io::{self, Write};
///
/// use muxado_core::proto::{Batch, Mux};
///
/// fn transmit(mux: &mut Mux, batch: &mut Batch, transport: &mut impl Write) -> io::Result<()> {
///     mux.poll_transmit(batch, 64 * 1024);
///     while !batch.is_empty() {
///         let taken = transport.write(batch.slices().next().unwrap_or_default())?; // perhaps not all
///         batch.advance(taken);
///         mux.handle_written(taken);
///     }
///     Ok(())
/// }
/// # use muxado_core::{Config, Side};
/// # let mut mux = Mux::new(Side::Client, &Config::default());
/// # let stream = mux.open().unwrap();
/// # mux.write(stream, b"hello").unwrap();
/// # let (mut batch, mut wire) = (Batch::vectored(), Vec::new());
/// # transmit(&mut mux, &mut batch, &mut wire).unwrap();
/// # assert_eq!(wire, b"\x00\x00\x05\x12\x00\x00\x00\x03hello");
/// ```
#[derive(Debug)]
pub struct Batch {
    contiguous: bool,
    arena: Vec<u8>,
    /// How much of the arena is in `parts` or gone.
    sealed: usize,
    parts: VecDeque<Part>,
    /// Payloads that were copied, until the owner drops them.
    copied: Vec<Bytes>,
    len: usize,
}

/// Never empty.
#[derive(Debug)]
enum Part {
    Arena { start: usize, end: usize },
    Payload(Bytes),
}

impl Batch {
    /// An empty batch that will be one slice, for transports on which a vectored write is no better than its first slice.
    #[must_use]
    pub fn contiguous() -> Batch {
        Batch::new(true)
    }

    /// An empty batch whose large payloads will be slices of their own, for transports that take many slices at once.
    #[must_use]
    pub fn vectored() -> Batch {
        Batch::new(false)
    }

    fn new(contiguous: bool) -> Batch {
        Batch { contiguous, arena: Vec::new(), sealed: 0, parts: VecDeque::new(), copied: Vec::new(), len: 0 }
    }

    /// Bytes not taken off yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether every byte was taken off.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, in order, in slices none of which is empty.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Arena { start, end } => self.arena.get(*start..*end).unwrap_or(&[]),
            Part::Payload(payload) => payload.as_ref(),
        });
        let open = self.arena.get(self.sealed..).filter(|open| !open.is_empty());
        parts.chain(open)
    }

    /// Takes `count` bytes off the front: they were written. More than there are counts as all. Drops payloads, those that
    /// were copied among them.
    pub fn advance(&mut self, count: usize) {
        let mut count = count.min(self.len);
        self.len = self.len.saturating_sub(count);
        while count > 0 {
            let Some(part) = self.parts.front_mut() else {
                self.sealed = self.sealed.saturating_add(count).min(self.arena.len());
                break;
            };
            let left = match part {
                Part::Arena { start, end } => {
                    let taken = count.min(end.saturating_sub(*start));
                    *start = start.saturating_add(taken);
                    count = count.saturating_sub(taken);
                    end.saturating_sub(*start)
                }
                Part::Payload(payload) => {
                    let taken = count.min(payload.len());
                    payload.advance(taken);
                    count = count.saturating_sub(taken);
                    payload.len()
                }
            };
            if left == 0 {
                self.parts.pop_front();
            }
        }
        self.copied.clear();
        if self.len == 0 {
            self.parts.clear();
            self.arena.clear();
            self.sealed = 0;
        }
    }

    /// Drops the payloads that were copied into the batch. `Bytes` may run an owner's code when they are dropped, so that
    /// it is left to the caller when; until then they only cost memory.
    pub fn drop_copied(&mut self) {
        self.copied.clear();
    }

    /// Gives back memory that an idle session has no use for. Call it when there is nothing to send.
    pub fn shrink(&mut self) {
        if self.is_empty() && self.arena.capacity() > KEEP {
            self.arena.shrink_to(KEEP);
            self.parts.shrink_to(KEEP_ENTRIES);
            self.copied.shrink_to(KEEP_ENTRIES);
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > self.arena.capacity().saturating_sub(self.arena.len()) {
            self.reclaim();
        }
        self.arena.extend_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    /// Takes what was written off the front of the arena, where that is at least half of it: a batch that is filled again
    /// before it is empty, time after time, would else grow without end.
    #[cold]
    fn reclaim(&mut self) {
        let starts = self.parts.iter().find_map(|part| match part {
            Part::Arena { start, .. } => Some(*start),
            Part::Payload(_) => None,
        });
        let gone = starts.unwrap_or(self.sealed);
        if gone < self.arena.len() / 2 {
            return;
        }
        self.arena.drain(..gone);
        self.sealed = self.sealed.saturating_sub(gone);
        for part in &mut self.parts {
            if let Part::Arena { start, end } = part {
                (*start, *end) = (start.saturating_sub(gone), end.saturating_sub(gone));
            }
        }
    }

    pub(super) fn put_payload(&mut self, payload: Bytes) {
        if self.contiguous || payload.len() <= COPY_UP_TO {
            self.put(&payload);
            self.copied.push(payload);
            return;
        }
        if self.sealed < self.arena.len() {
            self.parts.push_back(Part::Arena { start: self.sealed, end: self.arena.len() });
            self.sealed = self.arena.len();
        }
        self.len = self.len.saturating_add(payload.len());
        self.parts.push_back(Part::Payload(payload));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(contiguous: bool) -> (Batch, Vec<u8>) {
        let mut batch = Batch::new(contiguous);
        let mut all = Vec::new();
        for (head, payload) in [(&b"one"[..], 5), (b"two", 3000), (b"three", 2000), (b"four", 0)] {
            let payload = vec![head[0]; payload];
            batch.put(head);
            batch.put_payload(Bytes::from(payload.clone()));
            all.extend_from_slice(head);
            all.extend_from_slice(&payload);
        }
        (batch, all)
    }

    #[test]
    fn w18_headers_ride_with_their_payloads() {
        let (batch, all) = filled(false);
        assert_eq!(batch.len(), all.len());
        assert_eq!(batch.slices().count(), 5, "two large payloads with what is between them");
        assert_eq!(batch.slices().collect::<Vec<_>>().concat(), all);
        let (batch, all) = filled(true);
        assert_eq!(batch.slices().collect::<Vec<_>>(), [&all[..]]);
    }

    #[test]
    fn f02_any_partial_write_leaves_the_rest() {
        for contiguous in [false, true] {
            for step in [1, 2, 3, 7, 100, 2999, 5000, 9999] {
                let (mut batch, all) = filled(contiguous);
                let mut done = 0;
                while !batch.is_empty() {
                    assert_eq!(batch.slices().collect::<Vec<_>>().concat(), all[done..], "step {step}");
                    batch.advance(step);
                    done = (done + step).min(all.len());
                    if done == step {
                        batch.put(b"");
                    }
                }
                assert_eq!(batch.slices().count(), 0);
                batch.put(b"again");
                assert_eq!(batch.slices().collect::<Vec<_>>(), [b"again"]);
            }
        }
    }

    #[test]
    fn b15_a_batch_that_is_never_empty_holds_what_is_in_it_and_no_more_than_as_much_again() {
        for contiguous in [false, true] {
            let (mut batch, mut wanted) = (Batch::new(contiguous), Vec::new());
            for round in 0..1000_usize {
                for len in [8, 900, 8, 2000 * (round % 2)] {
                    let payload = vec![(round % 251) as u8; len];
                    wanted.extend_from_slice(&payload);
                    match len {
                        8 => batch.put(&payload),
                        _ => batch.put_payload(Bytes::from(payload)),
                    }
                }
                let taken = wanted.len() - round % 3 - 1;
                batch.advance(taken);
                wanted.drain(..taken);
                assert_eq!(batch.slices().collect::<Vec<_>>().concat(), wanted, "round {round}");
                assert!(batch.arena.capacity() <= 4 * 3000, "{} bytes", batch.arena.capacity());
                assert!(batch.copied.is_empty() && batch.parts.len() <= 1);
            }
        }
    }

    #[test]
    fn no_slice_is_empty() {
        let mut batch = Batch::vectored();
        for len in [1025, 1025, 0] {
            batch.put_payload(Bytes::from(vec![7; len]));
        }
        assert_eq!(batch.slices().map(<[u8]>::len).collect::<Vec<_>>(), [1025, 1025]);
    }

    #[test]
    fn a_copied_payload_is_let_go_of_when_the_owner_says_so() {
        let payload = Bytes::from(vec![7; 10]);
        let mut batch = Batch::vectored();
        batch.put_payload(payload.clone());
        assert!(!payload.is_unique());
        batch.drop_copied();
        assert!(payload.is_unique());
        assert_eq!(batch.slices().collect::<Vec<_>>(), [[7; 10]]);
    }

    #[test]
    fn memory_beyond_4_kib_is_given_back_once_all_is_written() {
        for (capacity, kept) in [(4095, 4095), (4096, 4096), (4097, 4096)] {
            let mut batch = Batch { arena: Vec::with_capacity(capacity), ..Batch::contiguous() };
            batch.put(b"unwritten");
            batch.shrink();
            assert_eq!(batch.slices().collect::<Vec<_>>(), [b"unwritten"]);
            assert_eq!(batch.arena.capacity(), capacity);
            batch.advance(9);
            batch.shrink();
            assert_eq!(batch.arena.capacity(), kept);
        }
    }

    #[test]
    fn lists_of_payloads_are_given_back_with_it() {
        let mut batch = Batch::vectored();
        for _ in 0..300 {
            batch.put_payload(Bytes::from_static(&[7; COPY_UP_TO]));
            batch.put_payload(Bytes::from_static(&[7; COPY_UP_TO + 1]));
        }
        assert!(batch.parts.capacity() >= 600 && batch.copied.capacity() >= 300);
        batch.advance(batch.len());
        batch.shrink();
        assert!(batch.parts.capacity() <= KEEP_ENTRIES && batch.copied.capacity() <= KEEP_ENTRIES);
    }
}
