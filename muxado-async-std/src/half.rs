//! The half of a TCP connection that is written to. Closing async-std's own only flushes: the peer would not learn of it.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::AsyncWrite;

/// Sends FIN when it is closed.
#[derive(Debug)]
pub(crate) struct WriteHalf<S> {
    socket: S,
    shutdown: fn(&S, Shutdown) -> io::Result<()>,
}

impl<S> WriteHalf<S> {
    pub(crate) fn new(socket: S, shutdown: fn(&S, Shutdown) -> io::Result<()>) -> WriteHalf<S> {
        WriteHalf { socket, shutdown }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteHalf<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready((self.shutdown)(&self.socket, Shutdown::Write))
    }
}
