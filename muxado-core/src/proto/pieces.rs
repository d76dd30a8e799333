//! A queue of bytes in pieces: large ones as they are, small ones gathered, so that a byte never costs a buffer.

use std::collections::VecDeque;

use bytes::Bytes;

use super::spare::Spare;

/// Copies are gathered up to this size, in bytes: a frame's worth. No buffer of ours is larger, so that the last
/// byte of a long piece does not keep all of it in memory.
const GATHER: usize = 16 * 1024;

/// The queue's own memory is given back when it is empty and has grown beyond this many pieces.
const KEEP_CAPACITY: usize = 32;

/// Bytes in order, put at the back and taken from the front.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// None in most streams, which get one small message at a time.
    #[expect(clippy::box_collection, reason = "it is there in few streams, and its place in all")]
    whole: Option<Box<VecDeque<Bytes>>>,
    /// Small pieces gathered; comes after all of `whole`.
    tail: Vec<u8>,
    len: usize,
}

/// What a queue of bytes costs beside them.
#[derive(Debug)]
pub(super) struct Held {
    /// Pieces it is cut into.
    pub(super) pieces: usize,
    /// Pieces it has room for.
    pub(super) capacity: usize,
    /// Bytes of memory reserved and not used.
    pub(super) spare: usize,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `piece` without a copy.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.tail.shrink_to_fit();
        self.seal();
        self.len = self.len.saturating_add(piece.len());
        self.whole.get_or_insert_default().push_back(piece);
    }

    /// Appends a copy of `bytes`, gathered with its neighbours; in the memory of `spare`, if it comes alone.
    pub(super) fn push_copy(&mut self, bytes: &[u8], spare: &mut Spare) {
        self.len = self.len.saturating_add(bytes.len());
        if bytes.len() <= self.tail.capacity().saturating_sub(self.tail.len()) {
            self.tail.extend_from_slice(bytes);
        } else {
            self.push_beyond(bytes, spare);
        }
    }

    /// Appends a copy of `bytes`, for which the last buffer has not room enough.
    #[inline(never)]
    fn push_beyond(&mut self, bytes: &[u8], spare: &mut Spare) {
        if self.tail.capacity() == 0 {
            self.tail = spare.take(bytes.len());
        }
        for bytes in bytes.chunks(GATHER) {
            if self.tail.len().saturating_add(bytes.len()) > GATHER {
                self.seal();
            }
            // Most streams get one small piece and no more; many get twice as much each time, up to a full buffer.
            let len = self.tail.len().saturating_add(bytes.len());
            if len > self.tail.capacity() {
                let capacity = self.tail.capacity().saturating_mul(2).min(GATHER).max(len);
                self.tail.reserve_exact(capacity.saturating_sub(self.tail.len()));
            }
            self.tail.extend_from_slice(bytes);
        }
    }

    /// Takes up to `max` bytes in one piece from the front.
    pub(super) fn pop(&mut self, max: usize) -> Option<Bytes> {
        let piece = match self.whole.as_mut().and_then(|whole| Some((whole.front()?.len(), whole))) {
            Some((len, whole)) if len > max => whole.front_mut()?.split_to(max),
            Some((_, whole)) => whole.pop_front()?,
            None if self.tail.is_empty() => return None,
            None => {
                let mut piece = Bytes::from(std::mem::take(&mut self.tail));
                if piece.len() > max {
                    let rest = piece.split_off(max);
                    self.whole.get_or_insert_default().push_back(rest);
                }
                piece
            }
        };
        self.len = self.len.saturating_sub(piece.len());
        self.whole.take_if(|whole| whole.is_empty() && whole.capacity() > KEEP_CAPACITY);
        Some(piece)
    }

    /// Takes out all there is, with its memory, if it is one gathered piece of at most `max` bytes.
    pub(super) fn take_gathered(&mut self, max: usize) -> Option<Vec<u8>> {
        let is_alone = self.len == self.tail.len();
        if !is_alone || self.tail.is_empty() || self.tail.len() > max {
            return None;
        }
        self.len = 0;
        Some(std::mem::take(&mut self.tail))
    }

    /// Gives back the room for pieces that will not come.
    pub(super) fn release(&mut self) {
        self.whole.take_if(|whole| whole.is_empty());
    }

    /// Throws everything away, and says how much it was.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(self).len
    }

    /// Takes everything out, into `pieces`.
    pub(super) fn empty_into(&mut self, pieces: &mut Vec<Bytes>) {
        let Pieces { whole, .. } = std::mem::take(self);
        pieces.extend(whole.into_iter().flat_map(|whole| *whole));
    }

    /// What it costs in memory beyond the bytes themselves, and whether it adds up.
    pub(super) fn audit(&self) -> Result<Held, String> {
        let whole = || self.whole.iter().flat_map(|whole| whole.iter());
        let bytes = whole().map(Bytes::len).sum::<usize>().saturating_add(self.tail.len());
        if bytes != self.len || whole().any(Bytes::is_empty) {
            return Err(format!("a queue says it holds {} bytes, and holds {bytes}", self.len));
        }
        let pieces = whole().count().saturating_add(usize::from(!self.tail.is_empty()));
        Ok(Held {
            pieces,
            capacity: self.whole.as_ref().map_or(0, |whole| whole.capacity()),
            spare: self.tail.capacity().saturating_sub(self.tail.len()),
        })
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let tail = Bytes::from(std::mem::take(&mut self.tail));
            self.whole.get_or_insert_default().push_back(tail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(pieces: &mut Pieces, max: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(piece) = pieces.pop(max) {
            assert!(piece.len() <= max && !piece.is_empty());
            out.extend_from_slice(&piece);
        }
        out
    }

    #[test]
    fn order_is_kept_between_copies_and_whole_pieces() {
        for max in [1, 2, 3, 100] {
            let mut pieces = Pieces::default();
            pieces.push_copy(b"ab", &mut Spare::default());
            pieces.push_copy(b"c", &mut Spare::default());
            pieces.push(Bytes::from_static(b"defg"));
            pieces.push_copy(b"h", &mut Spare::default());
            assert_eq!(pieces.len(), 8);
            assert_eq!(drain(&mut pieces, max), b"abcdefgh");
            assert!(pieces.is_empty());
        }
    }

    #[test]
    fn copies_are_gathered_up_to_16_kib_and_no_further() {
        for (second, buffers) in
            [(GATHER / 2, &[GATHER][..]), (GATHER / 2 + 1, &[GATHER / 2, GATHER / 2 + 1])]
        {
            let mut pieces = Pieces::default();
            pieces.push_copy(&[1; GATHER / 2], &mut Spare::default());
            pieces.push_copy(&vec![2; second], &mut Spare::default());
            let popped = std::iter::from_fn(|| pieces.pop(usize::MAX)).map(|piece| piece.len());
            assert_eq!(popped.collect::<Vec<_>>(), buffers);
        }
    }

    #[test]
    fn an_empty_queue_keeps_room_for_32_pieces_at_the_most() {
        for (count, kept) in [(32, 32), (33, 0)] {
            let whole = Some(Box::new(VecDeque::with_capacity(count)));
            let mut pieces = Pieces { whole, ..Pieces::default() };
            let all: Vec<u8> = (0..count as u8).collect();
            for byte in &all {
                pieces.push(Bytes::copy_from_slice(&[*byte]));
            }
            assert_eq!(drain(&mut pieces, 1), all);
            assert_eq!(pieces.audit().unwrap().capacity, kept);
            pieces.release();
            assert!(pieces.whole.is_none());
        }
    }

    #[test]
    fn s51_a_byte_does_not_cost_a_buffer() {
        let mut pieces = Pieces::default();
        for _ in 0..256 * 1024 {
            pieces.push_copy(b"x", &mut Spare::default());
        }
        let whole = pieces.whole.as_ref().unwrap();
        assert!(whole.len() <= 16, "{} buffers for 256 KiB", whole.len());
        assert!(whole.iter().all(|piece| piece.len() == GATHER));
        assert_eq!(pieces.clear(), 256 * 1024);
        assert!(pieces.is_empty());
    }

    #[test]
    fn a_gathered_piece_that_is_alone_gives_its_memory_to_the_next() {
        let (mut pieces, mut spare) = (Pieces::default(), Spare::default());
        pieces.push_copy(b"first", &mut spare);
        assert_eq!(pieces.take_gathered(4), None, "too long");
        let first = pieces.take_gathered(5).unwrap();
        assert_eq!((&first[..], pieces.len()), (&b"first"[..], 0));
        let place = first.as_ptr();
        spare.keep(first);
        pieces.push_copy(b"next", &mut spare);
        let next = pieces.take_gathered(100).unwrap();
        assert_eq!((&next[..], next.as_ptr()), (&b"next"[..], place));
        pieces.push(Bytes::from_static(b"whole"));
        pieces.push_copy(b"behind", &mut spare);
        assert_eq!(pieces.take_gathered(100), None, "not alone");
        assert_eq!(drain(&mut pieces, 100), b"wholebehind");
        assert_eq!(pieces.take_gathered(100), None, "nothing there");
    }
}
