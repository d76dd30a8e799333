//! Buffers that go round, for reading and for copies of what is written.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Buffers of one size.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) size: usize,
    /// How far behind the beginning of a page they begin.
    offset: usize,
    free: Mutex<Vec<Vec<u8>>>,
}

/// For one read.
pub(crate) static READ: Pool = Pool { size: 256 * 1024, offset: 0, free: Mutex::new(Vec::new()) };

/// For one copy.
pub(crate) static WRITE: Pool = Pool { size: 64 * 1024, offset: PAGE / 2, free: Mutex::new(Vec::new()) };

/// The kernel's copy is slow between places that are nearly the same modulo a page, and its own buffers begin at one.
const PAGE: usize = 4096;

/// Buffers kept.
const KEEP: usize = 16;

/// A buffer that goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    pool: &'static Pool,
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Pool {
    /// A buffer with anything in it.
    pub(crate) fn take(&'static self) -> Buffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = free.unwrap_or_else(|| vec![0; self.size + self.offset + PAGE]);
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE) + self.offset;
        Buffer { pool: self, bytes, start, len: self.size }
    }
}

impl Buffer {
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }

    /// The first `len` bytes, without a copy.
    pub(crate) fn share(mut self, len: usize) -> Bytes {
        self.len = len;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEEP {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}
