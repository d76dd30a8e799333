//! On which runtime, and with whose I/O traits: the same for tokio and for everything else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

/// How the bytes of a connection `C` are read and written, and on which runtime: [`FuturesIo`], or `Tokio`. It cannot be
/// implemented elsewhere.
pub trait Io<C>: Runtime + sealed::Sealed {
    /// Reads what has arrived, and says how much that was: 0 at the end. Keeps the waker as the connection does.
    ///
    /// # Errors
    /// Those of the connection.
    fn poll_read(connection: &mut C, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends some of `bytes`, and says how many. Keeps the waker as the connection does.
    ///
    /// # Errors
    /// Those of the connection.
    fn poll_write(connection: &mut C, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sends what was written. Keeps the waker as the connection does.
    ///
    /// # Errors
    /// Those of the connection.
    fn poll_flush(connection: &mut C, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

mod sealed {
    pub trait Sealed {}
}

/// Connections with the futures-io traits, on the runtime `R`: `muxado_smol::Smol`, or one of your own.
///
/// ```
/// use muxado_sniff::{FuturesIo, Limits, Sniffer};
/// use muxado_smol::Smol;
/// use smol::net::TcpStream;
///
/// struct Port {
///     sniffer: Sniffer<TcpStream, FuturesIo<Smol>>,
/// }
///
/// let port = Port { sniffer: Sniffer::on(Smol, Limits::new()) };
/// # drop(port.sniffer);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesIo<R>(pub(crate) R);

impl<R> sealed::Sealed for FuturesIo<R> {}

impl<R: Runtime> Runtime for FuturesIo<R> {
    type Sleep = R::Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(future);
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> R::Sleep {
        self.0.sleep(duration)
    }
}

impl<R, C> Io<C> for FuturesIo<R>
where
    R: Runtime,
    C: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin,
{
    fn poll_read(connection: &mut C, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(connection).poll_read(cx, buf)
    }

    fn poll_write(connection: &mut C, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(connection).poll_write(cx, bytes)
    }

    fn poll_flush(connection: &mut C, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(connection).poll_flush(cx)
    }
}

/// Connections with tokio's traits, on tokio.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tokio;

#[cfg(feature = "tokio")]
impl sealed::Sealed for Tokio {}

#[cfg(feature = "tokio")]
impl Runtime for Tokio {
    type Sleep = tokio::time::Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(future);
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(duration)
    }
}

#[cfg(feature = "tokio")]
impl<C> Io<C> for Tokio
where
    C: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    fn poll_read(connection: &mut C, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = tokio::io::ReadBuf::new(buf);
        Pin::new(connection).poll_read(cx, &mut buf).map_ok(|()| buf.filled().len())
    }

    fn poll_write(connection: &mut C, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(connection).poll_write(cx, bytes)
    }

    fn poll_flush(connection: &mut C, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(connection).poll_flush(cx)
    }
}
