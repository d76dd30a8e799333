//! One stream: its two directions, who opened it, and who still holds it.

use std::time::Duration;

use bytes::Bytes;
use muxado_frame::{ErrorCode, StreamId};

use super::flow::{RecvCredit, SendCredit, size};
use super::pieces::Pieces;
use super::schedule::LastTurn;
use super::spare::Spare;
use super::state::{RecvState, SendState};
use super::tuning::{Path, Tuning, Verdict};
use crate::error::Failure;

/// The name of a stream inside its machine. A key is never used again for another stream.
///
/// Once the stream is gone, reading it fails as reset by this side and writing it as finished.
///
/// What an owner knows of a stream is kept by its key, since a stream of ours has no id before its first frame:
///
/// ```
/// # use muxado_core::{Config, Side, proto::{Batch, Mux}};
/// use std::collections::HashMap;
///
/// # let mut mux = Mux::new(Side::Client, &Config::default());
/// let mut requests = HashMap::new();
/// let stream = mux.open()?;
/// mux.write(stream, b"GET")?;
/// requests.insert(stream, "the first request");
/// assert_eq!(mux.stream_id(stream), None);
/// # let mut batch = Batch::contiguous();
/// mux.poll_transmit(&mut batch, 64 * 1024);
/// assert_eq!(mux.stream_id(stream).map(|id| id.get()), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    pub(crate) slot: u32,
    pub(crate) serial: u32,
}

/// The direction from us to the peer.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) state: SendState,
    pub(super) queue: Pieces,
    pub(super) credit: SendCredit,
    /// WNDINCs beyond what was sent.
    pub(super) excess: u8,
    /// Room that a writer was promised and has not used yet.
    pub(super) reserved: usize,
    /// The SYN shall go out even if there is nothing to ride on.
    pub(super) wants_syn: bool,
    /// A writer was told to wait.
    pub(super) waiting: bool,
    /// It stands in the session's line of writers.
    pub(super) in_line: bool,
    /// Somebody was told to wait until the stream is stopped.
    pub(super) stop_waiting: bool,
    /// The application has written, finished or reset the stream: it cannot be refused any more.
    pub(super) was_used: bool,
    /// The handle is alive.
    pub(super) held: bool,
}

/// The direction from the peer to us.
#[derive(Debug)]
pub(super) struct Recv {
    pub(super) state: RecvState,
    pub(super) queue: Pieces,
    pub(super) credit: RecvCredit,
    /// Whether the window limits it; none while it has received little.
    pub(super) tuning: Option<Box<Tuning>>,
    /// A reader was told to wait.
    pub(super) waiting: bool,
    /// The application has read: the stream cannot be refused any more.
    pub(super) was_used: bool,
    /// The handle is alive.
    pub(super) held: bool,
}

impl Recv {
    /// Bytes `came`, which are counted already: is the window what limits the stream? One that has used a quarter of it
    /// is worth measuring.
    pub(super) fn judge(&mut self, now: Duration, came: usize, path: &mut Path) -> Verdict {
        match &mut self.tuning {
            Some(tuning) => tuning.arrived(now, came, &self.credit, path),
            None if self.credit.is_used_by_a_quarter() => Verdict::Measure,
            None => Verdict::Nothing,
        }
    }

    /// The peer may go on sending, and needs credit for it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, RecvState::Open | RecvState::Discarding)
    }
}

/// Who opened a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    Local,
    Remote,
}

/// Whether the end of the session waits for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does: the stream counts among the unfinished ones.
    Unfinished,
    /// The application has put it into the background: it may end with the session.
    Background,
    /// Both directions have ended.
    Over,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) serial: u32,
    /// The id, once the SYN has gone out or come in.
    pub(super) id: Option<StreamId>,
    pub(super) opener: Opener,
    /// Where in all bytes ever emitted our SYN stands.
    pub(super) syn_at: u64,
    pub(super) send: Send,
    pub(super) recv: Recv,
    /// Why it failed; the first cause is kept.
    pub(super) failure: Option<Failure>,
    pub(super) priority: i8,
    pub(super) last_turn: LastTurn,
    /// Waits in the accept queue: the application has not seen it.
    pub(super) in_backlog: bool,
    /// A RST that has to go out, before anything else of this stream and as its last frame.
    pub(super) rst: Option<ErrorCode>,
    /// RST went out or will: DATA that still comes was sent before the peer knew.
    pub(super) was_reset_by_us: bool,
    /// Unread bytes were thrown away: RST follows the FIN (S53).
    pub(super) rst_after_fin: bool,
    /// Stands in the schedule's queue.
    pub(super) is_ready: bool,
    /// Stands in the control queue.
    pub(super) in_control: bool,
    /// Counts among the streams with lazy credit.
    pub(super) is_lazy: bool,
    /// What it adds to the session's sendable bytes.
    pub(super) sendable: usize,
    /// Counts among what the end of the session cut off.
    pub(super) was_cut: bool,
    /// Counts among the retired streams.
    pub(super) retired: bool,
    /// Whether the end of the session waits for it.
    pub(super) standing: Standing,
    /// One more than the sweeps it has survived without sending anything, since it was dropped unfinished.
    pub(super) sweeps: u8,
}

impl Stream {
    pub(super) fn new(serial: u32, opener: Opener, window: u32) -> Stream {
        let held = opener == Opener::Local;
        Stream {
            serial,
            id: None,
            opener,
            syn_at: 0,
            send: Send {
                state: SendState::Open,
                queue: Pieces::default(),
                credit: SendCredit::new(size(window)),
                excess: 0,
                reserved: 0,
                wants_syn: false,
                waiting: false,
                in_line: false,
                stop_waiting: false,
                was_used: false,
                held,
            },
            recv: Recv {
                state: RecvState::Open,
                queue: Pieces::default(),
                credit: RecvCredit::new(window),
                tuning: None,
                waiting: false,
                was_used: false,
                held,
            },
            failure: None,
            priority: 0,
            last_turn: LastTurn::default(),
            in_backlog: false,
            rst: None,
            was_reset_by_us: false,
            rst_after_fin: false,
            is_ready: false,
            in_control: false,
            is_lazy: false,
            sendable: 0,
            was_cut: false,
            retired: false,
            standing: Standing::Unfinished,
            sweeps: 0,
        }
    }

    /// Both directions have ended with FIN.
    pub(super) fn ended_properly(&self) -> bool {
        self.send.state == SendState::Finished && self.recv.state == RecvState::Finished
    }

    /// Whether there is nothing left that the peer could stop, or why it has failed; none while it goes on. Once there is an
    /// answer it stays. While a close lets a finished stream flush, there is a failure that may not come to pass.
    pub(super) fn stopped(&self) -> Option<Result<(), &Failure>> {
        if self.ended_properly() || self.is_released() {
            return Some(Ok(()));
        }
        let is_dead = self.send.state == SendState::Dead || self.recv.state == RecvState::Dead;
        self.failure.as_ref().filter(|_| is_dead).map(Err)
    }

    /// Neither direction carries anything more: finished, reset, or lost with the session.
    pub(super) fn is_closed(&self) -> bool {
        self.send.state.is_over() && self.recv.state.is_over()
    }

    /// Both directions were ended or reset on the wire: for the peer the id is free, whoever still holds the stream
    /// here. A stream lost to GOAWAY or to a close is not gone: what still comes for it is skipped without an answer.
    /// One that had ended before was not lost.
    pub(super) fn is_gone(&self) -> bool {
        let lost = || matches!(self.failure, Some(Failure::Lost(..))) && !self.ended_properly();
        self.is_closed() && !lost()
    }

    /// The peer opened it, both sides have finished it and everything is read: only its handles are still there.
    pub(super) fn can_retire(&self) -> bool {
        self.opener == Opener::Remote
            && self.ended_properly()
            && self.recv.queue.is_empty()
            && !self.in_backlog
    }

    /// The end of the session waits for it.
    pub(super) fn is_unfinished(&self) -> bool {
        self.standing == Standing::Unfinished
    }

    /// Nobody holds it and nobody can come to hold it.
    pub(super) fn is_released(&self) -> bool {
        !self.send.held && !self.recv.held && !self.in_backlog
    }

    /// A frame is coming that is thrown away when it is whole, and its credit returned: a peer whose window it filled
    /// would wait for that for ever.
    pub(super) fn is_mid_frame(&self) -> bool {
        self.recv.state == RecvState::Discarding && self.recv.credit.is_arriving()
    }

    /// Nothing more will be sent for it, and nothing more is wanted: it does not keep a session from ending.
    pub(super) fn is_over(&self) -> bool {
        self.rst.is_none() && self.send.state.is_over() && (self.recv.state.is_over() || !self.recv.held)
    }

    /// Something can still come of it, if only that somebody is told how it ended. One that we have finished and nobody reads
    /// is over, and yet not known to have been taken in by the peer.
    pub(super) fn can_be_lost(&self) -> bool {
        !self.is_over() || (self.failure.is_none() && !self.ended_properly())
    }

    /// What may go out now if it gets its turn, in bytes.
    pub(super) fn sendable(&self) -> usize {
        if self.send.state.is_over() { 0 } else { self.send.queue.len().min(self.send.credit.available()) }
    }

    /// Whether it has something to do in a turn: data within credit, or its SYN, FIN or final RST.
    pub(super) fn has_turn(&self) -> bool {
        match self.send.state {
            SendState::Finished | SendState::Dead => false,
            _ if self.sendable() > 0 => true,
            _ if !self.send.queue.is_empty() => self.wants_bare_syn(),
            SendState::Open => self.wants_bare_syn(),
            SendState::Finishing | SendState::Aborting => true,
        }
    }

    fn wants_bare_syn(&self) -> bool {
        self.send.wants_syn && self.id.is_none()
    }

    /// Stops both directions for `failure`. What was received before stays readable; what was queued goes to
    /// `discarded`.
    pub(super) fn fail(&mut self, failure: Failure, discarded: &mut Vec<Bytes>) {
        self.send.state.kill();
        self.recv.state.kill();
        self.failure.get_or_insert(failure);
        self.send.queue.empty_into(discarded);
    }

    /// Appends a piece of the peer's data.
    pub(super) fn keep(&mut self, piece: &[u8], shared: Option<Bytes>, spare: &mut Spare) {
        match shared {
            Some(shared) => self.recv.queue.push(shared),
            None => self.recv.queue.push_copy(piece, spare),
        }
        self.recv.credit.keep(piece.len());
    }
}
