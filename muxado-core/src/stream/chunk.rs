//! Reading and writing one chunk, as futures.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::recv::RecvStream;
use super::send::SendStream;
use crate::error::{ReadError, WriteError};

/// The future of [`RecvStream::read_chunk`]. *Dropping* it loses nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ReadChunk<'a> {
    stream: &'a mut RecvStream,
    max: usize,
}

impl ReadChunk<'_> {
    pub(super) fn new(stream: &mut RecvStream, max: usize) -> ReadChunk<'_> {
        ReadChunk { stream, max }
    }
}

impl Future for ReadChunk<'_> {
    type Output = Result<Option<Bytes>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let max = self.max;
        self.stream.poll_read_chunk(cx, max)
    }
}

/// The future of [`SendStream::write_chunk`]. *Dropping* it may leave a part of the chunk accepted.
#[must_use = "futures do nothing unless polled"]
pub struct WriteChunk<'a> {
    stream: &'a mut SendStream,
    chunk: Bytes,
}

/// With how much is left to write: who prints a future does not ask for what it carries.
impl fmt::Debug for WriteChunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteChunk").field("stream", &self.stream).field("left", &self.chunk.len()).finish()
    }
}

impl WriteChunk<'_> {
    pub(super) fn new(stream: &mut SendStream, chunk: Bytes) -> WriteChunk<'_> {
        WriteChunk { stream, chunk }
    }
}

impl Future for WriteChunk<'_> {
    type Output = Result<(), WriteError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while !this.chunk.is_empty() {
            match this.stream.poll_write_chunk(cx, &mut this.chunk) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}
