//! The target `session_bytes`: one machine, any bytes from its peer, and an application that does anything it may.
//!
//! What comes out is judged by the [`Ledger`], which reads the same bytes, and by what the application did.

use std::time::Duration;

use bytes::Bytes;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, EndCause};
use muxado_frame::{ErrorCode, Side, StreamId};

use super::ledger::Ledger;
use super::source::Dice;
use crate::{Outcome, Peer};

/// The most bytes a session gets, repeats included: enough to empty every budget.
const MOST: usize = 96 * 1024;

/// The most turns the application gets.
const TURNS: usize = 64;

/// The first four bytes choose the settings, how the rest is cut, what the application does and how it ends; the rest
/// is what the peer sends, once or many times over.
///
/// # Panics
/// If anything comes out that must not.
pub fn session_bytes(data: &[u8]) {
    let Some(([setup, cuts, application, end], bytes)) = data.split_first_chunk() else { return };
    // Seldom, because it is slow.
    let repeat = match end >> 4 {
        15 => MOST,
        14 => 64,
        13 => 8,
        12 => 2,
        _ => 1,
    };
    let repeat = repeat.min(1 + MOST / bytes.len().max(1));
    let bytes = bytes.repeat(repeat);
    if *application == 0 {
        return splits_agree(*setup, *cuts, &bytes);
    }
    let mut run = Run::new(*setup, u64::from(*application) << 8 | u64::from(*cuts));
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let least = 1 + bytes.len() / TURNS;
        let most = if *cuts == 0 { rest.len() } else { least + run.dice.below(4 * usize::from(*cuts)) };
        let (piece, after) = rest.split_at(most.min(rest.len()));
        run.hear(piece);
        run.act();
        run.transmit();
        run.check();
        rest = after;
    }
    run.end(end & 0xF);
}

/// The settings that a byte stands for.
fn settings(setup: u8) -> (Side, Config, StreamId) {
    let side = if setup & 1 == 0 { Side::Server } else { Side::Client };
    let small = Config::builder().window_agreed_out_of_band();
    let config = match setup >> 1 & 3 {
        0 => Config::builder(),
        1 => small
            .window(64)
            .max_frame(16)
            .max_inbound_streams(2)
            .max_outbound_streams(2)
            .accept_backlog(1)
            .send_queue(32)
            .session_send_queue(48)
            .max_session_recv(100),
        2 => small.window(17).max_inbound_streams(3).peer_drains(true).send_queue(1).session_send_queue(1),
        _ => small.window(1).max_frame(1).max_inbound_streams(1).max_outbound_streams(1).max_session_recv(0),
    };
    let nearly_used_up = if side == Side::Client { 0x7FFF_FFFB } else { 0x7FFF_FFFC };
    let first = StreamId::new(nearly_used_up).filter(|_| setup & 8 != 0).unwrap_or(StreamId::first(side));
    (side, config.build().unwrap_or_default(), first)
}

/// Without an application: the same bytes in other pieces come to the same (S18).
fn splits_agree(setup: u8, cuts: u8, bytes: &[u8]) {
    let mut dice = Dice::new(u64::from(cuts));
    let whole = outcome(setup, |peer| peer.feed(bytes));
    let shared = outcome(setup, |peer| peer.feed_shared(Bytes::copy_from_slice(bytes)));
    let mut at = 0;
    let places = std::iter::from_fn(|| {
        at += 1 + dice.below(1 + usize::from(cuts));
        (at < bytes.len()).then_some(at)
    });
    let cut = outcome(setup, |peer| peer.feed_cut(bytes, places));
    assert_eq!(whole, shared, "S18: copied and shared");
    assert_eq!(whole, cut, "S18: whole and cut");
}

fn outcome(setup: u8, feed: impl FnOnce(&mut Peer)) -> Outcome {
    let (side, config, first) = settings(setup);
    let mut peer = Peer::with(side, &config);
    peer.mux.start_ids_at(first);
    let opened: Vec<StreamKey> = (0..setup >> 6).filter_map(|_| peer.mux.open().ok()).collect();
    for key in &opened {
        let _ = peer.mux.write(*key, b"x");
    }
    peer.sent();
    feed(&mut peer);
    peer.outcome(&opened)
}

/// A stream in the application's hands.
#[derive(Debug)]
struct Handle {
    key: StreamKey,
    id: Option<u32>,
    /// Makes its bytes its own.
    name: usize,
    accepted: usize,
    finished: bool,
    read: Vec<u8>,
    ended: bool,
    failed: bool,
    sends: bool,
    receives: bool,
}

impl Handle {
    /// The bytes it writes, from `at` on.
    fn pattern(&self, at: usize, len: usize) -> Vec<u8> {
        (at..at + len).map(|at| (self.name * 59 + at * 7) as u8).collect()
    }
}

#[derive(Debug)]
struct Run {
    mux: Mux,
    batch: Batch,
    /// Bytes at the front of the batch that the ledger has seen.
    judged: usize,
    ledger: Ledger,
    dice: Dice,
    handles: Vec<Handle>,
    names: usize,
    heard: usize,
    highest_accepted: u32,
    /// The application has ended the session, or let a limit of time pass that does.
    over: bool,
    now: Duration,
}

impl Run {
    fn new(setup: u8, seed: u64) -> Run {
        let (side, config, first) = settings(setup);
        let mut mux = Mux::new(side, &config);
        mux.start_ids_at(first);
        let mut run = Run {
            mux,
            batch: if setup & 16 == 0 { Batch::contiguous() } else { Batch::vectored() },
            judged: 0,
            ledger: Ledger::new(side, first, &config),
            dice: Dice::new(seed),
            handles: Vec::new(),
            names: 0,
            heard: 0,
            highest_accepted: 0,
            over: false,
            now: Duration::ZERO,
        };
        for _ in 0..setup >> 6 {
            run.open();
            run.write(run.handles.len().saturating_sub(1));
        }
        run.transmit();
        run
    }

    fn hear(&mut self, piece: &[u8]) {
        self.heard += piece.len();
        self.ledger.heard(piece);
        let shared = Bytes::copy_from_slice(piece);
        let mut rest = shared.clone();
        while !rest.is_empty() {
            let taken = if self.dice.below(2) == 0 {
                self.mux.handle_slice(&rest)
            } else {
                self.mux.handle_bytes(&rest)
            };
            assert!(0 < taken && taken <= rest.len(), "{taken} of {} bytes taken", rest.len());
            let _ = rest.split_to(taken);
        }
        assert!(!self.ledger.must_end || self.mux.is_ended(), "what came must end the session");
        let by_peer = self.mux.end().is_some_and(|end| matches!(end.cause(), EndCause::PeerMisbehaved(_)));
        let excused = self.ledger.must_end || self.ledger.may_end;
        assert!(!by_peer || excused, "nothing that came ends a session: {:?}", self.mux.end());
        assert!(!self.mux.is_ended() || excused || self.over, "it ended for no reason");
    }

    /// Lets the application do something, or nothing.
    fn act(&mut self) {
        for _ in 0..self.dice.below(4) {
            let at = self.dice.below(self.handles.len().max(1));
            match self.dice.below(25) {
                0..=2 => self.accept(),
                3 | 4 => self.open(),
                5..=8 => self.write(at),
                9..=13 => self.read(at),
                14 => self.finish(at),
                15 => self.give_up(at),
                16 | 17 => self.release(at),
                18 => self.lend(at),
                19 => self.mux.handle_credit_due(),
                20 => self.mux.handle_sweep(),
                21 => self.prioritise(at),
                22 => self.announce_end(),
                23 => self.pass_time(),
                _ => {}
            }
            while self.mux.poll_event().is_some() {}
        }
    }

    fn handle(&mut self, key: StreamKey, id: Option<u32>) {
        self.names += 1;
        self.handles.push(Handle {
            key,
            id,
            name: self.names,
            accepted: 0,
            finished: false,
            read: Vec::new(),
            ended: false,
            failed: false,
            sends: true,
            receives: true,
        });
    }

    fn open(&mut self) {
        if let Ok(key) = self.mux.open() {
            self.handle(key, None);
        }
    }

    fn accept(&mut self) {
        if let Ok(Some(key)) = self.mux.accept() {
            let id = self.mux.stream_id(key).map(StreamId::get);
            self.highest_accepted = self.highest_accepted.max(id.unwrap_or(0));
            self.handle(key, id);
        }
    }

    fn write(&mut self, at: usize) {
        let len = [0, 1, 3, 40, 3000][self.dice.below(5)];
        let Some(handle) = self.handles.get_mut(at).filter(|handle| handle.sends) else { return };
        let bytes = handle.pattern(handle.accepted, len);
        let written = match self.dice.below(3) {
            0 => self.mux.write(handle.key, &bytes),
            1 => self.mux.write_bytes(handle.key, &mut Bytes::from(bytes)),
            _ => match self.mux.reserve(handle.key, len) {
                Ok(room) => {
                    let piece = Bytes::from(bytes).slice(..room);
                    self.mux.commit(handle.key, piece).map(|()| room)
                }
                Err(error) => Err(error),
            },
        };
        let Ok(written) = written else { return };
        assert!(written <= len && !handle.finished, "wrote {written} of {len}");
        handle.accepted += written;
    }

    fn read(&mut self, at: usize) {
        let max = [1, 5, 1000][self.dice.below(3)];
        let Some(handle) = self.handles.get_mut(at).filter(|handle| handle.receives) else { return };
        match self.mux.read(handle.key, max) {
            Ok(Read::Chunk(chunk)) => {
                assert!(!chunk.is_empty() && chunk.len() <= max, "I3: a chunk of {}", chunk.len());
                assert!(!handle.ended && !handle.failed, "bytes after the end");
                handle.read.extend_from_slice(&chunk);
            }
            Ok(Read::End) => {
                assert!(!handle.failed, "a clean end after a failure");
                handle.ended = true;
            }
            Ok(_) => assert!(!handle.ended && !handle.failed, "more to wait for after the end"),
            Err(_) => {
                assert!(!handle.ended, "a failure after the clean end");
                handle.failed = true;
            }
        }
        handle.id = handle.id.or_else(|| self.mux.stream_id(handle.key).map(StreamId::get));
        let (id, read) = (handle.id.unwrap_or(0), &handle.read);
        let nothing = read.is_empty() && !handle.ended;
        assert!(nothing || self.ledger.may_deliver(id, read, handle.ended), "I2: stream {id} gave {read:?}");
    }

    fn finish(&mut self, at: usize) {
        let Some(handle) = self.handles.get_mut(at).filter(|handle| handle.sends) else { return };
        handle.finished |= self.mux.finish(handle.key).is_ok();
    }

    /// Resets in one of the ways there are, with codes allowed and not.
    fn give_up(&mut self, at: usize) {
        let code = [0, 5, 6, 7, 9, 10][self.dice.below(6)];
        let Some(handle) = self.handles.get_mut(at) else { return };
        match self.dice.below(3) {
            0 => self.mux.abort(handle.key),
            1 => _ = self.mux.refuse(handle.key),
            _ => {
                let reset = self.mux.reset(handle.key, ErrorCode::new(code));
                assert_eq!(reset.is_err(), matches!(code, 0 | 5 | 9), "RST {code}");
            }
        }
    }

    fn release(&mut self, at: usize) {
        let Some(handle) = self.handles.get_mut(at) else { return };
        let which = self.dice.below(3);
        if which != 0 {
            self.mux.release_send(handle.key);
            handle.sends = false;
        }
        if which != 1 {
            self.mux.release_recv(handle.key);
            handle.receives = false;
        }
    }

    /// Room that is promised, and the promise kept later or never.
    fn lend(&mut self, at: usize) {
        let Some(handle) = self.handles.get_mut(at).filter(|handle| handle.sends) else { return };
        let _ = self.mux.flush(handle.key);
        if self.mux.reserve(handle.key, 10).is_ok() {
            let _ = self.mux.commit(handle.key, Bytes::new());
        }
    }

    fn prioritise(&mut self, at: usize) {
        let priority = [-1, 0, 1][self.dice.below(3)];
        let Some(handle) = self.handles.get(at) else { return };
        self.mux.set_priority(handle.key, priority);
    }

    /// Drains or closes, which an application seldom does.
    fn pass_time(&mut self) {
        self.now += Duration::from_micros([1, 100, 50_000, 11_000_000][self.dice.below(4)]);
        self.mux.handle_time(self.now);
    }

    fn announce_end(&mut self) {
        match self.dice.below(16) {
            0 => self.go_away(),
            1 => self.close(),
            _ => return,
        }
        self.over = true;
    }

    fn go_away(&mut self) {
        if self.mux.config().peer_drains() {
            self.ledger.expect_early_goodbye();
        }
        self.mux.go_away();
    }

    fn close(&mut self) {
        self.over = true;
        self.mux.close(ErrorCode::new(77), "b\u{fc}e".repeat(100).as_bytes());
    }

    /// The transport takes some of what there is, or all, or nothing.
    fn transmit(&mut self) {
        let limit = [0, 1, 100, usize::MAX][self.dice.below(4)];
        let room = [0, 1, 7, usize::MAX][self.dice.below(4)];
        self.transmit_up_to(limit, room);
    }

    fn transmit_up_to(&mut self, limit: usize, room: usize) {
        self.mux.poll_transmit(&mut self.batch, limit);
        let all = self.batch.slices().collect::<Vec<_>>().concat();
        assert_eq!(all.len(), self.batch.len());
        self.ledger.said(&all[self.judged..]);
        let taken = room.min(all.len());
        self.batch.advance(taken);
        self.mux.handle_written(taken);
        self.judged = all.len() - taken;
        for handle in &mut self.handles {
            handle.id = handle.id.or_else(|| self.mux.stream_id(handle.key).map(StreamId::get));
        }
    }

    fn check(&self) {
        assert_eq!(self.mux.audit(), Ok(()));
        let (stats, config) = (self.mux.stats(), self.mux.config());
        let most = 2 * config.max_inbound_streams() + config.max_outbound_streams();
        assert!(stats.streams <= most, "B06, B07: {} streams", stats.streams);
        assert!(stats.backlog <= config.accept_backlog(), "B05: {} in the backlog", stats.backlog);
        assert!(stats.unread_bytes <= self.heard, "{} bytes from {}", stats.unread_bytes, self.heard);
        let cap = config.max_session_recv().unwrap_or(usize::MAX);
        assert!(stats.unread_bytes <= cap, "B04: {} unread bytes", stats.unread_bytes);
        for handle in &self.handles {
            self.check_sent(handle);
            let most = handle.id.and_then(|id| self.ledger.most_delivered(id)).unwrap_or(usize::MAX);
            assert!(handle.read.len() <= most, "S45: {} bytes read on a credit of {most}", handle.read.len());
        }
        let last = self.ledger.last_said.unwrap_or(u32::MAX);
        assert!(self.highest_accepted <= last, "accepted {} after GOAWAY {last}", self.highest_accepted);
    }

    /// What went out is the beginning of what was written, and with FIN all of it (I2).
    fn check_sent(&self, handle: &Handle) {
        let Some(both) = handle.id.and_then(|id| self.ledger.id(id)) else { return };
        let pattern = handle.pattern(0, handle.accepted);
        let fits = both.lives.iter().any(|life| {
            let whole = handle.finished && life.sent == pattern;
            if life.sent_fin { whole } else { pattern.starts_with(&life.sent) }
        });
        assert!(fits, "I2: stream {:?} did not send what was written", handle.id);
    }

    /// Brings the session to its end in one of the ways there are, and sees to it that nothing is left.
    fn end(mut self, way: u8) {
        self.over = true;
        match way {
            0..=2 => self.mux.handle_eof(),
            3 => self.mux.handle_failure(EndCause::PeerEof),
            4 => self.mux.handle_stall(),
            5 => self.mux.handle_deadline(),
            6..=8 => self.close(),
            9 => self.go_away(),
            _ => self.mux.drain(),
        }
        let drains = way > 8 && self.peer_left_nothing_open();
        self.transmit_up_to(usize::MAX, usize::MAX);
        if !self.mux.is_ended() {
            assert!(!drains, "nothing keeps it from ending");
            self.mux.handle_deadline();
        }
        self.transmit_up_to(usize::MAX, usize::MAX);
        assert!(self.mux.is_ended() && self.mux.is_finished(), "it has ended");
        assert!(self.mux.end().is_some() && !self.mux.wants_transmit());
        assert!(self.mux.open().is_err(), "no stream after the end");
        while let Ok(Some(key)) = self.mux.accept() {
            let id = self.mux.stream_id(key).map(StreamId::get);
            self.handle(key, id);
        }
        for at in 0..self.handles.len() {
            while self.handles[at].receives && !self.handles[at].ended && !self.handles[at].failed {
                let before = self.handles[at].read.len();
                self.read(at);
                let handle = &self.handles[at];
                let moved = handle.read.len() > before || handle.ended || handle.failed;
                assert!(moved, "a reader waits for ever");
            }
            let handle = &self.handles[at];
            assert!(!handle.sends || self.mux.write(handle.key, b"x").is_err(), "a write after the end");
        }
        self.check();
        for handle in std::mem::take(&mut self.handles) {
            self.mux.release_recv(handle.key);
            self.mux.release_send(handle.key);
        }
        let stats = self.mux.stats();
        assert_eq!((stats.streams, stats.backlog, stats.unread_bytes), (0, 0, 0), "I10: something is left");
        assert_eq!(stats.sendable_bytes, 0, "I10: something is left to send");
        assert_eq!(self.hear_after_the_end(), 0, "nothing comes after the end");
    }

    /// Lets go of everything. Whether that leaves nothing a drain has to wait for: bytes that need the peer's credit.
    fn peer_left_nothing_open(&mut self) -> bool {
        self.mux.abandon();
        let finished = self.handles.iter().any(|handle| handle.finished);
        for handle in &mut self.handles {
            self.mux.release_recv(handle.key);
            self.mux.release_send(handle.key);
            (handle.sends, handle.receives) = (false, false);
        }
        !finished && !self.mux.has_lingering()
    }

    fn hear_after_the_end(&mut self) -> usize {
        let _ = self.mux.handle_slice(&[0xFF; 9]);
        self.mux.handle_eof();
        let mut batch = Batch::contiguous();
        self.mux.poll_transmit(&mut batch, usize::MAX);
        batch.len()
    }
}
