//! One direction of the link: bytes under way.

use std::collections::VecDeque;

use super::choices::Choices;

/// Bytes on their way to one side.
#[derive(Debug, Default)]
pub(super) struct Lane {
    bytes: VecDeque<u8>,
    /// Nothing more will be put in.
    pub(super) closed: bool,
    /// It stopped somewhere: what is put in is lost.
    broken: bool,
    /// The receiver has seen the end.
    pub(super) told: bool,
}

impl Lane {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.bytes.extend(bytes);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next bytes, at most `most` of them.
    pub(super) fn front(&mut self, most: usize) -> &[u8] {
        let all = self.bytes.make_contiguous();
        &all[..most.min(all.len())]
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.bytes.drain(..count);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Ends it behind so many bytes.
    pub(super) fn cut(&mut self, at: usize) {
        self.bytes.truncate(at);
        self.closed = true;
        self.broken = true;
    }

    /// Changes some bytes, and says how.
    pub(super) fn spoil(&mut self, choices: &mut Choices<'_>) -> String {
        if self.bytes.is_empty() {
            return "nothing to spoil".into();
        }
        let at = choices.below(self.bytes.len());
        match choices.below(4) {
            0 => {
                self.bytes[at] ^= 1 << choices.below(8);
                format!("byte {at} flipped")
            }
            1 => {
                let count = choices.within(1, 16).min(self.bytes.len() - at);
                self.bytes.drain(at..at + count);
                format!("{count} bytes lost at {at}")
            }
            2 => {
                let count = choices.within(1, 16);
                for _ in 0..count {
                    let byte = u8::try_from(choices.below(256)).unwrap_or(0);
                    self.bytes.insert(at, byte);
                }
                format!("{count} bytes more at {at}")
            }
            _ => {
                let count = choices.within(1, 64).min(self.bytes.len() - at);
                let again: Vec<u8> = self.bytes.range(at..at + count).copied().collect();
                for byte in again.into_iter().rev() {
                    self.bytes.insert(at, byte);
                }
                format!("{count} bytes twice at {at}")
            }
        }
    }
}
