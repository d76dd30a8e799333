//! The memory of the last small messages, for the next ones: those that come and go cost no allocation.

/// Memory is kept up to this size, in bytes: what is larger costs little beside its bytes.
pub(super) const MOST: usize = 512;

/// All of it together, in bytes: enough for a message of usual size on each of many streams.
const KEPT: usize = 8 * 1024;

/// A smaller one counts as this, in bytes: it takes no less, with its place, and there could be thousands.
const LEAST: usize = 32;

/// So many buffers are looked at for one that fits.
const LOOKS: usize = 8;

/// A few buffers. Each direction of a session has some.
#[derive(Debug, Default)]
pub(super) struct Spare {
    /// The last one given back is the last.
    buffers: Vec<Vec<u8>>,
    /// What they count as, in bytes.
    room: usize,
}

impl Spare {
    /// An empty buffer, with room for `len` bytes if there is one that has not room for many more: what waits must not
    /// hold much more memory than itself.
    pub(super) fn take(&mut self, len: usize) -> Vec<u8> {
        let found = self.buffers.iter().enumerate().rev().take(LOOKS).find(|(_, buffer)| fits(buffer, len));
        let Some((place, _)) = found else { return Vec::new() };
        let buffer = self.buffers.swap_remove(place);
        self.room = self.room.saturating_sub(room(&buffer));
        buffer
    }

    /// Keeps the memory of a message that is gone, in place of what has been kept for longest.
    pub(super) fn keep(&mut self, mut buffer: Vec<u8>) {
        if !(1..=MOST).contains(&buffer.capacity()) {
            return;
        }
        buffer.clear();
        self.room = self.room.saturating_add(room(&buffer));
        self.buffers.push(buffer);
        while self.room > KEPT {
            self.room = self.room.saturating_sub(room(&self.buffers.remove(0)));
        }
    }
}

/// Whether a buffer has room for `len` bytes, and not for many more.
fn fits(buffer: &Vec<u8>, len: usize) -> bool {
    buffer.capacity() >= len && buffer.capacity() / 2 <= len
}

/// What a buffer counts as, in bytes.
fn room(buffer: &Vec<u8>) -> usize {
    buffer.capacity().max(LEAST)
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
        assert_eq!((spare.buffers.len(), spare.room), (16, KEPT));
        assert_eq!(spare.take(100).capacity(), 0, "those before are gone");
        assert!((0..16).all(|_| spare.take(MOST).capacity() == MOST));
        assert_eq!((spare.room, spare.take(MOST).capacity()), (0, 0));
    }

    /// Nine messages at a time hide what was kept before from whoever looks for a buffer of a byte.
    #[test]
    fn b37_buffers_of_a_byte_do_not_pile_up() {
        let mut spare = Spare::default();
        for _ in 0..2000 {
            for (count, len) in [(1, 1), (9, 4)] {
                let mut taken: Vec<_> = (0..count).map(|_| spare.take(len)).collect();
                taken.iter_mut().for_each(|buffer| buffer.reserve_exact(len));
                taken.into_iter().for_each(|buffer| spare.keep(buffer));
            }
        }
        assert_eq!((spare.buffers.len(), spare.room), (KEPT / LEAST, KEPT));
    }

    #[test]
    fn b37_one_that_fits_is_found_among_a_few() {
        let mut spare = with(&[300, 64, 300, 300]);
        assert_eq!([64, 64, 300].map(|len| spare.take(len).capacity()), [64, 0, 300]);
        assert_eq!((spare.buffers.len(), spare.room), (2, 600));
    }
}
