//! What a play can demand of the peer. Each demand waits no longer than the limit, and says what was seen instead.
//!
//! That nothing happens is shown by a probe: the echo of a fresh stream, with no RST and no GOAWAY before it.

use super::book::Stream;
use super::conn::{Conn, End};
use crate::wire;

/// Why a play did not go as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The peer does something else.
    Differs(String),
    /// With this peer it cannot be seen.
    Untestable(String),
}

pub(super) type Outcome = Result<(), Miss>;

/// Bytes in a probe.
const PROBE: usize = 12;

/// How often a probe that is refused for want of a place is repeated.
const PROBES: usize = 2000;

impl Conn {
    /// The peer differs from what was expected, so: what it did last goes with it.
    pub(super) fn differs<T>(&self, what: impl Into<String>) -> Result<T, Miss> {
        let mut what = what.into();
        if let Some(trouble) = &self.unwritable {
            what.push_str(&format!("; {trouble}"));
        }
        let frames = &self.book.last_frames;
        if frames.is_empty() {
            what.push_str("; no frame came");
        } else {
            let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
            what.push_str(&format!("; last came: {}", frames.join(", ")));
        }
        match self.end {
            Some(End::Clean) => what.push_str(", end"),
            Some(End::Broken(kind)) => what.push_str(&format!(", end ({kind})")),
            None => {}
        }
        Err(Miss::Differs(what))
    }

    /// Waits for what `done` sees; a GOAWAY, the end of the transport or a wrong byte before it is a difference.
    pub(super) fn until(&mut self, what: &str, done: impl Fn(&Conn) -> bool) -> Outcome {
        let gone =
            |conn: &Conn| conn.end.is_some() || conn.book.goaway.is_some() || conn.book.wrong.is_some();
        self.wait(|conn| done(conn) || gone(conn));
        if done(self) {
            return Ok(());
        }
        if let Some(wrong) = &self.book.wrong {
            return self.differs(wrong.clone());
        }
        if self.book.goaway.is_some() {
            return self.differs(format!("GOAWAY instead of {what}"));
        }
        if self.end.is_some() {
            return self.differs(format!("the transport ended before {what}"));
        }
        self.differs(format!("no {what} within {:?}", self.limit))
    }

    fn until_stream(&mut self, id: u32, what: &str, done: impl Fn(&Stream) -> bool) -> Outcome {
        let what = format!("{what} of stream {id}");
        let expected = self.expected.contains_key(&id);
        self.until(&what, |conn| {
            let stream = conn.book.stream(id);
            done(&stream) || (!stream.resets.is_empty() && !expected)
        })?;
        self.quiet()
    }

    /// Everything sent on `id` has come back.
    pub(super) fn echoed(&mut self, id: u32) -> Outcome {
        self.until_stream(id, "echo", |stream| stream.came == stream.to_echo)
    }

    /// Everything sent on `id` has come back, and its end.
    pub(super) fn finished(&mut self, id: u32) -> Outcome {
        self.until_stream(id, "echo and end", Stream::is_done)
    }

    /// `len` more bytes go out on `id`, as far as the peer's credit goes.
    pub(super) fn bulk(&mut self, id: u32, mut len: usize) -> Outcome {
        while len > 0 {
            self.until_stream(id, "credit", |stream| stream.credit() > 0)?;
            let credit = usize::try_from(self.book.stream(id).credit()).unwrap_or(usize::MAX);
            let now = len.min(credit).min(16 * 1024);
            self.data(id, now);
            len -= now;
        }
        Ok(())
    }

    /// One RST of `id`, with this code. That it stays the only one is seen by the next probe.
    pub(super) fn resets(&mut self, id: u32, code: u32) -> Outcome {
        self.expected.insert(id, code);
        self.until(&format!("RST of stream {id}"), |conn| !conn.book.stream(id).resets.is_empty())?;
        self.quiet()
    }

    /// No RST and no GOAWAY came that was not asked for, and every byte that came is right.
    pub(super) fn quiet(&self) -> Outcome {
        for (id, codes) in self.book.resets() {
            match (self.expected.get(&id), codes) {
                (Some(code), [seen]) if code == seen => {}
                (Some(code), [seen]) => {
                    return self.differs(format!("RST of stream {id} with code {seen}, not {code}"));
                }
                (Some(_), _) => return self.differs(format!("a second RST of stream {id}")),
                (None, _) => return self.differs(format!("RST of stream {id} with code {codes:?}")),
            }
        }
        if let Some(wrong) = &self.book.wrong {
            return self.differs(wrong.clone());
        }
        if self.book.goaway.is_some() {
            return self.differs("GOAWAY");
        }
        Ok(())
    }

    /// The session lives: a fresh stream is echoed, and nothing else happened before.
    pub(super) fn lives(&mut self) -> Outcome {
        let id = self.fresh();
        self.open(id, PROBE);
        self.fin(id);
        self.finished(id)
    }

    /// The session lives, once its application has let go of what took up all places.
    pub(super) fn lives_in_the_end(&mut self) -> Outcome {
        for _ in 0..PROBES {
            let id = self.fresh();
            self.open(id, PROBE);
            self.fin(id);
            let refused = |stream: &Stream| matches!(stream.resets[..], [5 | 9]);
            self.until(&format!("answer to stream {id}"), |conn| {
                let stream = conn.book.stream(id);
                stream.is_done() || !stream.resets.is_empty()
            })?;
            let stream = self.book.stream(id);
            if !refused(&stream) {
                return self.quiet();
            }
            self.expected.insert(id, stream.resets[0]);
        }
        self.differs(format!("{PROBES} streams in a row were refused"))
    }

    /// Within what happens during `meanwhile` no frame comes for `id`.
    pub(super) fn silent_on(&mut self, id: u32, meanwhile: impl FnOnce(&mut Conn) -> Outcome) -> Outcome {
        let before = self.book.stream(id).frames;
        meanwhile(self)?;
        let frames = self.book.stream(id).frames - before;
        if frames > 0 {
            self.differs(format!("{frames} frames for stream {id}, which is over"))
        } else {
            Ok(())
        }
    }

    /// GOAWAY with this code, nothing behind it, then the end of the transport.
    pub(super) fn session_error(&mut self, code: u32) -> Outcome {
        self.wait(|conn| conn.end.is_some());
        match self.book.goaway {
            None if self.end.is_some() => self.differs("the end without a GOAWAY"),
            None => self.differs(format!("no GOAWAY within {:?}", self.limit)),
            Some(goaway) if goaway.code != code => {
                self.differs(format!("GOAWAY with code {}, not {code}", goaway.code))
            }
            Some(_) if self.book.after_goaway > 0 => self.differs("frames behind the GOAWAY"),
            Some(_) if self.end.is_none() => {
                self.differs(format!("GOAWAY, but no end of the transport within {:?}", self.limit))
            }
            Some(_) => self.only_expected_resets(),
        }
    }

    fn only_expected_resets(&self) -> Outcome {
        let unexpected = self.book.resets().find(|(id, _)| !self.expected.contains_key(id));
        match unexpected {
            Some((id, codes)) => self.differs(format!("RST of stream {id} with code {codes:?}")),
            None => Ok(()),
        }
    }

    /// The transport ends, and of the streams in `unfinished` none comes to a clean end.
    pub(super) fn ends_cut(&mut self, unfinished: &[u32]) -> Outcome {
        self.wait(|conn| conn.end.is_some());
        if self.end.is_none() {
            return self.differs(format!("no end of the transport within {:?}", self.limit));
        }
        match unfinished.iter().find(|id| self.book.stream(**id).fin) {
            Some(id) => self.differs(format!("FIN for stream {id}, which was cut off")),
            None => Ok(()),
        }
    }

    /// Sends `piece` again and again, `times` at most, until GOAWAY comes.
    pub(super) fn flood(&mut self, times: u32, mut piece: impl FnMut(&Conn, u32) -> Vec<u8>) {
        for n in 0..times {
            if self.book.goaway.is_some() || self.end.is_some() || self.unwritable.is_some() {
                return;
            }
            let piece = piece(self, n);
            self.send(&piece);
        }
    }

    /// A stream that both sides have finished.
    pub(super) fn over(&mut self, id: u32) -> Outcome {
        self.open(id, 5);
        self.fin(id);
        self.finished(id)
    }

    /// A stream that the peer has reset, because it was never opened.
    pub(super) fn dead(&mut self, id: u32) -> Outcome {
        self.send(&wire::data(id, b"stray"));
        self.resets(id, 4)
    }

    /// A stream whose echo stands still for want of credit: `more` bytes beyond the window are with the peer.
    pub(super) fn stuck(&mut self, id: u32, more: usize) -> Outcome {
        self.hold(id);
        self.open(id, 0);
        self.bulk(id, 256 * 1024)?;
        // While something is unread, less than half a window may be owed for long (docs/protocol.md, 5.5).
        let returned = |stream: &Stream| stream.came == 256 * 1024 && stream.returned == 256 * 1024;
        self.until_stream(id, "a window of echo and its credit", returned)?;
        self.bulk(id, more)
    }
}
