//! A stream and its type.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use muxado_core::{ResetError, Stream};

use crate::stream_type::StreamType;

/// A stream whose type is known and has been taken off.
///
/// Reads and writes as the stream inside does, with the same I/O traits, wakers and cancel safety, and is dropped as it is.
///
/// ```
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
///
/// # use muxado_smol::{Listener, connect};
/// # use muxado_typed::Typed;
/// # smol::block_on(async {
/// # let listener = Listener::bind("127.0.0.1:0").await?;
/// # let client = Typed::new(connect(listener.local_addr()?).await?);
/// # let server = Typed::new(listener.accept().await?.0);
/// let mut opened = client.open(7).await?;
/// opened.write_all(b"hello").await?;
/// opened.get_mut().finish()?; // what the stream inside can do
///
/// let accepted = server.accept().await?;
/// assert_eq!((accepted.stream_type().get(), accepted.get_ref().id()), (7, opened.get_ref().id()));
/// let mut stream = accepted.into_inner(); // for code that knows of no types
/// let mut text = String::new();
/// stream.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct TypedStream<T> {
    stream_type: StreamType,
    pub(crate) inner: T,
}

impl<T> TypedStream<T> {
    pub(crate) fn new(stream_type: StreamType, inner: T) -> TypedStream<T> {
        TypedStream { stream_type, inner }
    }

    /// What the stream is for.
    #[must_use]
    pub fn stream_type(&self) -> StreamType {
        self.stream_type
    }

    /// The stream inside.
    #[must_use]
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The stream inside, for what only it can do.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The stream without its type.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Into<Stream>> TypedStream<T> {
    /// Refuses an accepted stream of which nothing was read but its type: the peer learns that it is safe to retry.
    ///
    /// That nothing was read is the caller's promise.
    ///
    /// ```
    /// use muxado_smol::{Listener, Retry, connect};
    /// use muxado_typed::{StreamType, Typed};
    /// use smol::io::AsyncReadExt;
    ///
    /// # smol::block_on(async {
    /// # let listener = Listener::bind("127.0.0.1:0").await?;
    /// # let client = Typed::new(connect(listener.local_addr()?).await?);
    /// # let server = Typed::new(listener.accept().await?.0);
    /// let mut opened = client.open(7).await?;
    /// let accepted = server.accept().await?;
    /// if accepted.stream_type() != StreamType::new(8) {
    ///     accepted.refuse()?;
    /// }
    ///
    /// // and at the peer's end:
    /// let error = opened.read(&mut [0; 16]).await.unwrap_err();
    /// assert_eq!(Retry::of(&error), Retry::NotProcessed);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ResetError::AlreadyUsed`] if it was written or reset, or opened by this side. The stream is dropped all the same.
    pub fn refuse(self) -> Result<(), ResetError> {
        self.inner.into().refuse_after_header()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TypedStream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TypedStream<T> {
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
