//! A tokio transport overheard: every frame that passes is reported, and no byte is changed or held up.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use muxado_core::tap::Ear;
pub use muxado_core::tap::{Overheard, lines};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A transport that is overheard: give it to a session in place of the transport itself.
///
/// Bytes pass as they are, errors and vectored writes too. It holds no more than the beginning of a header for each
/// direction.
///
/// ```
/// use muxado_tokio::tap::{Tap, lines};
/// use muxado_tokio::Session;
/// # use tokio::io::AsyncWriteExt;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (transport, _peer) = tokio::io::duplex(1024);
///
/// let session = Session::client(Tap::new(transport, lines("client", std::io::stderr())));
/// let mut stream = session.open().await?;
/// stream.write_all(b"hello").await?;
/// // client: sent      DATA    id 3       length 5       flags SYN
/// # Ok(())
/// # }
/// ```
pub struct Tap<T, F> {
    io: T,
    ear: Ear<F>,
}

impl<T, F: FnMut(Overheard)> Tap<T, F> {
    /// Overhears `io`, and calls `tell` at once, in the task that moves the bytes.
    #[must_use]
    pub fn new(io: T, tell: F) -> Tap<T, F> {
        Tap { io, ear: Ear::new(tell) }
    }
}

impl<T, F> Tap<T, F> {
    /// Gives the transport back. A frame whose header has passed only in part is not reported; no bytes are lost.
    ///
    /// ```
    /// use muxado_tokio::tap::{Tap, lines};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let address = listener.local_addr()?;
    /// let tcp = tokio::net::TcpStream::connect(address).await?;
    /// let tap = Tap::new(tcp, lines("client", std::io::sink()));
    /// assert_eq!(tap.get_ref().peer_addr()?, address);
    /// let tcp = tap.into_inner();
    /// # drop(tcp);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        self.io
    }

    /// The transport, to look at.
    #[must_use]
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Tap<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("io", &self.io).finish_non_exhaustive()
    }
}

impl<T: AsyncRead + Unpin, F: FnMut(Overheard) + Unpin> AsyncRead for Tap<T, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = read {
            self.ear.received(buf.filled().get(before..).unwrap_or_default());
        }
        read
    }
}

impl<T: AsyncWrite + Unpin, F: FnMut(Overheard) + Unpin> AsyncWrite for Tap<T, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(len)) = written {
            self.ear.sent(buf.get(..len).unwrap_or(buf));
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(len)) = written {
            self.ear.sent_slices(bufs, len);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
