//! Joins a TCP connection and a stream: what one receives, the other sends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use muxado_tokio::Stream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;

/// What is copied at a time in each direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// Copies both ways until both directions have ended. The end of one is passed on as such, and the other goes on.
///
/// If one side fails, the other is aborted, so that nobody takes a part for the whole. The same happens if this future
/// is dropped, or the process killed, for as long as not all is sent that the stream brings.
pub(crate) async fn relay(tcp: TcpStream, mut stream: Stream) -> io::Result<()> {
    // The stream needs no such care: dropped before it is finished, it resets.
    abort_on_close(&tcp)?;
    tcp.set_nodelay(true)?;
    let mut tcp = Aborting(tcp);
    let copied = copy_bidirectional_with_sizes(&mut tcp, &mut stream, BUFFER, BUFFER).await;
    if copied.is_err() {
        _ = abort_on_close(&tcp.0);
    }
    copied.map(|_bytes| ())
}

/// From now on, closing `tcp` sends a reset instead of an ordinary end.
pub(crate) fn abort_on_close(tcp: &TcpStream) -> io::Result<()> {
    SockRef::from(tcp).set_linger(Some(Duration::ZERO))
}

/// A connection that is set to abort on close, until all is sent.
struct Aborting(TcpStream);

impl AsyncRead for Aborting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, room)
    }
}

impl AsyncWrite for Aborting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Before it and not at the end of all: once both directions have ended, macOS refuses to set anything, and closing
        // would throw away what the peer has not taken yet.
        SockRef::from(&self.0).set_linger(None)?;
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
