//! A transport in memory, with a lock that shuttle knows.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};
use shuttle::sync::Mutex;

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Nobody writes any more.
    ended: bool,
    /// Nobody reads any more.
    deaf: bool,
    waiting: Option<Waker>,
}

impl Flow {
    /// Changes something, and wakes who waits for it.
    fn change<T>(flow: &Mutex<Flow>, act: impl FnOnce(&mut Flow) -> T) -> T {
        let (result, waiting) = {
            let mut flow = flow.lock().unwrap();
            let result = act(&mut flow);
            (result, flow.waiting.take())
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
        result
    }
}

pub(super) struct Reader(Arc<Mutex<Flow>>);

pub(super) struct Writer(Arc<Mutex<Flow>>);

/// Two ends, each with its two halves. Each direction holds up to `capacity` bytes.
pub(super) fn pair(capacity: usize) -> ((Reader, Writer), (Reader, Writer)) {
    let flow = || Arc::new(Mutex::new(Flow { capacity, ..Flow::default() }));
    let (there, back) = (flow(), flow());
    ((Reader(back.clone()), Writer(there.clone())), (Reader(there), Writer(back)))
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let waker = cx.waker().clone();
        {
            let mut flow = self.0.lock().unwrap();
            if flow.bytes.is_empty() && !flow.ended {
                flow.waiting = Some(waker);
                return Poll::Pending;
            }
        }
        Poll::Ready(Flow::change(&self.0, |flow| io::Read::read(&mut flow.bytes, buf)))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let waker = cx.waker().clone();
        {
            let mut flow = self.0.lock().unwrap();
            if flow.deaf {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            if flow.bytes.len() == flow.capacity {
                flow.waiting = Some(waker);
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(Flow::change(&self.0, |flow| {
            let len = buf.len().min(flow.capacity - flow.bytes.len());
            flow.bytes.extend(&buf[..len]);
            len
        })))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Flow::change(&self.0, |flow| flow.ended = true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        Flow::change(&self.0, |flow| flow.ended = true);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        Flow::change(&self.0, |flow| flow.deaf = true);
    }
}
