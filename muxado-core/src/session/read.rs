//! Transport to machine: read, hand on, and never wait for anybody.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_io::AsyncRead;

use super::pool::{self, Buffer};
use super::retry::retry;
use super::shared::Shared;
use super::wakers::WakeList;
use crate::proto::Mux;

/// Reads shorter than this are copied, in bytes: not worth a shared buffer.
const SHARE_FROM: usize = 4096;

/// What shared buffers may hold in memory beyond twice the unread bytes (S51).
const PIN_ALLOWANCE: usize = 1024 * 1024;

/// What shared buffers may hold in memory at the most, in bytes (B03). Unread bytes that were many when the buffers
/// were shared may be few later, and what is left of each still holds all of it.
const PIN_MOST: usize = 8 * 1024 * 1024;

/// From here on it takes longer to read or to send bytes than to let another task run, in bytes.
const MUCH: usize = 16 * 1024;

/// The reading half of the driver.
#[derive(Debug)]
pub(crate) struct ReadHalf<R> {
    io: R,
    /// Bytes read that the machine has not taken yet: it takes a bounded number of frames at a time.
    rest: Bytes,
    /// The machine may keep slices of them: their buffer counts in `pinned`.
    shareable: bool,
    /// The size of all read buffers that slices still point into.
    pinned: Arc<AtomicUsize>,
    /// What was unread when the machine was last asked.
    unread: usize,
    /// A buffer of the pool's, while the driver is being polled.
    buffer: Option<Buffer>,
    /// The machine wants to know the time.
    pub(crate) wants_time: bool,
}

/// What one step of reading came to.
#[derive(Debug)]
pub(crate) enum ReadStep {
    /// The machine took something.
    Handled(Handled),
    /// The transport has nothing now.
    Pending,
    /// The transport has ended, cleanly or not.
    Ended(Option<io::Error>),
}

/// What the machine took, and what that leaves to do.
#[derive(Debug, Default)]
pub(crate) struct Handled {
    pub(crate) bytes: usize,
    /// The frames that began in them.
    pub(crate) frames: usize,
    /// Nothing is to be sent, and whoever has something will wake the driver.
    pub(crate) is_quiet: bool,
    /// Somebody waits for a small message that has come, and there is much else to do.
    pub(crate) gives_way: bool,
}

impl<R: AsyncRead + Unpin> ReadHalf<R> {
    pub(crate) fn new(io: R, wants_time: bool) -> ReadHalf<R> {
        ReadHalf {
            io,
            rest: Bytes::new(),
            shareable: false,
            pinned: Arc::default(),
            unread: 0,
            buffer: None,
            wants_time,
        }
    }

    /// Reads once and lets the machine handle it, which is told the time if it wants to know.
    pub(crate) fn step(&mut self, cx: &mut Context<'_>, shared: &Shared, woken: &mut WakeList) -> ReadStep {
        if !self.rest.is_empty() {
            return self.handle_rest(cx, shared, woken);
        }
        let mut buffer = self.buffer.take().unwrap_or_else(|| pool::READ.take());
        let len = match poll_read(&mut self.io, cx, buffer.bytes()) {
            Poll::Pending => {
                self.buffer = Some(buffer);
                return ReadStep::Pending;
            }
            Poll::Ready(Ok(0)) => return ReadStep::Ended(None),
            Poll::Ready(Ok(len)) => len,
            Poll::Ready(Err(error)) => return ReadStep::Ended(Some(error)),
        };
        let pinned = self.pinned.load(Ordering::Relaxed) + pool::READ.size();
        if len >= SHARE_FROM && pinned <= PIN_MOST.min(2 * self.unread + PIN_ALLOWANCE) {
            self.rest = buffer.share(len, Some(self.pinned.clone()));
            self.shareable = true;
            return self.handle_rest(cx, shared, woken);
        }
        let bytes = &buffer.bytes()[..len];
        let (taken, step) = self.hand_on(cx, shared, woken, |mux| mux.handle_slice(bytes));
        if taken < len {
            self.rest = Bytes::copy_from_slice(&bytes[taken..]);
            self.shareable = false;
        }
        self.buffer = Some(buffer);
        step
    }

    /// Gives the buffer back: an idle session has none (B01).
    pub(crate) fn give_back(&mut self) {
        self.buffer = None;
    }

    /// Reads and throws away, for a session that has said goodbye: a transport closed with unread bytes may take
    /// back what was sent (S81).
    pub(crate) fn discard(&mut self, cx: &mut Context<'_>) -> ReadStep {
        let buffer = self.buffer.get_or_insert_with(|| pool::READ.take());
        match poll_read(&mut self.io, cx, buffer.bytes()) {
            Poll::Pending => ReadStep::Pending,
            Poll::Ready(Ok(0)) => ReadStep::Ended(None),
            Poll::Ready(Ok(bytes)) => ReadStep::Handled(Handled { bytes, ..Handled::default() }),
            Poll::Ready(Err(error)) => ReadStep::Ended(Some(error)),
        }
    }

    fn handle_rest(&mut self, cx: &Context<'_>, shared: &Shared, woken: &mut WakeList) -> ReadStep {
        let rest = std::mem::take(&mut self.rest);
        let shareable = self.shareable;
        let (taken, step) = self.hand_on(cx, shared, woken, |mux| match shareable {
            true => mux.handle_bytes(&rest),
            false => mux.handle_slice(&rest),
        });
        if taken < rest.len() {
            self.rest = rest;
            self.rest.advance(taken);
        }
        step
    }

    /// How much of what was read the machine took, and what that came to.
    fn hand_on(
        &mut self,
        cx: &Context<'_>,
        shared: &Shared,
        woken: &mut WakeList,
        handle: impl FnOnce(&mut Mux) -> usize,
    ) -> (usize, ReadStep) {
        let now = self.wants_time.then(|| shared.age());
        shared.with_driver(woken, |state| {
            let mux = &mut state.mux;
            if let Some(now) = now {
                mux.handle_time(now);
            }
            let before = mux.frames_received();
            let taken = handle(mux);
            self.unread = mux.unread();
            self.wants_time = mux.wants_time();
            let handled = Handled {
                bytes: taken,
                frames: (mux.frames_received() - before) as usize,
                gives_way: mux.take_told_small() && taken.max(mux.sendable()) >= MUCH,
                is_quiet: state.is_quiet(cx.waker()),
            };
            (taken, ReadStep::Handled(handled))
        })
    }
}

/// A read that does not trust the transport: interruptions are tried again, impossible lengths are errors (S94).
fn poll_read<R: AsyncRead + Unpin>(
    io: &mut R,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    match retry(|| Pin::new(&mut *io).poll_read(cx, buffer)) {
        Poll::Ready(Ok(len)) if len > buffer.len() => {
            Poll::Ready(Err(io::Error::other("the transport says it read more than it was asked for")))
        }
        other => other,
    }
}
