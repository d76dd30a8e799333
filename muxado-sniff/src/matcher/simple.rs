//! The matchers that need no parser.

use std::fmt;
use std::ops::Range;

use super::{Matcher, Verdict, begins_with};

/// Every connection, even one that says nothing at all. For the last in order: what is left over.
///
/// As long as an earlier matcher is undecided, this one waits: a silent client arrives here when its time is over.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, any};
///
/// assert_eq!(any().look(b""), Verdict::Match);
/// ```
#[must_use]
pub fn any() -> impl Matcher {
    |_seen: &[u8]| Verdict::Match
}

/// Connections that begin with these bytes.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, prefix};
///
/// let proxy = prefix(*b"PROXY ");
/// assert_eq!(proxy.look(b"PRO"), Verdict::NeedMore);
/// assert_eq!(proxy.look(b"PROXY TCP4"), Verdict::Match);
/// ```
#[must_use]
pub fn prefix(expected: impl Into<Vec<u8>>) -> impl Matcher {
    let expected = expected.into();
    move |seen: &[u8]| begins_with(seen, &expected)
}

/// SSH clients, by their banner (RFC 4253, section 4.2). Not those that wait for the server's banner before they send
/// their own: those go to [`any`].
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, ssh};
///
/// assert_eq!(ssh().look(b"SSH-2.0-OpenSSH_9.9"), Verdict::Match);
/// ```
#[must_use]
pub fn ssh() -> impl Matcher {
    prefix(*b"SSH-")
}

/// What any of these matchers matches. None of them is preferred: the first to be sure decides.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http1, http2, one_of};
///
/// let web = one_of(vec![Box::new(http1()), Box::new(http2())]);
/// assert_eq!(web.look(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Verdict::Match);
/// ```
#[must_use]
pub fn one_of(matchers: Vec<Box<dyn Matcher>>) -> OneOf {
    OneOf(matchers)
}

/// Several matchers as one; see [`one_of`].
pub struct OneOf(Vec<Box<dyn Matcher>>);

impl Matcher for OneOf {
    fn look(&self, seen: &[u8]) -> Verdict {
        let mut so_far = Verdict::NoMatch;
        for matcher in &self.0 {
            match matcher.look(seen) {
                Verdict::Match => return Verdict::Match,
                Verdict::NoMatch => {}
                undecided if so_far == Verdict::NoMatch => so_far = undecided,
                answer @ Verdict::Answer(_) if so_far == Verdict::NeedMore => so_far = answer,
                _ => {}
            }
        }
        so_far
    }

    fn reaction(&self, seen: &[u8]) -> Option<Range<usize>> {
        // Only one of them can have answered: one with an answer to what there was before the reaction. If no peer reacts to
        // any of them, there is nothing to wait for.
        let mut reactions = self.0.iter().map(|matcher| matcher.reaction(seen));
        reactions.find(|reaction| *reaction != Some(0..0)).unwrap_or(Some(0..0))
    }
}

impl fmt::Debug for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneOf({} matchers)", self.0.len())
    }
}
