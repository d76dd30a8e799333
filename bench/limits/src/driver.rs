//! The task that owns a connection.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::pool;
use crate::state::{Shared, State};

/// Slices in one write.
const SLICES: usize = 64;

/// A read of less is copied, in bytes: a whole buffer is too much for it.
const SMALL: usize = 4096;

/// Steps before other tasks have their turn.
const STEPS: usize = 4;

#[derive(Debug)]
pub(crate) struct Driver {
    tcp: TcpStream,
    shared: Weak<Shared>,
    batch: VecDeque<Bytes>,
    /// What was read of a header.
    rest: Bytes,
    /// The piece that is under way: its stream, what is missing, and whether it is the last.
    current: Option<(u32, usize, bool)>,
}

impl Driver {
    pub(crate) fn new(tcp: TcpStream, shared: Weak<Shared>) -> Driver {
        Driver { tcp, shared, batch: VecDeque::new(), rest: Bytes::new(), current: None }
    }

    /// Whether there may be more to read.
    fn read(&mut self, cx: &mut Context<'_>, shared: &Shared) -> io::Result<bool> {
        let waker = cx.waker().clone();
        if shared.with(|state| state.poll_space(waker)).is_pending() {
            return Ok(false);
        }
        let mut buffer = pool::READ.take();
        let kept = self.rest.len();
        buffer.room()[..kept].copy_from_slice(&self.rest);
        let mut room = ReadBuf::new(&mut buffer.room()[kept..]);
        match Pin::new(&mut self.tcp).poll_read(cx, &mut room) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) if room.filled().is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(())) => {
                let len = kept + room.filled().len();
                let mut bytes = match len {
                    ..=SMALL => Bytes::copy_from_slice(&buffer.room()[..len]),
                    _ => buffer.share(len),
                };
                shared.with(|state| state.receive(&mut bytes, &mut self.current));
                self.rest = if bytes.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(&bytes) };
                Ok(true)
            }
        }
    }

    /// Whether there may be more to write at once.
    fn write(&mut self, cx: &mut Context<'_>, shared: &Shared) -> io::Result<bool> {
        if self.batch.is_empty() {
            let waker = cx.waker().clone();
            shared.with(|state| state.pull(&mut self.batch, waker));
        }
        if self.batch.is_empty() {
            return Ok(false);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.batch.len().min(SLICES);
        for (slot, piece) in slices.iter_mut().zip(&self.batch) {
            *slot = IoSlice::new(piece);
        }
        match Pin::new(&mut self.tcp).poll_write_vectored(cx, &slices[..count]) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(mut written)) => {
                while let Some(first) = self.batch.front_mut().filter(|_| written > 0) {
                    let taken = first.len().min(written);
                    first.advance(taken);
                    written -= taken;
                    if first.is_empty() {
                        self.batch.pop_front();
                    }
                }
                Ok(true)
            }
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let Some(shared) = this.shared.upgrade() else { return Poll::Ready(()) };
        for _ in 0..STEPS {
            let (read, written) = match (this.read(cx, &shared), this.write(cx, &shared)) {
                (Ok(read), Ok(written)) => (read, written),
                _ => {
                    shared.with(State::close);
                    return Poll::Ready(());
                }
            };
            if !read && !written {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
