//! Machine to transport: pull a batch, write it, flush when there is nothing left.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_io::AsyncWrite;

use super::retry::retry;
use super::stock::Stock;
use crate::proto::Batch;

/// Slices handed to the transport in one vectored call: enough for a full batch of default frames, twice.
const MAX_SLICES: usize = 64;

/// Calls of the transport in one go: one that takes a few bytes at a time must not keep other tasks from their turn.
const MAX_CALLS: usize = 256;

/// The writing half of the driver.
#[derive(Debug)]
pub(crate) struct WriteHalf<W> {
    /// None once it is closed: some, such as a child's standard input, only close when they are dropped.
    io: Option<W>,
    pub(crate) batch: Batch,
    /// The transport has taken bytes since it was last flushed.
    unflushed: bool,
    /// The transport took no more when it was last asked to.
    pub(crate) is_full: bool,
    /// Bytes the transport has taken that the machine has not been told of.
    pub(crate) unreported: usize,
    /// Bounds what the transport holds unsent.
    unsent: Option<fn(&W, u32)>,
    stock: Option<Box<Stock>>,
}

impl<W: AsyncWrite + Unpin> WriteHalf<W> {
    pub(crate) fn new(io: W) -> WriteHalf<W> {
        WriteHalf {
            io: Some(io),
            batch: Batch::contiguous(),
            unflushed: false,
            is_full: false,
            unreported: 0,
            unsent: None,
            stock: None,
        }
    }

    /// Chooses vectored or contiguous writes. For before the first write: a batch under way is left as it is.
    pub(crate) fn set_vectored(&mut self, vectored: bool) {
        if self.batch.is_empty() {
            self.batch = if vectored { Batch::vectored() } else { Batch::contiguous() };
        }
    }

    pub(crate) fn set_unsent(&mut self, unsent: fn(&W, u32)) {
        self.unsent = Some(unsent);
    }

    /// Keeps what the transport holds unsent within its bounds. `taken`: what it took in the last
    /// [`poll_write`](Self::poll_write).
    pub(crate) fn mind_stock(&mut self, taken: usize, now: impl Fn() -> Instant) {
        let (Some(io), Some(set)) = (&self.io, self.unsent) else { return };
        if !self.is_full && self.stock.is_none() {
            return;
        }
        let stock = self.stock.get_or_insert_default();
        stock.took(taken, &now);
        if let Some(bound) = self.is_full.then(|| stock.filled(&now)).flatten() {
            set(io, bound);
        }
    }

    /// Writes the batch, as far as the transport takes it. Ready once the batch is empty; pending if the transport takes no
    /// more, or if others are to have their turns first.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_full = false;
        for _ in 0..MAX_CALLS {
            if self.batch.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = match retry(|| self.poll_write_once(cx)) {
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.is_full = true;
                    return Poll::Pending;
                }
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if written > self.batch.len() {
                return Poll::Ready(Err(io::Error::other(
                    "the transport says it wrote more than it was given",
                )));
            }
            self.batch.advance(written);
            self.unreported += written;
            self.unflushed = true;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_write_once(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(io) = self.io.as_mut().map(Pin::new) else { return Poll::Ready(Err(closed())) };
        let mut rest = self.batch.slices();
        let first = rest.next().unwrap_or(&[]);
        let Some(second) = rest.next() else { return io.poll_write(cx, first) };
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        for (slot, slice) in slices.iter_mut().zip([first, second].into_iter().chain(rest)) {
            *slot = IoSlice::new(slice);
            count += 1;
        }
        io.poll_write_vectored(cx, &slices[..count])
    }

    /// Whether all that was ever pulled is with the transport, and flushed.
    pub(crate) fn is_settled(&self) -> bool {
        self.batch.is_empty() && !self.unflushed
    }

    /// Flushes what was written, if anything was.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unflushed {
            return Poll::Ready(Ok(()));
        }
        let Some(io) = &mut self.io else { return Poll::Ready(Err(closed())) };
        let flushed = retry(|| Pin::new(&mut *io).poll_flush(cx));
        if let Poll::Ready(Ok(())) = flushed {
            self.unflushed = false;
            self.batch.shrink();
        }
        flushed
    }

    /// Closes the writing direction of the transport, and lets go of it.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(io) = &mut self.io else { return Poll::Ready(Ok(())) };
        let closing = retry(|| Pin::new(&mut *io).poll_close(cx));
        if closing.is_ready() {
            self.io = None;
        }
        closing
    }
}

/// Nothing is written behind the end.
fn closed() -> io::Error {
    io::ErrorKind::NotConnected.into()
}
