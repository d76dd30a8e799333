//! An in-memory transport that behaves as badly as it is told to.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};

/// Two ends of a transport; each direction holds up to `capacity` bytes under way.
#[must_use]
pub fn pipe(capacity: usize) -> (End, End) {
    let (there, back) = (Lane::new(capacity), Lane::new(capacity));
    let end = |read: &Lane, write: &Lane| End { read: Reader(read.clone()), write: Writer(write.clone()) };
    (end(&back, &there), end(&there, &back))
}

/// One end of a transport: what it reads from and what it writes to.
#[derive(Debug)]
#[non_exhaustive]
pub struct End {
    /// Bytes from the other end.
    pub read: Reader,
    /// Bytes to the other end.
    pub write: Writer,
}

/// The reading half of an end.
#[derive(Debug)]
pub struct Reader(Lane);

/// The writing half of an end. Dropping it closes its direction.
#[derive(Debug)]
pub struct Writer(Lane);

impl Reader {
    /// The lane it reads from.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.0.clone()
    }
}

impl Writer {
    /// The lane it writes to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.0.clone()
    }
}

/// One direction of a pipe, and its moods. Clones are the same lane.
#[derive(Clone, Debug)]
pub struct Lane(Arc<Mutex<Flow>>);

#[derive(Debug)]
struct Flow {
    bytes: VecDeque<u8>,
    /// Written, and kept back until the next flush.
    held: VecDeque<u8>,
    mood: Mood,
    dice: u64,
    closed: bool,
    reader_gone: bool,
    written: u64,
    write_calls: u64,
    flush_calls: u64,
    skip_read: bool,
    skip_write: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// How a lane behaves.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Mood {
    /// Bytes it holds at the most.
    pub capacity: usize,
    /// Bytes one read gives at the most.
    pub read_max: usize,
    /// Bytes one write takes at the most.
    pub write_max: usize,
    /// Bytes that writes may still take, if that is limited; see [`slow`](crate::slow).
    pub budget: Option<usize>,
    /// Writes fail with this once the budget is used up, instead of waiting.
    pub over_budget: Option<io::ErrorKind>,
    /// No read gives and no write takes the same number of bytes as the last, from 1 up to this many: a sequence that
    /// looks random and is always the same.
    pub ragged: Option<usize>,
    /// What is written arrives with the next flush, or when there is no room for more, and not before.
    pub buffers: bool,
    /// Flushing never finishes.
    pub flush_hangs: bool,
    /// Flushing fails with this.
    pub flush_error: Option<io::ErrorKind>,
    /// Each read and write is first answered with a spurious `Pending`.
    pub hesitates: bool,
    /// Writes are pending until this changes.
    pub stuck: bool,
    /// Writes say that 0 bytes were taken.
    pub writes_nothing: bool,
    /// Reads and writes report one byte more than was asked for.
    pub boasts: bool,
    /// Reads fail with this once the bytes are used up.
    pub read_error: Option<io::ErrorKind>,
    /// Writes fail with this.
    pub write_error: Option<io::ErrorKind>,
    /// Closing never finishes.
    pub close_hangs: bool,
    /// Closing fails with this.
    pub close_error: Option<io::ErrorKind>,
}

impl Flow {
    /// Lets what was kept back go on. The reader, if it is to be woken for that.
    fn deliver(&mut self) -> Option<Waker> {
        let held = std::mem::take(&mut self.held);
        let reader = if held.is_empty() { None } else { self.reader.take() };
        self.bytes.extend(held);
        reader
    }

    /// How many bytes one call may move.
    fn portion(&mut self, most: usize) -> usize {
        let Some(ragged) = self.mood.ragged else { return most };
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let roll = usize::try_from(self.dice >> 33).unwrap_or(0);
        most.min(1 + roll % ragged.max(1))
    }
}

impl Lane {
    fn new(capacity: usize) -> Lane {
        let mood = Mood {
            capacity,
            read_max: usize::MAX,
            write_max: usize::MAX,
            budget: None,
            over_budget: None,
            ragged: None,
            buffers: false,
            flush_hangs: false,
            flush_error: None,
            hesitates: false,
            stuck: false,
            writes_nothing: false,
            boasts: false,
            read_error: None,
            write_error: None,
            close_hangs: false,
            close_error: None,
        };
        Lane(Arc::new(Mutex::new(Flow {
            bytes: VecDeque::new(),
            held: VecDeque::new(),
            dice: 1,
            mood,
            closed: false,
            reader_gone: false,
            written: 0,
            write_calls: 0,
            flush_calls: 0,
            skip_read: false,
            skip_write: false,
            reader: None,
            writer: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how the lane behaves, and lets both ends look again.
    pub fn set(&self, change: impl FnOnce(&mut Mood)) {
        let mut flow = self.lock();
        change(&mut flow.mood);
        if !flow.mood.buffers {
            // What is written next must not overtake it.
            let held = std::mem::take(&mut flow.held);
            flow.bytes.extend(held);
        }
        let wakers = [flow.reader.take(), flow.writer.take()];
        drop(flow);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Puts bytes on the lane as if the writer had written them.
    pub fn inject(&self, bytes: &[u8]) {
        self.lock().bytes.extend(bytes);
        self.set(|_| {});
    }

    /// Ends the lane after the bytes that are on it.
    pub fn cut(&self) {
        self.lock().closed = true;
        self.set(|_| {});
    }

    /// Takes off everything that is on the lane.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        let taken = self.lock().bytes.drain(..).collect();
        self.set(|_| {});
        taken
    }

    /// Whether the writer has closed it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Bytes ever written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.lock().written
    }

    /// Calls that took bytes.
    #[must_use]
    pub fn write_calls(&self) -> u64 {
        self.lock().write_calls
    }

    /// Flushes.
    #[must_use]
    pub fn flush_calls(&self) -> u64 {
        self.lock().flush_calls
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut flow = self.0.lock();
        if flow.mood.hesitates && !std::mem::replace(&mut flow.skip_read, true) {
            drop(flow);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        flow.skip_read = false;
        let len = buf.len().min(flow.mood.read_max).min(flow.bytes.len());
        if len == 0 {
            if let Some(kind) = flow.mood.read_error {
                if kind == io::ErrorKind::Interrupted {
                    flow.mood.read_error = None;
                }
                return Poll::Ready(Err(kind.into()));
            }
            if flow.closed {
                return Poll::Ready(Ok(0));
            }
            flow.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if flow.mood.boasts {
            return Poll::Ready(Ok(buf.len() + 1));
        }
        let len = flow.portion(len);
        for (place, byte) in buf.iter_mut().zip(flow.bytes.drain(..len)) {
            *place = byte;
        }
        let writer = flow.writer.take();
        drop(flow);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }
}

impl Writer {
    fn write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut flow = self.0.lock();
        if flow.mood.hesitates && !std::mem::replace(&mut flow.skip_write, true) {
            drop(flow);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        flow.skip_write = false;
        if let Some(kind) = flow.mood.write_error {
            if kind == io::ErrorKind::Interrupted {
                flow.mood.write_error = None;
            }
            return Poll::Ready(Err(kind.into()));
        }
        if flow.reader_gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if flow.mood.writes_nothing {
            return Poll::Ready(Ok(0));
        }
        let waiting = flow.bytes.len() + flow.held.len();
        let room = flow.mood.capacity.saturating_sub(waiting).min(flow.mood.write_max);
        let room = room.min(flow.mood.budget.unwrap_or(usize::MAX));
        if let (Some(0), Some(kind)) = (flow.mood.budget, flow.mood.over_budget) {
            return Poll::Ready(Err(kind.into()));
        }
        if flow.mood.stuck || room == 0 {
            flow.writer = Some(cx.waker().clone());
            let reader = flow.deliver();
            drop(flow);
            reader.into_iter().for_each(Waker::wake);
            return Poll::Pending;
        }
        let all = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if flow.mood.boasts {
            return Poll::Ready(Ok(all + 1));
        }
        let len = flow.portion(all.min(room));
        let bytes = bufs.iter().flat_map(|buf| buf.iter()).take(len);
        if flow.mood.buffers {
            flow.held.extend(bytes);
        } else {
            flow.bytes.extend(bytes);
        }
        flow.written += len as u64;
        flow.mood.budget = flow.mood.budget.map(|budget| budget - len);
        flow.write_calls += 1;
        let reader = flow.reader.take();
        drop(flow);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut flow = self.0.lock();
        flow.flush_calls += 1;
        if flow.mood.flush_hangs {
            flow.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(kind) = flow.mood.flush_error {
            return Poll::Ready(Err(kind.into()));
        }
        let reader = flow.deliver();
        drop(flow);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut flow = self.0.lock();
        if flow.mood.close_hangs {
            flow.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(kind) = flow.mood.close_error {
            return Poll::Ready(Err(kind.into()));
        }
        drop(flow);
        self.0.cut();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for End {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for End {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_close(cx)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.cut();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.lock().reader_gone = true;
        self.0.set(|_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_back_is_not_overtaken_once_nothing_is_kept_back_any_more() {
        let (near, _far) = pipe(100);
        let (lane, mut writer) = (near.write.lane(), near.write);
        let mut cx = Context::from_waker(Waker::noop());
        lane.set(|mood| mood.buffers = true);
        assert!(Pin::new(&mut writer).poll_write(&mut cx, b"first, ").is_ready());
        lane.set(|mood| mood.buffers = false);
        assert!(Pin::new(&mut writer).poll_write(&mut cx, b"second").is_ready());
        assert_eq!(lane.take(), b"first, second");
    }
}
