//! How a session comes to its end: open, then draining or closing, then ended with one cause that is kept.

use bytes::Bytes;
use muxado_frame::ErrorCode;

use super::event::Event;
use super::flow::total;
use super::mux::Mux;
use super::state::SendState;
use super::stats::count;
use super::stream::Stream;
use crate::error::{Cut, EndCause, Failure, Retry, SessionEnd, SharedEnd};

/// The most text we send with GOAWAY, in bytes (B13).
pub(super) const MAX_TEXT: usize = 256;

/// The most text of the peer's GOAWAY that is kept, in bytes (B17).
pub(super) const MAX_PEER_TEXT: usize = 1024;

/// How far the end has come.
///
/// ```text
///   Open --> Draining --> Closing --> Ended
///     \          \____________________^ ^
///      \________________________________|   any may be skipped, none is taken back
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Streams come and go.
    Open,
    /// No new streams; those there are go on.
    Draining,
    /// Closed by this side: what finished streams have queued still goes out.
    Closing,
    /// Nothing is taken in any more; at most a GOAWAY goes out.
    Ended,
}

/// Our GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// Not yet.
    None,
    /// When the streams are over.
    WhenDrained,
    /// Before anything else.
    Now,
    /// It has gone out, or never will.
    Done,
}

/// What is known of the session's end.
#[derive(Debug)]
pub(super) struct Shutdown {
    pub(super) phase: Phase,
    pub(super) goodbye: Goodbye,
    pub(super) code: ErrorCode,
    pub(super) text: Bytes,
    /// GOAWAY went out early, with the filler behind it. It goes out again only if there is more to say (behaviour,
    /// decision 3).
    pub(super) said_early: bool,
    /// Nothing that the transport has not taken will ever reach it.
    pub(super) transport_lost: bool,
    /// The end as the application sees it. The first cause is kept.
    pub(super) end: Option<SessionEnd>,
    pub(super) cut: Cut,
    /// What the peer may have had under way when its streams were cut, in bytes.
    pub(super) in_flight: usize,
    /// The peer's GOAWAY.
    pub(super) peer: Option<PeerGoodbye>,
    /// The peer's GOAWAY while its text is still coming: it has no effect yet (S05).
    pub(super) coming: Option<PeerGoodbye>,
}

/// The peer's GOAWAY.
#[derive(Debug)]
pub(super) struct PeerGoodbye {
    /// Streams of ours above this were not processed.
    pub(super) last: u32,
    pub(super) code: ErrorCode,
    /// At most [`MAX_PEER_TEXT`] bytes.
    pub(super) text: Vec<u8>,
}

impl PeerGoodbye {
    pub(super) fn end(&self) -> SessionEnd {
        let text = Bytes::copy_from_slice(&self.text);
        SessionEnd::new(EndCause::GoAway { code: self.code, text: text.clone() }).with_peer(self.code, text)
    }

    /// Whether it only announces an end, as a drain does, and another one may come to say why.
    pub(super) fn says_nothing(&self) -> bool {
        self.code == ErrorCode::NO_ERROR && self.text.is_empty()
    }
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown {
            phase: Phase::Open,
            goodbye: Goodbye::None,
            code: ErrorCode::NO_ERROR,
            text: Bytes::new(),
            said_early: false,
            end: None,
            cut: Cut::default(),
            in_flight: 0,
            peer: None,
            coming: None,
            transport_lost: false,
        }
    }
}

impl Shutdown {
    /// Moves on to `phase`, never back.
    pub(super) fn reach(&mut self, phase: Phase) {
        self.phase = self.phase.max(phase);
    }

    /// Says what the GOAWAY will say, cut to what may be sent.
    pub(super) fn say(&mut self, code: ErrorCode, text: &[u8]) {
        self.code = code;
        let cut = text.get(..MAX_TEXT).unwrap_or(text);
        // Not in the middle of a character.
        let whole = match std::str::from_utf8(cut) {
            Err(error) if error.error_len().is_none() => cut.get(..error.valid_up_to()).unwrap_or(cut),
            _ => cut,
        };
        self.text = Bytes::copy_from_slice(whole);
    }

    /// Counts what is lost of a stream that is about to fail with the session, or while it comes to its end.
    pub(super) fn count_cut(&mut self, stream: &mut Stream) {
        if self.count_cut_stream(stream) {
            self.cut.bytes = self.cut.bytes.saturating_add(total(stream.send.queue.len()));
        }
    }

    /// As [`count_cut`](Shutdown::count_cut), while what the stream has queued can still go out. Whether there is anything to
    /// lose of it.
    fn count_cut_stream(&mut self, stream: &mut Stream) -> bool {
        // Whoever has put it into the background has said that it may end with the session.
        let counts = stream.is_unfinished() && !stream.is_over();
        if counts && !std::mem::replace(&mut stream.was_cut, true) {
            self.cut.streams = self.cut.streams.saturating_add(1);
        }
        counts
    }

    /// Whether an early GOAWAY has said all that there is to say.
    pub(super) fn is_said(&self) -> bool {
        self.said_early && self.code == ErrorCode::NO_ERROR && self.text.is_empty()
    }

    /// The end that `say` leads to.
    pub(super) fn closed(&self) -> SessionEnd {
        SessionEnd::new(EndCause::Closed { code: self.code, text: self.text.clone() })
    }

    /// `end`, with what the peer's GOAWAY said if one has come.
    pub(super) fn with_peer(&self, end: SessionEnd) -> SessionEnd {
        match &self.peer {
            Some(peer) => end.with_peer(peer.code, Bytes::copy_from_slice(&peer.text)),
            None => end,
        }
    }
}

impl Mux {
    /// Takes no new streams of either side, lets those there are finish, then says GOAWAY
    /// with [`ErrorCode::NO_ERROR`].
    ///
    /// ```
    /// # let mut pair = muxado_testkit::Pair::new(&muxado_core::Config::default());
    /// # let mux = &mut pair.client.mux;
    /// # let stream = mux.open()?;
    /// # mux.flush(stream)?;
    /// mux.drain();
    /// assert!(mux.is_leaving() && mux.open().is_err());
    /// assert!(mux.end().is_none()); // `stream` is still there
    /// // If the owner's time for that is up first:
    /// mux.handle_deadline();
    /// assert_eq!(mux.end().map(|end| end.cut().streams), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain(&mut self) {
        if self.shutdown.phase == Phase::Open {
            self.shutdown.reach(Phase::Draining);
            self.shutdown.say(ErrorCode::NO_ERROR, b"");
            self.shutdown.goodbye = Goodbye::WhenDrained;
            self.tell_openers();
        }
    }

    /// [`drain`](Mux::drain), announced at once if the peer is known to survive that
    /// ([`ConfigBuilder::peer_drains`](crate::ConfigBuilder::peer_drains)).
    pub fn go_away(&mut self) {
        let first = self.shutdown.phase == Phase::Open;
        self.drain();
        if first && self.config.peer_drains() {
            self.shutdown.goodbye = Goodbye::Now;
        }
    }

    /// Nobody will open or accept any more: drains, and refuses what was never accepted.
    pub fn abandon(&mut self) {
        self.drain();
        self.refuse_backlog();
    }

    /// Whether there is nothing left that the goodbye waits for, but what is queued.
    pub(super) fn is_drained(&self) -> bool {
        self.shutdown.goodbye == Goodbye::WhenDrained && self.streams.unfinished == 0
    }

    /// Ends the session: open streams fail at once, what finished or dropped streams have queued still goes out,
    /// then GOAWAY with `code` and at most 256 bytes of `text`. The first close counts.
    pub fn close(&mut self, code: ErrorCode, text: &[u8]) {
        if self.shutdown.phase >= Phase::Closing {
            return;
        }
        self.shutdown.reach(Phase::Closing);
        self.shutdown.say(code, text);
        self.shutdown.goodbye = Goodbye::WhenDrained;
        let end = SharedEnd::new(self.shutdown.with_peer(self.shutdown.closed()));
        self.shutdown.end = Some(end.get().clone());
        self.note_in_flight();
        self.refuse_backlog();
        let flushing = [SendState::Finishing, SendState::Aborting];
        self.cut_streams(&end, |stream| stream.rst.is_none() && !flushing.contains(&stream.send.state));
        for key in self.streams.keys() {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            // It only sends now; whoever reads it is told.
            if stream.recv.held && !stream.recv.state.is_over() {
                self.shutdown.count_cut_stream(stream);
            }
            stream.recv.state.kill();
            stream.failure.get_or_insert_with(|| Failure::Lost(end.clone(), Retry::Unknown));
            self.settle_lazy(key);
            self.settle(key);
        }
        // That tells the openers too.
        self.open_waiting = false;
        self.events.push_back(Event::Ended);
    }

    /// The time limit of [`drain`](Mux::drain), of [`close`](Mux::close) or of the peer's GOAWAY has passed: what is
    /// left is cut, and the session ends.
    pub fn handle_deadline(&mut self) {
        let end = match (&self.shutdown.peer, self.shutdown.phase) {
            (Some(peer), Phase::Open) => peer.end(),
            _ => self.shutdown.closed(),
        };
        self.finish_session(end, Goodbye::Now);
    }

    /// Whether this side opens no more streams: it drains, is closed or has ended, or the peer has said GOAWAY.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.shutdown.phase > Phase::Open || self.is_peer_leaving()
    }

    /// Whether the peer has said GOAWAY: [`handle_deadline`](Mux::handle_deadline) is wanted after
    /// [`Config::drain_timeout`](crate::Config::drain_timeout).
    #[must_use]
    pub fn is_peer_leaving(&self) -> bool {
        self.shutdown.peer.is_some()
    }

    /// What the peer may have had under way, within its credit, when the session ended, in bytes. A transport that is
    /// closed before that is read may take back our last frames.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shutdown.in_flight
    }

    /// Notes what the peer may have under way, within the credit it was given, on streams that we have reset too.
    pub(super) fn note_in_flight(&mut self) {
        let credit =
            |stream: &Stream| if stream.recv.state.is_over() { 0 } else { stream.recv.credit.outstanding() };
        let left = self.streams.iter().map(credit).fold(self.streams.dead_credit(), usize::saturating_add);
        self.shutdown.in_flight = self.shutdown.in_flight.max(left);
    }

    fn refuse_backlog(&mut self) {
        for key in self.streams.take_backlog() {
            if self.streams.get(key).is_some_and(|stream| stream.failure.is_none()) {
                count(&mut self.stats.refused);
            }
            self.cancel(key, ErrorCode::STREAM_REFUSED);
            // One that has failed already is not reset again, and has nobody who would let it go.
            self.settle(key);
        }
    }

    pub(super) fn tell_openers(&mut self) {
        if std::mem::take(&mut self.open_waiting) {
            self.events.push_back(Event::PlaceFree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b13_text_is_cut_between_characters_and_bytes_that_are_no_text_where_they_must() {
        let said = |text: &[u8]| {
            let mut shutdown = Shutdown::default();
            shutdown.say(ErrorCode::NO_ERROR, text);
            shutdown.text
        };
        let long = "\u{e4}".repeat(MAX_TEXT);
        assert_eq!(said(long.as_bytes()), long[..MAX_TEXT]);
        let long = format!("x{long}");
        assert_eq!(said(long.as_bytes()), long[..MAX_TEXT - 1], "the last character is in the way");
        let no_text = [0xFF; MAX_TEXT + 1];
        assert_eq!(said(&no_text), no_text[..MAX_TEXT]);
    }
}
