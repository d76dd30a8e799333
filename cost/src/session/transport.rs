//! A transport in memory that counts the calls a socket would have got.
//!
//! It knows what tokio knows of a socket: after a read or a plain write that was cut short there is nothing to be had
//! until the other end has moved, so asking again is no call. Everything else that is asked is a call, those that are
//! answered with "not now" included.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};

/// Bytes under way in one direction: the usual buffer of a socket on Linux.
const CAPACITY: usize = 212_992;

/// Calls so far, of all who share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Rc<Cell<u64>>);

impl Calls {
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }

    fn count(&self) {
        self.0.set(self.0.get() + 1);
    }
}

/// One end: what it reads from and what it writes to.
#[derive(Debug)]
pub(super) struct End {
    pub(super) read: Reader,
    pub(super) write: Writer,
}

#[derive(Debug)]
pub(super) struct Reader(Lane);

#[derive(Debug)]
pub(super) struct Writer(Lane);

#[derive(Clone, Debug)]
struct Lane {
    flow: Rc<RefCell<Flow>>,
    calls: Calls,
}

#[derive(Debug, Default)]
struct Flow {
    bytes: VecDeque<u8>,
    /// What tokio believes of the two ends.
    readable: bool,
    writable: bool,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The two ends of a transport.
pub(super) fn pair(calls: &Calls) -> (End, End) {
    let lane = || {
        let flow = Flow { bytes: VecDeque::with_capacity(CAPACITY), writable: true, ..Flow::default() };
        Lane { flow: Rc::new(RefCell::new(flow)), calls: calls.clone() }
    };
    let (there, back) = (lane(), lane());
    let near = End { read: Reader(back.clone()), write: Writer(there.clone()) };
    (near, End { read: Reader(there), write: Writer(back) })
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let flow = &mut *self.0.flow.borrow_mut();
        let mut len = 0;
        if flow.readable {
            self.0.calls.count();
            // The bytes may lie in two pieces.
            len = flow.bytes.read(buf)?;
            len += flow.bytes.read(buf.get_mut(len..).unwrap_or(&mut []))?;
            flow.readable = len == buf.len() || flow.closed;
        }
        if len == 0 && !flow.closed {
            flow.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        flow.writable = true;
        flow.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }
}

impl Writer {
    fn write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>], vectored: bool) -> Poll<io::Result<usize>> {
        let flow = &mut *self.0.flow.borrow_mut();
        let mut len = 0;
        if flow.writable {
            self.0.calls.count();
            let mut room = CAPACITY.saturating_sub(flow.bytes.len());
            for buf in bufs {
                let part = buf.get(..room.min(buf.len())).unwrap_or(&[]);
                flow.bytes.write_all(part)?;
                len += part.len();
                room -= part.len();
            }
            flow.writable = len > 0 && (vectored || room > 0);
        }
        if len == 0 {
            flow.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        flow.readable = true;
        flow.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, &[IoSlice::new(buf)], false)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, bufs, true)
    }

    /// A socket has nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flow = &mut *self.0.flow.borrow_mut();
        self.0.calls.count();
        flow.closed = true;
        flow.readable = true;
        flow.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}
