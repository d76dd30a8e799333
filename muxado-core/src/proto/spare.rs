//! The memory of the last small messages, for the next ones: those that come and go cost no allocation.

use std::collections::VecDeque;

/// Memory is kept up to this size, in bytes: what is larger costs little beside its bytes.
const MOST: usize = 512;

/// All of it together, in bytes: enough for a message of usual size on each of many streams.
const KEPT: usize = 8 * 1024;

/// So many buffers are looked at for one that fits.
const LOOKS: usize = 8;

/// A few buffers. Each direction of a session has some.
#[derive(Debug, Default)]
pub(super) struct Spare {
    /// The last one given back: messages that come one by one need no other.
    last: Vec<u8>,
    others: VecDeque<Vec<u8>>,
    /// What these have room for, in bytes.
    room: usize,
}

impl Spare {
    /// An empty buffer, with room for `len` bytes if there is one that has not room for many more: what waits must not
    /// hold much more memory than itself.
    pub(super) fn take(&mut self, len: usize) -> Vec<u8> {
        if fits(&self.last, len) {
            return std::mem::take(&mut self.last);
        }
        if self.others.is_empty() { Vec::new() } else { self.take_other(len) }
    }

    /// Keeps the memory of a message that is gone, in place of what has been kept for longest.
    pub(super) fn keep(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= MOST {
            buffer.clear();
            let before = std::mem::replace(&mut self.last, buffer);
            if before.capacity() > 0 {
                self.keep_other(before);
            }
        }
    }

    #[inline(never)]
    fn take_other(&mut self, len: usize) -> Vec<u8> {
        let last = self.others.len().saturating_sub(1);
        let found = self.others.iter().rev().take(LOOKS).position(|buffer| fits(buffer, len));
        let taken = found.and_then(|behind| self.others.swap_remove_back(last.saturating_sub(behind)));
        let buffer = taken.unwrap_or_default();
        self.room = self.room.saturating_sub(buffer.capacity());
        buffer
    }

    #[inline(never)]
    fn keep_other(&mut self, buffer: Vec<u8>) {
        self.room = self.room.saturating_add(buffer.capacity());
        self.others.push_back(buffer);
        while self.room.saturating_add(MOST) > KEPT {
            let oldest = self.others.pop_front().map_or(0, |buffer| buffer.capacity());
            self.room = self.room.saturating_sub(oldest);
        }
    }
}

/// Whether a buffer has room for `len` bytes, and not for many more.
fn fits(buffer: &Vec<u8>, len: usize) -> bool {
    buffer.capacity() >= len && buffer.capacity() / 2 <= len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(capacities: &[usize]) -> Spare {
        let mut spare = Spare::default();
        capacities.iter().for_each(|capacity| spare.keep(Vec::with_capacity(*capacity)));
        spare
    }

    #[test]
    fn b37_memory_goes_to_messages_of_about_its_size() {
        for (len, fits) in [(31, false), (32, true), (64, true), (65, false)] {
            assert_eq!(with(&[64]).take(len).capacity(), if fits { 64 } else { 0 }, "{len}");
        }
    }

    #[test]
    fn b37_a_small_one_is_kept_and_empty() {
        let mut spare = Spare::default();
        spare.keep(vec![1; MOST]);
        spare.keep(vec![1; MOST + 1]);
        let taken = spare.take(MOST);
        assert_eq!((taken.len(), taken.capacity()), (0, MOST));
        assert_eq!(spare.take(MOST).capacity(), 0, "it is given once");
    }

    #[test]
    fn b37_the_last_ones_are_kept_as_far_as_8_kib_go() {
        let mut spare = with(&[100; 50]);
        (0..20).for_each(|_| spare.keep(Vec::with_capacity(MOST)));
        assert_eq!((spare.others.len(), spare.room), (15, KEPT - MOST));
        assert_eq!(spare.take(100).capacity(), 0, "those before are gone");
        assert!((0..16).all(|_| spare.take(MOST).capacity() == MOST));
        assert_eq!((spare.room, spare.take(MOST).capacity()), (0, 0));
    }

    #[test]
    fn b37_one_that_fits_is_found_among_a_few() {
        let mut spare = with(&[300, 64, 300, 300]);
        assert_eq!([64, 64, 300].map(|len| spare.take(len).capacity()), [64, 0, 300]);
        assert_eq!((spare.others.len(), spare.room), (2, 600));
    }
}
