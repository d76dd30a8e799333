//! HTTP/1: by its method, by its request line, by a header field.

use httparse::{EMPTY_HEADER, Request, Status};

use super::{Matcher, Verdict, begins_with};

/// The methods of HTTP itself (RFC 9110) and PATCH.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// More header fields than this in a request, and it is not looked through: as many as hyper takes.
const MAX_HEADERS: usize = 100;

/// HTTP/1 requests, by their whole first line: a method, a target, a version of HTTP/1. Any method will do.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http1};
///
/// assert_eq!(http1().look(b"GET / HT"), Verdict::NeedMore);
/// assert_eq!(http1().look(b"GET / HTTP/1.1\r\n"), Verdict::Match);
/// assert_eq!(http1().look(b"SSH-2.0-x\r\n"), Verdict::NoMatch);
/// ```
#[must_use]
pub fn http1() -> impl Matcher {
    request_line
}

/// HTTP/1 requests, by their method alone: the quickest. With no methods given, those of RFC 9110 and PATCH.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http1_methods};
///
/// assert_eq!(http1_methods(&[]).look(b"GET "), Verdict::Match);
/// assert_eq!(http1_methods(&["PURGE"]).look(b"GET "), Verdict::NoMatch);
/// ```
#[must_use]
pub fn http1_methods(methods: &[&str]) -> impl Matcher {
    let methods = if methods.is_empty() { METHODS } else { methods };
    let beginnings: Vec<Vec<u8>> = methods.iter().map(|method| format!("{method} ").into_bytes()).collect();
    move |seen: &[u8]| {
        let mut so_far = Verdict::NoMatch;
        for beginning in &beginnings {
            match begins_with(seen, beginning) {
                Verdict::Match => return Verdict::Match,
                Verdict::NeedMore => so_far = Verdict::NeedMore,
                _ => {}
            }
        }
        so_far
    }
}

/// HTTP/1 requests whose head has this field with this value. Names are compared without regard to case, values with.
///
/// Only the first request of a connection is looked at. A client that keeps the connection for further requests sends
/// them to the same place, whatever their fields are.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http1_header};
///
/// let site = http1_header("host", "example.com");
/// assert_eq!(site.look(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), Verdict::Match);
/// assert_eq!(site.look(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), Verdict::NoMatch);
/// ```
#[must_use]
pub fn http1_header(name: &str, value: &str) -> impl Matcher {
    let (name, value) = (name.to_owned(), value.as_bytes().to_vec());
    move |seen: &[u8]| head(seen, &name, |found| found == value)
}

/// As [`http1_header`], with what the value begins with.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http1_header_prefix};
///
/// let forms = http1_header_prefix("content-type", "multipart/");
/// let head = b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data\r\n\r\n";
/// assert_eq!(forms.look(head), Verdict::Match);
/// ```
#[must_use]
pub fn http1_header_prefix(name: &str, prefix: &str) -> impl Matcher {
    let (name, prefix) = (name.to_owned(), prefix.as_bytes().to_vec());
    move |seen: &[u8]| head(seen, &name, |found| found.starts_with(&prefix))
}

fn request_line(seen: &[u8]) -> Verdict {
    let mut headers = [EMPTY_HEADER; 0];
    let mut request = Request::new(&mut headers);
    match request.parse(seen) {
        // The line is done when its version is known, whatever is wrong behind it: there is no room for fields.
        _ if request.version.is_some() => Verdict::Match,
        Ok(_) => Verdict::NeedMore,
        Err(_) => Verdict::NoMatch,
    }
}

fn head(seen: &[u8], name: &str, right: impl Fn(&[u8]) -> bool) -> Verdict {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(seen) {
        Ok(Status::Complete(_)) => {
            let mut fields = request.headers.iter();
            match fields.any(|field| field.name.eq_ignore_ascii_case(name) && right(field.value)) {
                true => Verdict::Match,
                false => Verdict::NoMatch,
            }
        }
        Ok(Status::Partial) => Verdict::NeedMore,
        Err(_) => Verdict::NoMatch,
    }
}
