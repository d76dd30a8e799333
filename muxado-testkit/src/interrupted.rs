//! A transport that does nothing but be interrupted, as system calls are by signals: the others of this kit fail once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

/// Says that it was interrupted, whatever it is asked for.
#[derive(Debug, Default)]
pub struct Interrupted(());

fn interrupted<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::Interrupted.into()))
}

impl AsyncRead for Interrupted {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        interrupted()
    }
}

impl AsyncWrite for Interrupted {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        interrupted()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        interrupted()
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        interrupted()
    }
}
