//! Joins a TCP connection and a stream: what one receives, the other sends.

use std::io;
use std::time::Duration;

use muxado_tokio::Stream;
use socket2::SockRef;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::TcpStream;

/// What is copied at a time in each direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// Copies both ways until both directions have ended. The end of one is passed on as such, and the other goes on.
///
/// If one side fails, the other is aborted, so that nobody takes a part for the whole. The same happens if this future
/// is dropped, or the process killed.
pub(crate) async fn relay(mut tcp: TcpStream, mut stream: Stream) -> io::Result<()> {
    // The stream needs no such care: dropped before it is finished, it resets.
    abort_on_close(&tcp)?;
    tcp.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut tcp, &mut stream, BUFFER, BUFFER).await?;
    SockRef::from(&tcp).set_linger(None)
}

/// From now on, closing `tcp` sends a reset instead of an ordinary end.
pub(crate) fn abort_on_close(tcp: &TcpStream) -> io::Result<()> {
    SockRef::from(tcp).set_linger(Some(Duration::ZERO))
}
