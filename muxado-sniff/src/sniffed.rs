//! A connection whose first bytes were looked at, and are read once more.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection as it was accepted: reading it begins with its first byte.
///
/// Has the I/O traits that the connection itself has, futures-io's or tokio's, with the same wakers and cancel safety.
/// What the connection itself knows, such as its peer's address or its TLS session, is within reach: see
/// [`get_ref`](Sniffed::get_ref). Dropping it closes the connection.
///
/// ```
/// # use muxado_sniff::{Limits, Sniffer, http1};
/// # use smol::io::{AsyncReadExt, AsyncWriteExt};
/// # use smol::net::{TcpListener, TcpStream};
/// # smol::block_on(async {
/// # let port = TcpListener::bind("127.0.0.1:0").await?;
/// # let mut client = TcpStream::connect(port.local_addr()?).await?;
/// # client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
/// # let mut sniffer = Sniffer::on(muxado_smol::Smol, Limits::new());
/// # let web = sniffer.listen(http1());
/// # let running = smol::spawn(async move { sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await });
/// let mut connection = web.accept().await.expect("the sniffer runs");
/// println!("{}: {}", connection.get_ref().peer_addr()?, connection.seen().escape_ascii());
/// let mut head = [0; 14];
/// connection.read_exact(&mut head).await?; // from its first byte on
/// assert_eq!(&head, b"GET / HTTP/1.1");
/// let (tcp, seen) = connection.into_parts(); // for code that takes bytes that were read before
/// # assert!(b"\r\n\r\n".starts_with(&seen));
/// # drop((tcp, running.cancel().await));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct Sniffed<C> {
    inner: C,
    seen: Vec<u8>,
    /// What has been read of `seen`; no more than its length.
    read: usize,
}

impl<C> Sniffed<C> {
    pub(crate) fn new(inner: C, seen: Vec<u8>) -> Sniffed<C> {
        Sniffed { inner, seen, read: 0 }
    }

    /// The connection. Reading from it would miss what was seen and not read yet.
    #[must_use]
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The connection, to change its settings. Reading from it would miss what was seen and not read yet.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// What was seen and not read yet, at most [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[must_use]
    pub fn seen(&self) -> &[u8] {
        self.seen.get(self.read..).unwrap_or_default()
    }

    /// The connection, and what was seen of it and not read yet.
    #[must_use]
    pub fn into_parts(mut self) -> (C, Vec<u8>) {
        self.seen.drain(..self.read);
        (self.inner, self.seen)
    }

    /// Hands on what was seen, as much as there is room for, and frees it when it is done.
    fn replay(&mut self, room: usize, put: impl FnOnce(&[u8])) -> usize {
        let seen = self.seen();
        let next = seen.get(..room).unwrap_or(seen);
        let len = next.len();
        put(next);
        self.read += len;
        if self.read == self.seen.len() {
            (self.seen, self.read) = (Vec::new(), 0);
        }
        len
    }
}

impl<C: fmt::Debug> fmt::Debug for Sniffed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sniffed").field("inner", &self.inner).field("seen", &self.seen().len()).finish()
    }
}

impl<C: futures_io::AsyncRead + Unpin> futures_io::AsyncRead for Sniffed<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.seen().is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let room = buf.len();
        Poll::Ready(Ok(self.replay(room, |seen| {
            if let Some(buf) = buf.get_mut(..seen.len()) {
                buf.copy_from_slice(seen);
            }
        })))
    }
}

impl<C: futures_io::AsyncWrite + Unpin> futures_io::AsyncWrite for Sniffed<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[cfg(feature = "tokio")]
impl<C: tokio::io::AsyncRead + Unpin> tokio::io::AsyncRead for Sniffed<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.seen().is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let room = buf.remaining();
        self.replay(room, |seen| buf.put_slice(seen));
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "tokio")]
impl<C: tokio::io::AsyncWrite + Unpin> tokio::io::AsyncWrite for Sniffed<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What is known of a request's connection is what the connection itself knows.
#[cfg(feature = "tonic")]
impl<C: tonic::transport::server::Connected> tonic::transport::server::Connected for Sniffed<C> {
    type ConnectInfo = C::ConnectInfo;

    fn connect_info(&self) -> C::ConnectInfo {
        self.inner.connect_info()
    }
}
