//! HTTP/2, by a header field of the first request.

use std::ops::Range;

use loona_hpack::Decoder;

use super::http2::PREFACE;
use super::{Matcher, Verdict, begins_with};

/// Frame types and flags (RFC 9113, section 6).
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// A SETTINGS frame that sets nothing.
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];

/// The size of the compression table that is in force until settings are acknowledged, in bytes.
const TABLE: usize = 4096;

/// HTTP/2 connections whose first request has this field with this value: `content-type` with `application/grpc` tells
/// gRPC. Names are in lower case, as they are in HTTP/2.
///
/// Only the first request of a connection is looked at; all others go to the same place.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http2_header};
///
/// let grpc = http2_header("content-type", "application/grpc");
/// assert_eq!(grpc.look(b"PRI * HTTP/2.0"), Verdict::NeedMore);
/// assert_eq!(grpc.look(b"GET / HTTP/1.1"), Verdict::NoMatch);
/// ```
#[must_use]
pub fn http2_header(name: &str, value: &str) -> Http2Header {
    Http2Header {
        name: name.as_bytes().to_vec(),
        value: Value::Is(value.as_bytes().to_vec()),
        answering: false,
    }
}

/// As [`http2_header`], with what the value begins with: `application/grpc` for `application/grpc+proto` too.
///
/// ```
/// use muxado_sniff::{Matcher, Verdict, http2_header_prefix};
///
/// let grpc = http2_header_prefix("content-type", "application/grpc").answering(); // with clients in Java
/// assert!(matches!(grpc.look(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"), Verdict::Answer(_)));
/// ```
#[must_use]
pub fn http2_header_prefix(name: &str, prefix: &str) -> Http2Header {
    let value = Value::BeginsWith(prefix.as_bytes().to_vec());
    Http2Header { name: name.as_bytes().to_vec(), value, answering: false }
}

/// A matcher for a header field of HTTP/2; see [`http2_header`].
#[derive(Clone, Debug)]
pub struct Http2Header {
    name: Vec<u8>,
    value: Value,
    answering: bool,
}

#[derive(Clone, Debug)]
enum Value {
    Is(Vec<u8>),
    BeginsWith(Vec<u8>),
}

impl Http2Header {
    /// Also for clients that send no request before they have seen the server's settings, as gRPC clients in Java do.
    ///
    /// A client that has sent its own settings and no request is sent settings that set nothing. It acknowledges them;
    /// the server behind the sniffer, which never sent any, does not see that.
    #[must_use]
    pub fn answering(mut self) -> Http2Header {
        self.answering = true;
        self
    }

    fn fits(&self, name: &[u8], value: &[u8]) -> bool {
        name == self.name
            && match &self.value {
                Value::Is(right) => value == right,
                Value::BeginsWith(prefix) => value.starts_with(prefix),
            }
    }

    fn judge(&self, block: &[u8]) -> Verdict {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(TABLE);
        let mut found = false;
        let decoded = decoder.decode_with_cb(block, |name, value| found |= self.fits(&name, &value));
        if decoded.is_ok() && found { Verdict::Match } else { Verdict::NoMatch }
    }
}

impl Matcher for Http2Header {
    fn look(&self, seen: &[u8]) -> Verdict {
        match begins_with(seen, PREFACE) {
            Verdict::Match => {}
            otherwise => return otherwise,
        }
        let frames = Frames { bytes: seen, at: PREFACE.len() };
        let mut block: Option<Vec<u8>> = None;
        let mut has_settings = false;
        for frame in frames {
            let body = seen.get(frame.body.clone()).unwrap_or_default();
            match (frame.kind, &mut block) {
                (HEADERS, None) => match fragment(body, frame.flags) {
                    Some(fragment) => block = Some(fragment.to_vec()),
                    None => return Verdict::NoMatch,
                },
                (CONTINUATION, Some(block)) => block.extend_from_slice(body),
                // Nothing may come between the parts of a header, and nothing is continued that has not begun.
                (_, Some(_)) | (CONTINUATION, None) => return Verdict::NoMatch,
                (SETTINGS, None) => has_settings |= frame.flags & ACK == 0,
                _ => {}
            }
            if let (Some(block), true) = (&block, frame.flags & END_HEADERS != 0) {
                return self.judge(block);
            }
        }
        // Nothing of a request has come, not even in part.
        let waits = has_settings && block.is_none() && frames_end(seen) == seen.len();
        if self.answering && waits { Verdict::Answer(EMPTY_SETTINGS) } else { Verdict::NeedMore }
    }

    /// The first acknowledgement of settings: the server behind has sent none yet.
    fn reaction(&self, seen: &[u8]) -> Option<Range<usize>> {
        let mut frames = Frames { bytes: seen, at: PREFACE.len() };
        frames.find(|frame| frame.kind == SETTINGS && frame.flags & ACK != 0).map(|ack| ack.whole())
    }
}

/// The part of a HEADERS frame's body that is header, or none if it is malformed (RFC 9113, section 6.2).
fn fragment(body: &[u8], flags: u8) -> Option<&[u8]> {
    let (padding, body) = match flags & PADDED != 0 {
        true => body.split_first().map(|(padding, body)| (usize::from(*padding), body))?,
        false => (0, body),
    };
    let body = if flags & PRIORITY != 0 { body.get(5..)? } else { body };
    body.get(..body.len().checked_sub(padding)?)
}

/// One complete frame, by where it is.
struct Frame {
    kind: u8,
    flags: u8,
    body: Range<usize>,
}

impl Frame {
    fn whole(&self) -> Range<usize> {
        self.body.start - FRAME_HEADER..self.body.end
    }
}

const FRAME_HEADER: usize = 9;

/// The complete frames that there are.
struct Frames<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Iterator for Frames<'_> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let rest = self.bytes.get(self.at..)?;
        let &[a, b, c, kind, flags] = rest.first_chunk()?;
        let start = self.at + FRAME_HEADER;
        let end = start + usize::from(a) * 65_536 + usize::from(b) * 256 + usize::from(c);
        if self.bytes.len() < end {
            return None;
        }
        self.at = end;
        Some(Frame { kind, flags, body: start..end })
    }
}

/// Where the last complete frame ends.
fn frames_end(seen: &[u8]) -> usize {
    Frames { bytes: seen, at: PREFACE.len() }.last().map_or(PREFACE.len(), |frame| frame.body.end)
}
