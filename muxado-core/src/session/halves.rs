//! Two halves of a transport that cannot be split without a lock, such as TLS.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

/// One half of a transport; the other half shares it behind a lock, which one driver never has to wait for. The transport
/// is dropped with the second of them.
///
/// The driver of a session names it:
///
/// ```
/// use muxado_core::rt::Runtime;
/// use muxado_core::{Driver, Half};
///
/// struct Pending<IO, R: Runtime> {
///     driver: Driver<Half<IO>, Half<IO>, R>, // from `Session::client`, and not spawned yet
/// }
/// ```
pub struct Half<T> {
    transport: Arc<Mutex<T>>,
}

impl<T> Half<T> {
    /// Splits a transport into the half for reading and the half for writing.
    pub(crate) fn both(transport: T) -> (Half<T>, Half<T>) {
        let transport = Arc::new(Mutex::new(transport));
        (Half { transport: transport.clone() }, Half { transport })
    }

    /// Looks at the transport, while neither half is at work. Inside of `look` it must not be looked at again: that would
    /// wait for ever.
    ///
    /// ```
    /// use muxado_core::{Config, Session};
    ///
    /// # let (runtime, (transport, _peer)) = (muxado_testkit::World::new(), muxado_testkit::pipe(4096));
    /// let (session, driver) = Session::client(transport, &Config::default(), runtime);
    /// let driver = driver.unsent(|half, bytes| half.look(|transport| println!("{transport:?} may hold {bytes}")));
    /// # drop((session, driver));
    /// ```
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.transport.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Half<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Half<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_close(cx)
    }
}

impl<T> fmt::Debug for Half<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Half")
    }
}
