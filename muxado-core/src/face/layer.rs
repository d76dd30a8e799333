//! The seam between the faces and what is built on top of any of them.

use std::future::Future;

use super::Session;
use crate::Stream;
use crate::rt::Runtime;

/// A session of any face. What is built on top of sessions works with all of them: it does its own work with the core's
/// handles, and hands out the streams of the face.
///
/// ```
/// use futures_util::AsyncWriteExt;
/// use muxado_core::face::Face;
///
/// /// Opens a stream that begins with a token.
/// async fn open<F: Face>(session: &F, token: &[u8]) -> std::io::Result<F::Stream> {
///     let mut stream = session.core().open().await?;
///     stream.write_all(token).await?;
///     Ok(session.wrap(stream))
/// }
/// # use muxado_testkit::Here;
/// # let (client, server) = Here.connected();
/// # Here.block_on(async move {
/// let stream = open(&client, b"secret").await?;
/// # let _open = stream;
/// # assert_eq!(server.accept().await?.read_chunk(100).await?.unwrap(), "secret");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub trait Face: Clone + Send + Sync + 'static {
    /// The face's stream.
    type Stream: Into<Stream> + Send + 'static;

    /// The face's runtime.
    type Runtime: Runtime;

    /// The same session with the core's handles.
    fn core(&self) -> &crate::Session;

    /// The runtime that it is on.
    fn runtime(&self) -> Self::Runtime;

    /// One of its streams, as the face has them. Costs nothing.
    fn wrap(&self, stream: Stream) -> Self::Stream;

    /// Makes a future that opens or accepts yield to other tasks now and then, as the face's own `open` and `accept`
    /// do, on a runtime that limits how much a task does in a row. Default: the future as it is.
    fn in_turn<F: Future + Send>(&self, future: F) -> impl Future<Output = F::Output> + Send {
        future
    }
}

impl<R: Runtime + Default> Face for Session<R> {
    type Stream = Stream;
    type Runtime = R;

    fn core(&self) -> &crate::Session {
        &self.inner
    }

    fn runtime(&self) -> R {
        R::default()
    }

    fn wrap(&self, stream: Stream) -> Stream {
        stream
    }
}
