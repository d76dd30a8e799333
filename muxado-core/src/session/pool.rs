//! Buffers that go round: for reading from the transport and for copying what is written.
//!
//! A pool belongs to the process, not to a session, so that an idle session holds nothing (B01). What it keeps is
//! bounded; what is out is bounded by the sessions' own limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A stack of initialised buffers of one size. The last one given back is the hottest and goes out first.
#[derive(Debug)]
pub(crate) struct Pool {
    size: usize,
    keep: usize,
    /// How far behind the beginning of a page buffers begin.
    offset: usize,
    free: Mutex<Vec<Box<[u8]>>>,
}

/// One transport read, in bytes. Fixed: never sized by a length from the wire (B01).
pub(crate) static READ: Pool = Pool::new(256 * 1024, 8, 0);

/// One copied write, in bytes.
pub(crate) static WRITE: Pool = Pool::new(64 * 1024, 16, PAGE / 2);

/// One copied write of a frame's worth, in bytes: many writers together mostly have room for no more.
pub(crate) static PIECE: Pool = Pool::new(16 * 1024, 64, PAGE / 2);

/// What the places of buffers are counted from, in bytes.
///
/// The string instruction that copies in the kernel takes a target less than 32 bytes ahead of its source, modulo 4 KiB, for
/// one that overlaps it, and is five times slower then, on common processors. What a socket holds mostly begins at a page,
/// and a large allocation 16 bytes behind one, so that reading into it is that case. Read buffers therefore begin at a page;
/// written ones amid it, since behind a frame's header the target is 8 bytes ahead of a page.
const PAGE: usize = 4096;

impl Pool {
    const fn new(size: usize, keep: usize, offset: usize) -> Pool {
        Pool { size, keep, offset, free: Mutex::new(Vec::new()) }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A buffer of the pool's size, with anything in it.
    pub(crate) fn take(&'static self) -> Buffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = free.unwrap_or_else(|| vec![0; self.size + PAGE + self.offset].into_boxed_slice());
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE) + self.offset;
        Buffer { pool: self, bytes, start }
    }
}

/// A buffer that goes back to its pool when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    pool: &'static Pool,
    /// As long as the pool's size, its offset and a page.
    bytes: Box<[u8]>,
    /// Where the buffer begins in them: at most a page and the offset behind their beginning.
    start: usize,
}

impl Buffer {
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.pool.size]
    }

    /// The first `len` bytes as `Bytes`, without a copy. The buffer goes back when the last slice is dropped; until
    /// then `pinned` counts its size.
    pub(crate) fn share(self, len: usize, pinned: Option<Arc<AtomicUsize>>) -> Bytes {
        if let Some(pinned) = &pinned {
            pinned.fetch_add(self.pool.size, Ordering::Relaxed);
        }
        Bytes::from_owner(Shared { buffer: self, len, pinned })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.pool.keep {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

struct Shared {
    buffer: Buffer,
    len: usize,
    pinned: Option<Arc<AtomicUsize>>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.buffer.bytes[self.buffer.start..self.buffer.start + self.len]
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(pinned) = &self.pinned {
            pinned.fetch_sub(self.buffer.pool.size, Ordering::Relaxed);
        }
    }
}
