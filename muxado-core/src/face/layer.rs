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

    /// A future that opens or accepts, which then counts as the face's own `open` and `accept` do where the runtime has a
    /// say in how much a task may do before it is others' turn. Default: it has none.
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
