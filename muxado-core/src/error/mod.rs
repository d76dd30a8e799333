//! What can go wrong, per operation: what happened, which side caused it, and whether it is safe to retry.

use std::error::Error;
use std::io;

use muxado_frame::ErrorCode;

mod config;
mod end;
mod kind;
mod session;
mod stream;

pub use config::ConfigError;
pub(crate) use end::SharedEnd;
pub use end::{Cut, EndCause, PeerMisbehaved, SessionEnd};
pub use session::{AcceptError, OpenError};
pub(crate) use stream::Failure;
pub use stream::{ReadError, Reset, ResetError, SessionLost, WriteError};

/// Who caused something to end.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::Initiator;
/// # use muxado_core::ErrorCode;
///
/// # let mut opened = client.open().await?;
/// # futures_util::AsyncWriteExt::flush(&mut opened).await?;
/// # let mut stream = server.accept().await?;
/// # opened.reset(ErrorCode::STREAM_CANCELLED)?;
/// let error = stream.read_chunk(100).await.unwrap_err();
/// let whose = match error.initiator() {
///     Initiator::Local => "ours",
///     Initiator::Remote => "the peer's",
///     _ => "the network's",
/// };
/// assert_eq!(whose, "the peer's");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// This program: its application or this library on its behalf.
    Local,
    /// The peer: its application, its library, or a violation of the protocol by it.
    Remote,
    /// The transport below: it failed, or stopped taking bytes.
    Transport,
}

/// Whether a failed request may be sent again without the risk of doing it twice.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use futures_util::AsyncReadExt;
/// use muxado_core::{Retry, Session};
///
/// async fn ask(session: &Session) -> std::io::Result<String> {
///     let mut stream = session.open().await?;
///     stream.finish()?;
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer).await?;
///     Ok(answer)
/// }
///
/// # let serve = async {
/// #     server.accept().await.unwrap().refuse().unwrap();
/// #     server.accept().await.unwrap().finish().unwrap();
/// # };
/// # let work = async {
/// let mut answer = ask(&client).await;
/// if answer.as_ref().is_err_and(|error| Retry::of(error) == Retry::NotProcessed) {
///     answer = ask(&client).await; // nobody has seen the first
/// }
/// # answer.unwrap();
/// # };
/// # futures_util::join!(serve, work);
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The peer's application never saw the stream. Doing it again is safe.
    NotProcessed,
    /// The peer's application may have seen some of it.
    Unknown,
}

impl Retry {
    /// Whether the request behind an error of a higher-level library (an HTTP client, a database driver) may be
    /// repeated, by the error of ours that it wraps.
    ///
    /// [`Unknown`](Retry::Unknown) if it wraps none. Such a library may send several requests over one stream: if the
    /// stream was not processed, none of them was.
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
        find(error).map_or(Retry::Unknown, |(retry, _)| retry)
    }
}

/// The code with which a stream or its session ended, from the error of ours inside another: an `io::Error`, or the
/// error of a higher-level library. [`ErrorCode::NO_ERROR`] only if a session was closed with that. `None` if no
/// error of ours is inside, or if nothing has ended: a deadline has passed, or there was no place for a stream.
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
    find(error).and_then(|(_, code)| code)
}

/// What an error of ours says: whether to retry, and its code.
type Said = (Retry, Option<ErrorCode>);

/// What the first error of ours says, among an error and those that it wraps. What that one wraps in turn counts for
/// nothing: the transport that failed may itself be a stream of another session.
fn find(error: &(dyn Error + 'static)) -> Option<Said> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(said) = said_by(error) {
            return Some(said);
        }
        // What an I/O error wraps is no source of it: `source` gives the source of that.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// What an error says, if it is of one of the types in this folder.
fn said_by(error: &(dyn Error + 'static)) -> Option<Said> {
    fn ask<E: Error + 'static>(error: &(dyn Error + 'static), say: impl Fn(&E) -> Said) -> Option<Said> {
        error.downcast_ref().map(say)
    }
    let unknown = |code| (Retry::Unknown, code);
    ask(error, |read: &ReadError| (read.retry(), read.code()))
        .or_else(|| ask(error, |write: &WriteError| (write.retry(), write.code())))
        .or_else(|| ask(error, |open: &OpenError| (open.retry(), open.end().map(SessionEnd::code))))
        .or_else(|| ask(error, |reset: &Reset| (reset.retry(), Some(reset.code()))))
        .or_else(|| ask(error, |lost: &SessionLost| (lost.retry(), Some(lost.code()))))
        .or_else(|| ask(error, |accept: &AcceptError| unknown(Some(accept.end().code()))))
        .or_else(|| ask(error, |end: &SessionEnd| unknown(Some(end.code()))))
        .or_else(|| ask(error, |peer: &PeerMisbehaved| unknown(Some(peer.code()))))
        .or_else(|| ask(error, |_: &ResetError| unknown(None)))
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::fs;

    use super::*;

    /// An error of a library above.
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

    /// The name of an error's type, and what is said of it: by itself, and within others.
    fn said<E: Error + Send + Sync + 'static>(error: E) -> (&'static str, Retry, Option<ErrorCode>) {
        let of = |error: &(dyn Error + 'static)| (Retry::of(error), code_of(error));
        let alone = of(&error);
        let outer = Outer(io::Error::other(Outer(io::Error::other(error))));
        assert_eq!(of(&outer), alone);
        (type_name::<E>().rsplit("::").next().unwrap(), alone.0, alone.1)
    }

    #[test]
    fn every_error_of_ours_says_the_same_alone_and_within_others() {
        use Retry::{NotProcessed, Unknown};
        let refused = Reset { code: ErrorCode::STREAM_REFUSED, initiator: Initiator::Remote };
        let cancelled = ErrorCode::STREAM_CANCELLED;
        // A session over a stream of another, which was refused.
        let end = || SessionEnd::new(EndCause::Transport(ReadError::Reset(refused).into()));
        let lost = SessionLost { end: end(), retry: NotProcessed };
        let eof = Some(ErrorCode::PEER_EOF);
        let table = [
            (said(OpenError::Busy), NotProcessed, None),
            (said(OpenError::Draining), NotProcessed, None),
            (said(OpenError::GoneAway(end())), NotProcessed, eof),
            (said(OpenError::Session(end())), NotProcessed, eof),
            (said(ReadError::TimedOut), Unknown, None),
            (said(ReadError::Reset(refused)), NotProcessed, Some(refused.code)),
            (said(ReadError::Session(lost.clone())), NotProcessed, eof),
            (said(WriteError::TimedOut), Unknown, None),
            (said(WriteError::Finished), Unknown, Some(ErrorCode::STREAM_CLOSED)),
            (said(WriteError::Reset(refused)), NotProcessed, Some(refused.code)),
            (said(WriteError::Session(lost.clone())), NotProcessed, eof),
            (said(refused), NotProcessed, Some(refused.code)),
            (said(Reset { initiator: Initiator::Local, ..refused }), Unknown, Some(refused.code)),
            (said(Reset { code: cancelled, ..refused }), Unknown, Some(cancelled)),
            (said(lost), NotProcessed, eof),
            (said(AcceptError { end: end() }), Unknown, eof),
            (said(end()), Unknown, eof),
            (said(PeerMisbehaved::ReservedBit), Unknown, Some(ErrorCode::PROTOCOL_ERROR)),
            (said(ResetError::NoError), Unknown, None),
            (said(ConfigError::NoSendQueue), Unknown, None),
        ];
        for ((name, retry, code), wanted_retry, wanted_code) in table {
            assert_eq!((retry, code), (wanted_retry, wanted_code), "{name}");
        }
        assert_eq!(said(io::Error::from(io::ErrorKind::BrokenPipe)), ("Error", Unknown, None));

        // Whoever adds a type has to say here what it says.
        for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/error")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                let Some(rest) = line.strip_prefix("impl std::error::Error for ") else { continue };
                let name = rest.split(' ').next().unwrap();
                assert!(table.iter().any(|row| row.0.0 == name), "{name} is not in the table");
            }
        }
    }

    /// The transport's own error is in the text of each already.
    #[test]
    fn what_the_transports_error_came_from_is_the_source_of_all_that_it_led_to() {
        let failure = || io::Error::other(Outer(io::Error::other("cable cut")));
        let end = || SessionEnd::new(EndCause::Transport(failure()));
        let lost = SessionLost { end: end(), retry: Retry::Unknown };
        let errors: [&dyn Error; 7] = [
            &end(),
            &OpenError::GoneAway(end()),
            &OpenError::Session(end()),
            &AcceptError { end: end() },
            &lost,
            &ReadError::Session(lost.clone()),
            &WriteError::Session(lost.clone()),
        ];
        for error in errors {
            assert!(error.to_string().ends_with("the transport failed: the request failed"), "{error}");
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("cable cut"), "{error:?}");
        }
    }
}
