//! HTTP/2, by its preface.

use super::{Matcher, begins_with};

/// What every client of HTTP/2 sends first (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// HTTP/2 clients with prior knowledge, gRPC's among them, by their preface.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http2};
///
/// assert_eq!(http2().look(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Verdict::Match);
/// ```
#[must_use]
pub fn http2() -> impl Matcher {
    |seen: &[u8]| begins_with(seen, PREFACE)
}
