//! What a connection's first bytes say: matchers, which are functions of these bytes and nothing else.

use std::ops::Range;

#[cfg(feature = "hpack")]
mod header;
mod http1;
mod http2;
mod muxado;
mod simple;
mod tls;

#[cfg(feature = "hpack")]
pub use header::{Http2Header, http2_header, http2_header_prefix};
pub use http1::{http1, http1_header, http1_header_prefix, http1_methods};
pub use http2::http2;
pub use muxado::muxado;
pub use simple::{OneOf, any, one_of, prefix, ssh};
pub use tls::{ClientHello, Parsed, Tls, client_hello, tls};

/// What a matcher says of the bytes so far.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, ssh};
///
/// assert_eq!(ssh().look(b"SS"), Verdict::NeedMore);
/// assert_eq!(ssh().look(b"SSH-2.0-OpenSSH_9.9"), Verdict::Match);
/// assert_eq!(ssh().look(b"SIP/2.0"), Verdict::NoMatch);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is this protocol, whatever comes after.
    Match,
    /// It is not, whatever comes after.
    NoMatch,
    /// It may be, and more bytes will tell. If none come, it is not.
    NeedMore,
    /// As [`NeedMore`](Verdict::NeedMore), for a peer that waits for an answer before it goes on: these bytes are sent to
    /// it, once. What it replies to them does not concern the server behind: see
    /// [`Matcher::reaction`].
    Answer(&'static [u8]),
}

/// Tells whether a connection speaks some protocol by its first bytes.
///
/// Closures are matchers too. A matcher is asked each time that more bytes have come, about all of them from the first on; it
/// must not block and keeps no state.
///
/// ```
/// use muxado_sniff::Verdict;
///
/// let socks5 = |seen: &[u8]| match seen {
///     [] => Verdict::NeedMore,
///     [5, ..] => Verdict::Match,
///     _ => Verdict::NoMatch,
/// };
/// # let _: &dyn muxado_sniff::Matcher = &socks5;
/// ```
pub trait Matcher: Send + Sync + 'static {
    /// What `seen` says, the first bytes of the connection. There may be none yet.
    fn look(&self, seen: &[u8]) -> Verdict;

    /// Where in `seen` the peer reacts to this matcher's [`Verdict::Answer`]; none if it has not yet. That part is
    /// hidden from the server behind, which did not send the answer. Default: the peer does not react.
    ///
    /// Called only if the answer was sent. The connection is handed on when this gives something.
    fn reaction(&self, seen: &[u8]) -> Option<Range<usize>> {
        let _ = seen;
        Some(0..0)
    }
}

impl<F: Fn(&[u8]) -> Verdict + Send + Sync + 'static> Matcher for F {
    fn look(&self, seen: &[u8]) -> Verdict {
        self(seen)
    }
}

/// Whether the connection begins with all of `expected`.
fn begins_with(seen: &[u8], expected: &[u8]) -> Verdict {
    let common = seen.iter().zip(expected).take_while(|(seen, expected)| seen == expected).count();
    if common == expected.len() {
        Verdict::Match
    } else if common == seen.len() {
        Verdict::NeedMore
    } else {
        Verdict::NoMatch
    }
}
