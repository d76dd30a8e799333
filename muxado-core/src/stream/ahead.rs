//! What a small read took out of the session beyond what was asked for: the next ones need no lock.

use std::fmt;

use bytes::{Buf, Bytes};

/// A read of less takes out up to this much, in bytes, if the piece at the front has it.
pub(super) const AHEAD: usize = 4096;

/// Bytes that come before all that the session holds for the stream. In most streams there never are any.
#[derive(Default)]
pub(super) struct Ahead(Option<Box<Bytes>>);

impl Ahead {
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// Keeps a piece, for when there is none.
    pub(super) fn keep(&mut self, piece: Bytes) {
        **self.0.get_or_insert_default() = piece;
    }

    /// Takes out up to `max` bytes. None if there are none.
    pub(super) fn pop(&mut self, max: usize) -> Option<Bytes> {
        let bytes = self.bytes()?;
        Some(bytes.split_to(max.min(bytes.len())))
    }

    /// Gives up to `max` bytes to `take`, which has had them even if it panics. Returns how many: 0 if there are none, and
    /// nothing is given then.
    pub(super) fn give(&mut self, max: usize, take: &mut impl FnMut(&[u8])) -> usize {
        let Some(bytes) = self.bytes() else { return 0 };
        let len = max.min(bytes.len());
        let given = Given { bytes, len };
        take(&given.bytes[..len]);
        len
    }

    fn bytes(&mut self) -> Option<&mut Bytes> {
        self.0.as_deref_mut().filter(|bytes| !bytes.is_empty())
    }
}

/// How much there is: who prints a stream does not ask for what it carries.
impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ahead").field(&self.len()).finish()
    }
}

/// The first `len` of some bytes, which are gone afterwards, and their memory with the last of them.
struct Given<'a> {
    bytes: &'a mut Bytes,
    len: usize,
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        match self.len < self.bytes.len() {
            true => self.bytes.advance(self.len),
            // Empty bytes would still hold their buffer.
            false => *self.bytes = Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn b38_what_was_all_read_holds_no_buffer() {
        type Take = fn(&mut Ahead, usize);
        let takes: [Take; 2] =
            [|ahead, max| _ = ahead.give(max, &mut |_| {}), |ahead, max| _ = ahead.pop(max)];
        for take in takes {
            let (buffer, mut ahead): (Arc<[u8]>, _) = (Arc::new([7; 100]), Ahead::default());
            ahead.keep(Bytes::from_owner(buffer.clone()));
            take(&mut ahead, 99);
            assert_eq!((ahead.len(), Arc::strong_count(&buffer)), (1, 2));
            take(&mut ahead, 99);
            assert_eq!((ahead.len(), Arc::strong_count(&buffer)), (0, 1));
        }
    }
}
