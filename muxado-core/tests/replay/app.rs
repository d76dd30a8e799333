//! One side of a recorded session, played by our machine: what the recorded side put on the wire says what its
//! application did and when, and the other side's recorded bytes go in.
//!
//! A DATA frame of the recorded side is a write, its FIN a finish, a WNDINC a read, a GOAWAY a close. Reading takes
//! all there is, so that the credit we have given is never behind the credit that the recorded peer was given.

use bytes::Bytes;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, EndCause, OpenError};
use muxado_frame::{ErrorCode, Side, StreamId};

use super::recording::{Call, Frame, Party, Recording, kind};
use super::report::{End, Fault, Held, Opened, Report, open_code, read_fault, write_fault};

/// How the peer's bytes are handed over.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "each of the two tests has its own ways")]
pub(crate) enum Feed {
    /// All there is at once, to be copied.
    Whole,
    /// All there is at once, as a buffer that may be kept.
    Shared,
    /// One byte at a time.
    Single,
    /// In pieces of random sizes, from a seed.
    Random(u64),
}

/// The transport ends before the recording does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Bytes of the peer that still arrive.
    pub(crate) at: usize,
    /// It fails instead of ending.
    pub(crate) failure: bool,
}

struct App<'a> {
    mux: Mux,
    side: Side,
    party: &'a Party,
    feed: Feed,
    cut: bool,
    batch: Batch,
    last_id: u32,
    goodbyes: usize,
    settled: bool,
    report: Report,
}

/// Plays `side` of a recording against the other side's bytes.
pub(crate) fn play(recording: &Recording, side: Side, feed: Feed, cut: Option<Cut>) -> Report {
    let (own, peer) = (recording.party(side), recording.party(side.peer()));
    let limit = cut.map_or(peer.bytes.len(), |cut| cut.at);
    let mut app = App {
        mux: Mux::new(side, &config(own, peer)),
        side,
        party: own,
        feed,
        cut: cut.is_some(),
        batch: Batch::vectored(),
        last_id: 0,
        goodbyes: 0,
        settled: false,
        report: Report::default(),
    };
    let (mut acted, mut came, mut fed) = (0, 0, 0);
    for &(whose, count) in &recording.timeline {
        if whose == side {
            for at in acted..acted + count {
                app.act(&own.frames[at], at + 1 == own.frames.len());
            }
            acted += count;
        } else {
            came += count;
            // An application that waits gets its turn behind every SYN.
            for (at, frame) in peer.frames[came - count..came].iter().enumerate() {
                if frame.syn || at + 1 == count {
                    let end = frame.at.end.min(limit);
                    app.take(&peer.bytes.slice(fed..end));
                    fed = end;
                    while app.waits_for_a_stream(&own.frames[acted..]) && app.accept() {}
                }
            }
        }
        if cut.is_some() && fed == limit {
            break;
        }
    }
    app.take(&peer.bytes.slice(fed..limit));
    app.transport_ends(cut.map_or(peer.reset, |cut| cut.failure));
    app.report
}

/// What the recorded side was set to. A script has no settings, so it gets its peer's window.
fn config(own: &Party, peer: &Party) -> Config {
    const MANY: usize = 4096;
    let limits = own.limits.clone().unwrap_or_default();
    let window = limits.window.or(peer.limits.as_ref().and_then(|limits| limits.window));
    let mut builder = Config::builder()
        .max_inbound_streams(limits.streams.unwrap_or(MANY))
        .max_outbound_streams(MANY)
        .accept_backlog(limits.backlog.unwrap_or(MANY))
        .peer_drains(true);
    if let Some(window) = window {
        builder = builder.window(window).window_agreed_out_of_band();
    }
    builder.build().unwrap()
}

impl App<'_> {
    /// Hands over what the peer sent, split as asked.
    fn take(&mut self, bytes: &Bytes) {
        let mut rest = bytes.clone();
        let mut dice = match self.feed {
            Feed::Random(seed) => seed,
            _ => 0,
        };
        while !rest.is_empty() {
            let size = match self.feed {
                Feed::Whole | Feed::Shared => rest.len(),
                Feed::Single => 1,
                Feed::Random(_) => roll(&mut dice),
            };
            let mut piece = rest.split_to(size.min(rest.len()));
            while !piece.is_empty() {
                let taken = match self.feed {
                    Feed::Whole | Feed::Single => self.mux.handle_slice(&piece),
                    Feed::Shared | Feed::Random(_) => self.mux.handle_bytes(&piece),
                };
                assert!(taken > 0, "no progress on {} bytes", piece.len());
                piece = piece.slice(taken..);
            }
        }
        self.pump();
    }

    /// Sends what is to be sent. Where it goes is of no interest here.
    fn pump(&mut self) {
        while self.mux.poll_event().is_some() {}
        while self.mux.wants_transmit() {
            self.mux.poll_transmit(&mut self.batch, 64 * 1024);
            let sent = self.batch.len();
            self.batch.advance(sent);
            self.mux.handle_written(sent);
        }
        while self.mux.poll_event().is_some() {}
    }

    /// Does what led to this frame of the recorded side.
    fn act(&mut self, frame: &Frame, is_last: bool) {
        let raw = self.party.implementation == "raw";
        match frame.kind {
            _ if raw && !self.can_send(frame) => self.report.unplayable = true,
            kind::DATA => self.send(frame),
            kind::WNDINC => match self.find(frame.id) {
                Some(at) => self.drain(at),
                None => self.report.unplayable = true,
            },
            // A script resets; everybody else is made to by what came in.
            kind::RST if raw => {
                let stream = self.find(frame.id).map(|at| self.report.streams[at].key);
                let code = ErrorCode::new(frame.number(0));
                let done = stream.is_some_and(|key| self.mux.reset(key, code).is_ok());
                self.report.unplayable |= !done;
            }
            kind::RST => {}
            kind::GOAWAY => self.say_goodbye(frame, is_last),
            _ => self.report.unplayable = true,
        }
        self.pump();
    }

    /// Whether our side could send a frame like this one of a script.
    fn can_send(&self, frame: &Frame) -> bool {
        match frame.kind {
            kind::DATA => StreamId::new(frame.id).is_some(),
            kind::RST => frame.body.len() == 4,
            // We never return more than was read.
            kind::WNDINC => {
                frame.body.len() == 4 && (1..=self.mux.config().window()).contains(&frame.number(0))
            }
            kind::GOAWAY => frame.body.len() >= 8 && frame.id == 0,
            _ => false,
        }
    }

    fn send(&mut self, frame: &Frame) {
        let Some(at) = self.find(frame.id).or_else(|| self.open(frame)) else {
            self.report.unplayable = true;
            return;
        };
        match self.write(at, &frame.body) {
            Ok(()) => {}
            Err(_) if self.party.implementation == "raw" => self.report.unplayable = true,
            Err(fault) => _ = self.report.streams[at].write.get_or_insert(fault),
        }
        let key = self.report.streams[at].key;
        if frame.syn && frame.body.is_empty() && !frame.fin {
            self.mux.flush(key).unwrap();
        }
        if frame.fin {
            self.end_writing(at);
        }
        self.pump();
        if let Some(next) = StreamId::new(self.last_id.wrapping_add(2)) {
            self.mux.start_ids_at(next);
        }
    }

    /// The stream with this recorded id, accepting until it comes.
    fn find(&mut self, id: u32) -> Option<usize> {
        let held = |streams: &[Held]| streams.iter().position(|held| held.id == id && !held.released);
        while held(&self.report.streams).is_none() && self.accept() {}
        held(&self.report.streams)
    }

    /// Whether the recorded application was already waiting in its next accept: it had not slept before, and `ahead`
    /// it has no refusals that say the contrary.
    fn waits_for_a_stream(&self, ahead: &[Frame]) -> bool {
        if self.party.is_silent() {
            return true;
        }
        let accepted = self.report.accepted.len();
        let mut calls = self.party.calls.iter();
        let accept = |call: &&Call| call.is(&["accept"]);
        if accepted > 0 {
            calls.by_ref().filter(accept).nth(accepted - 1);
        }
        let next = calls.find(|call| call.is(&["accept", "sleep"]));
        let full = ErrorCode::ACCEPT_QUEUE_FULL.get();
        next.is_some_and(|call| call.is(&["accept"]))
            && !ahead.iter().any(|frame| frame.kind == kind::RST && frame.number(0) == full)
    }

    fn accept(&mut self) -> bool {
        let Ok(Some(key)) = self.mux.accept() else { return false };
        let id = self.mux.stream_id(key).unwrap().get();
        self.report.accepted.push(id);
        self.hold(id, key);
        true
    }

    /// Opens the stream that this frame is the first of, with the same id.
    ///
    /// Our own order of ids is another one: they are given with the SYN, not with the open (W01). The implementations
    /// that were recorded lose a SYN now and then; ours sends it.
    fn open(&mut self, frame: &Frame) -> Option<usize> {
        let id = StreamId::new(frame.id).filter(|id| id.opener() == self.side)?;
        let called = |call: &Call| call.stream == Some(frame.id) && call.is(&["open", "open_typed"]);
        let opens = if self.party.is_silent() { frame.syn } else { self.party.calls.iter().any(called) };
        if !opens {
            return None;
        }
        self.mux.start_ids_at(id);
        match self.mux.open() {
            Ok(key) => {
                self.last_id = self.last_id.max(frame.id);
                Some(self.hold(frame.id, key))
            }
            Err(error) => {
                self.report.opens.push(Opened { recorded: None, ours: Some(open_code(&error)) });
                None
            }
        }
    }

    fn hold(&mut self, id: u32, key: StreamKey) -> usize {
        self.report.streams.push(Held::new(id, key));
        self.report.streams.len() - 1
    }

    fn write(&mut self, at: usize, bytes: &Bytes) -> Result<(), Fault> {
        let key = self.report.streams[at].key;
        let mut left = bytes.clone();
        while !left.is_empty() {
            if self.mux.write_bytes(key, &mut left).map_err(|error| write_fault(&error))? == 0 {
                // Only a script writes what it has no credit for.
                assert_eq!(self.party.implementation, "raw", "no credit for {} bytes", left.len());
                self.report.unplayable = true;
                break;
            }
            self.pump();
        }
        Ok(())
    }

    /// Reads all there is, and gives the credit back.
    fn drain(&mut self, at: usize) {
        let held = &mut self.report.streams[at];
        while held.end.is_none() {
            match self.mux.read(held.key, usize::MAX) {
                Ok(Read::Chunk(chunk)) => held.read.extend_from_slice(&chunk),
                Ok(Read::End) => held.end = Some(End::Eof),
                Ok(_) => break,
                Err(error) => held.end = Some(End::Failed(read_fault(&error))),
            }
        }
        self.mux.handle_credit_due();
        self.pump();
    }

    fn end_writing(&mut self, at: usize) {
        let (id, key) = (self.report.streams[at].id, self.report.streams[at].key);
        let ending = ["close_write", "close", "drop_stream"];
        let calls: Vec<&Call> = self.party.calls.iter().filter(|call| call.stream == Some(id)).collect();
        let end = calls.iter().position(|call| call.is(&ending));
        if let Some(end) = end {
            if calls[..end].iter().any(|call| call.is(&["write"]) && call.error.is_some()) {
                self.try_write(at);
            }
        }
        let closes = end.is_some_and(|end| !calls[end].is(&["close_write"]));
        if closes {
            self.drain(at);
        }
        // A stream that has failed cannot be finished; its writes have told.
        let _ = self.mux.finish(key);
        if closes {
            self.mux.release_send(key);
            self.mux.release_recv(key);
            self.report.streams[at].released = true;
        }
    }

    /// Writes one byte to see whether it fails.
    fn try_write(&mut self, at: usize) {
        let held = &mut self.report.streams[at];
        if !std::mem::replace(&mut held.tried, true) && held.write.is_none() && !held.released {
            held.write = self.mux.write(held.key, b"x").err().map(|error| write_fault(&error));
        }
    }

    fn say_goodbye(&mut self, frame: &Frame, is_last: bool) {
        let (code, text) = (ErrorCode::new(frame.number(4)), frame.body.get(8..).unwrap_or_default());
        let mut wanted =
            self.party.calls.iter().filter(|call| call.is(&["session_close", "session_go_away"]));
        let drains = match wanted.nth(self.goodbyes) {
            _ if self.party.implementation == "raw" => !is_last,
            // Nobody asked for it: it is the answer to the peer's end or fault.
            None => return,
            Some(_) if code == ErrorCode::PEER_EOF => return,
            Some(call) => call.is(&["session_go_away"]),
        };
        self.goodbyes += 1;
        if drains {
            self.mux.go_away();
        } else {
            self.settle();
            self.mux.close(code, text);
        }
    }

    /// Does what left no frame, before the session ends.
    fn settle(&mut self) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        while self.accept() {}
        if self.mux.is_peer_leaving() {
            if let Err(OpenError::GoneAway(end)) = self.mux.open() {
                self.report.goodbye = Some(end);
            }
        }
        if self.cut {
            return;
        }
        for call in self.opens_without_frames() {
            let refused = call.error.as_ref().map(|error| error.code);
            if refused.is_none() || refused == Some(Some(ErrorCode::REMOTE_GONE_AWAY.get())) {
                self.open_again(&call);
            }
        }
        for at in 0..self.report.streams.len() {
            if self.swallowed_writes(self.report.streams[at].id) {
                self.try_write(at);
            }
        }
        self.pump();
    }

    fn opens_without_frames(&self) -> Vec<Call> {
        let is_held = |call: &Call| self.report.streams.iter().any(|held| Some(held.id) == call.stream);
        let opens = self.party.calls.iter().filter(|call| call.is(&["open", "open_typed"]));
        opens.filter(|call| !is_held(call)).cloned().collect()
    }

    fn open_again(&mut self, call: &Call) {
        let recorded = call.error.as_ref().and_then(|error| error.code);
        let result = self.mux.open();
        self.report.opens.push(Opened { recorded, ours: result.as_ref().err().map(open_code) });
        if let (Ok(key), Some(id)) = (result, call.stream) {
            self.hold(id, key);
        }
    }

    /// Whether the recorded side reported more bytes as written than it ever sent.
    fn swallowed_writes(&self, id: u32) -> bool {
        let calls = self.party.calls.iter().filter(|call| call.stream == Some(id) && call.error.is_none());
        let written: usize = calls
            .map(|call| match call.op.as_str() {
                "write" => call.len,
                "open_typed" => 4,
                _ => 0,
            })
            .sum();
        let frames = self.party.frames.iter().filter(|frame| frame.kind == kind::DATA && frame.id == id);
        written > frames.map(|frame| frame.body.len()).sum()
    }

    fn transport_ends(&mut self, failure: bool) {
        self.settle();
        if failure {
            self.mux.handle_failure(EndCause::Transport(std::io::ErrorKind::ConnectionReset.into()));
        } else {
            self.mux.handle_eof();
        }
        self.pump();
        for at in 0..self.report.streams.len() {
            if !self.report.streams[at].released {
                self.drain(at);
            }
        }
        if !self.cut {
            for call in &self.party.calls {
                if call.is(&["write"]) && call.error.is_some() {
                    let held = self.report.streams.iter().position(|held| Some(held.id) == call.stream);
                    held.into_iter().for_each(|at| self.try_write(at));
                }
            }
            for call in self.opens_without_frames() {
                if call.error.as_ref().is_some_and(|e| e.code != Some(ErrorCode::REMOTE_GONE_AWAY.get())) {
                    self.open_again(&call);
                }
            }
        }
        self.report.end = self.mux.end();
        if let Some(end) = &self.report.end {
            if matches!(end.cause(), EndCause::GoAway { .. }) {
                self.report.goodbye = Some(end.clone());
            }
        }
    }
}

/// A size from 1 to 16, and one time in eight up to 5000.
fn roll(dice: &mut u64) -> usize {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let (large, number) = ((*dice >> 32) % 8 == 0, *dice >> 40);
    usize::try_from(1 + number % if large { 5000 } else { 16 }).unwrap()
}
