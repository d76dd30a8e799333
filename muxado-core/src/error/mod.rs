//! What can go wrong, per operation: what happened, which side caused it, and whether it is safe to retry.

use std::error::Error;
use std::io;

mod end;
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
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Retry {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(retry) = Retry::of_ours(error) {
                return retry;
            }
            // What an I/O error wraps is no source of it: `source` gives the source of that.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
        }
        Retry::Unknown
    }

    fn of_ours(error: &(dyn Error + 'static)) -> Option<Retry> {
        let open = || error.downcast_ref::<OpenError>().map(OpenError::retry);
        let read = || error.downcast_ref::<ReadError>().map(ReadError::retry);
        let write = || error.downcast_ref::<WriteError>().map(WriteError::retry);
        open().or_else(read).or_else(write)
    }
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
        let within = |ours: io::Error| Retry::of(&Outer(io::Error::other(Outer(ours))));
        assert_eq!(within(OpenError::Busy.into()), Retry::NotProcessed);
        assert_eq!(within(WriteError::Finished.into()), Retry::Unknown);
        assert_eq!(within(io::ErrorKind::BrokenPipe.into()), Retry::Unknown);
        assert_eq!(Retry::of(&OpenError::Draining), Retry::NotProcessed);
    }
}
