//! Bytes into frames, whatever they are: every eight bytes are a header, and nothing is refused here. A peer under test
//! may break any rule, so the decoder of `muxado-frame`, which stops at the first, is of no use.

use std::fmt;

use bytes::{Bytes, BytesMut};
use muxado_frame::{HEADER_LEN, Header, Kind};

/// A frame with its whole body.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) header: Header,
    pub(super) body: Bytes,
}

/// Finds whole frames in bytes that come in any pieces.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    kept: BytesMut,
}

impl Splitter {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    pub(super) fn next(&mut self) -> Option<Frame> {
        let header = Header::decode(*self.kept.first_chunk::<HEADER_LEN>()?);
        let whole = HEADER_LEN + header.length() as usize;
        if self.kept.len() < whole {
            return None;
        }
        let body = self.kept.split_to(whole).split_off(HEADER_LEN).freeze();
        Some(Frame { header, body })
    }
}

/// Finds the headers in what we send ourselves, as soon as they are sent: the peer may answer before the body is out.
#[derive(Debug, Default)]
pub(super) struct Heads {
    kept: BytesMut,
    /// Bytes of body to come.
    skip: usize,
}

impl Heads {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.kept.extend_from_slice(bytes.get(skipped..).unwrap_or(&[]));
    }

    /// The next header, and the increment if it is that of a WNDINC.
    pub(super) fn next(&mut self) -> Option<(Header, u32)> {
        let header = Header::decode(*self.kept.first_chunk::<HEADER_LEN>()?);
        let length = header.length() as usize;
        let mut increment = 0;
        if header.kind() == Kind::WndInc && length == 4 {
            let bytes = self.kept.get(HEADER_LEN..)?.first_chunk()?;
            increment = u32::from_be_bytes(*bytes);
        }
        let here = self.kept.len().min(HEADER_LEN + length);
        self.skip = HEADER_LEN + length - here;
        drop(self.kept.split_to(here));
        Some((header, increment))
    }
}

impl Frame {
    pub(super) fn id(&self) -> u32 {
        self.header.stream_id()
    }

    /// The number at `at` in the body; 0 where the body is too short.
    pub(super) fn number(&self, at: usize) -> u32 {
        let bytes = self.body.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, flags) = (self.id(), self.header.flags());
        match self.header.kind() {
            Kind::Data => write!(f, "DATA {id} of {}", self.body.len())?,
            Kind::Rst => write!(f, "RST {id} code {}", self.number(0))?,
            Kind::WndInc => write!(f, "WNDINC {id} by {}", self.number(0))?,
            Kind::GoAway => write!(f, "GOAWAY code {} last {}", self.number(4), self.number(0))?,
            Kind::Unknown(kind) => write!(f, "type {} {id} of {}", kind.bits(), self.body.len())?,
        }
        for (set, name) in
            [(flags.syn(), " SYN"), (flags.fin(), " FIN"), (flags.bits() & 0xC != 0, " reserved")]
        {
            f.write_str(if set { name } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::*;

    #[test]
    fn anything_is_split_and_named() {
        let bytes =
            [syn(3, b"hello"), frame(2, 0xF, 0, b"abc"), go_away(7, 10, b"no"), frame(9, 0, 1, b"")].concat();
        let mut splitter = Splitter::default();
        let mut seen = Vec::new();
        for byte in bytes {
            splitter.feed(&[byte]);
            seen.extend(splitter.next().map(|frame| frame.to_string()));
        }
        assert_eq!(
            seen,
            ["DATA 3 of 5 SYN", "WNDINC 0 by 0 SYN FIN reserved", "GOAWAY code 10 last 7", "type 9 1 of 0"]
        );
    }

    #[test]
    fn heads_come_before_their_bodies() {
        let bytes = [syn(3, b"hello"), wndinc(3, 7), frame(DATA, 0, 5, b"x")].concat();
        let mut heads = Heads::default();
        let mut seen = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            heads.feed(&[*byte]);
            seen.extend(
                heads
                    .next()
                    .map(|(header, increment)| (at + 1, header.kind().bits(), header.length(), increment)),
            );
        }
        assert_eq!(seen, [(8, DATA, 5, 0), (25, WNDINC, 4, 7), (33, DATA, 1, 0)]);
    }
}
