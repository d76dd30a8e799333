//! The seam between the faces and what is built on top of any of them.

use std::future::Future;

use super::Session;
use crate::Stream;
use crate::rt::Runtime;

/// A session of any face. What is built on top of sessions works with all of them: it does its own work with the core's
/// handles, and hands out the streams of the face.
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
