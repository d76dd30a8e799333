//! The memory of the last small message, for the next one: those that come and go one by one cost no allocation.

/// Memory is kept up to this size, in bytes: what is larger costs little beside its bytes.
const MOST: usize = 512;

/// One buffer, or none. Each direction of a session has one.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<u8>);

impl Spare {
    /// An empty buffer, with room for `len` bytes if there is one that has not room for many more: what waits must not
    /// hold much more memory than itself.
    pub(super) fn take(&mut self, len: usize) -> Vec<u8> {
        let room = self.0.capacity();
        match room >= len && room / 2 <= len {
            true => std::mem::take(&mut self.0),
            false => Vec::new(),
        }
    }

    /// Keeps the memory of a message that is gone, in place of what was kept before.
    pub(super) fn keep(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= MOST {
            buffer.clear();
            self.0 = buffer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b37_memory_goes_to_messages_of_about_its_size() {
        for (len, fits) in [(31, false), (32, true), (64, true), (65, false)] {
            let mut spare = Spare(Vec::with_capacity(64));
            assert_eq!(spare.take(len).capacity(), if fits { 64 } else { 0 }, "{len}");
        }
    }

    #[test]
    fn b37_the_last_small_one_is_kept_and_empty() {
        let mut spare = Spare::default();
        spare.keep(vec![1; MOST]);
        spare.keep(vec![1; MOST + 1]);
        let taken = spare.take(MOST);
        assert_eq!((taken.len(), taken.capacity()), (0, MOST));
        assert_eq!(spare.take(MOST).capacity(), 0, "it is given once");
    }
}
