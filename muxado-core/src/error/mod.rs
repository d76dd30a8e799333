//! What can go wrong, per operation: what happened, which side caused it, and whether it is safe to retry.

use std::error::Error;
use std::io;

use muxado_frame::ErrorCode;

mod end;
mod kind;
mod session;
mod stream;

pub(crate) use end::SharedEnd;
pub use end::{Cut, EndCause, PeerMisbehaved, SessionEnd};
pub use session::{AcceptError, OpenError};
pub(crate) use stream::Failure;
pub use stream::{ReadError, Reset, ResetError, SessionLost, WriteError};

/// Who caused something to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// This program: its application or this library on its behalf.
    Local,
    /// The peer: its application, its library, or its breaking of the protocol.
    Remote,
    /// The transport below: it failed, or stopped taking bytes.
    Transport,
}

/// Whether a failed request may be sent again without the risk of doing it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The peer's application never saw the stream. Doing it again is safe.
    NotProcessed,
    /// The peer's application may have seen some of it.
    Unknown,
}

impl Retry {
    /// What an error of a library above says, by the error of ours that caused it: an HTTP client's, a database driver's.
    ///
    /// [`Unknown`](Retry::Unknown) if it has none. What is above may send several requests over one stream: that the
    /// stream was not processed is true of all of them.
    ///
    /// ```
    /// use muxado_core::{OpenError, Retry};
    ///
    /// let error = std::io::Error::from(OpenError::Draining);
    /// assert_eq!(Retry::of(&error), Retry::NotProcessed);
    /// assert_eq!(Retry::of(&std::io::Error::other("something else")), Retry::Unknown);
    /// ```
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Retry {
        find(error, Retry::of_ours).unwrap_or(Retry::Unknown)
    }

    fn of_ours(error: &(dyn Error + 'static)) -> Option<Retry> {
        let open = || error.downcast_ref::<OpenError>().map(OpenError::retry);
        let read = || error.downcast_ref::<ReadError>().map(ReadError::retry);
        let write = || error.downcast_ref::<WriteError>().map(WriteError::retry);
        open().or_else(read).or_else(write)
    }
}

/// The code with which a stream ended, by the error of ours that is within another: an `io::Error`, or that of a library
/// above. None if there is none of ours in it, if no stream was opened, or if a deadline has passed, which ends nothing.
///
/// ```
/// use muxado_core::{ErrorCode, WriteError, code_of};
///
/// let error = std::io::Error::from(WriteError::Finished);
/// assert_eq!(code_of(&error), Some(ErrorCode::STREAM_CLOSED));
/// assert_eq!(code_of(&std::io::Error::from(std::io::ErrorKind::NotFound)), None);
/// ```
#[must_use]
pub fn code_of(error: &(dyn Error + 'static)) -> Option<ErrorCode> {
    find(error, |error| {
        let read = error.downcast_ref::<ReadError>().map(ReadError::code);
        read.or_else(|| error.downcast_ref::<WriteError>().map(WriteError::code))
    })
    .flatten()
}

/// What `ask` says of an error, or of the first of those that it wraps.
fn find<T>(error: &(dyn Error + 'static), ask: impl Fn(&(dyn Error + 'static)) -> Option<T>) -> Option<T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(answer) = ask(error) {
            return Some(answer);
        }
        // What an I/O error wraps is no source of it: `source` gives the source of that.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_is_found_within_others() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the request failed")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let within = |ours: io::Error| {
            let outer = Outer(io::Error::other(Outer(ours)));
            (Retry::of(&outer), code_of(&outer))
        };
        assert_eq!(within(OpenError::Busy.into()), (Retry::NotProcessed, None));
        let finished = WriteError::Finished;
        assert_eq!(within(finished.clone().into()), (Retry::Unknown, finished.code()));
        let late = ReadError::TimedOut;
        assert_eq!(within(late.into()), (Retry::Unknown, None));
        assert_eq!(within(io::ErrorKind::BrokenPipe.into()), (Retry::Unknown, None));
        assert_eq!(Retry::of(&OpenError::Draining), Retry::NotProcessed);
    }
}
