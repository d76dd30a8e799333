//! The machine looks at itself: everything that is kept up to date is counted again, for tests.
//!
//! It costs a walk over all streams. Nothing here runs unless a test asks.

use std::collections::BTreeSet;

use super::mux::{MAX_REPLIES, Mux};
use super::receive::Body;
use super::room::ALWAYS_ROOM;
use super::shutdown::{MAX_PEER_TEXT, MAX_TEXT, Phase};
use super::state::{RecvState, SendState};
use super::stream::{Opener, Standing, Stream, StreamKey};

/// Received bytes are kept in pieces that have at least half of this size on average: a slice of the read buffer is not
/// smaller, and what lies between two slices is gathered.
const PIECE: usize = 2048;

/// Room for pieces that an empty queue may keep.
const KEPT_PIECES: usize = 64;

impl Mux {
    /// Whether everything that is kept incrementally is what a recount gives, and every bound holds. Changes nothing.
    ///
    /// # Errors
    /// What does not add up, in words.
    #[doc(hidden)]
    pub fn audit(&self) -> Result<(), String> {
        self.streams.audit()?;
        self.audit_counters()?;
        self.audit_queues()?;
        self.audit_limits()?;
        for key in self.streams.keys() {
            let Some(stream) = self.streams.get(key) else { continue };
            self.audit_stream(key, stream).map_err(|what| {
                let (send, recv) = (stream.send.state, stream.recv.state);
                format!("{what}: {key:?} {:?} {send:?} {recv:?} {:?}", stream.id, stream.failure)
            })?;
        }
        Ok(())
    }

    /// Bytes of memory that the machine holds for what the peer sent and nobody has read, spare room of the queues
    /// included. A slice of a read buffer counts for itself, not for the buffer.
    #[doc(hidden)]
    #[must_use]
    pub fn retained(&self) -> usize {
        let piece = size_of::<bytes::Bytes>();
        let held = self.streams.iter().map(|stream| {
            let held = stream.recv.queue.audit();
            let around =
                held.map_or(0, |held| held.capacity.saturating_mul(piece).saturating_add(held.spare));
            stream.recv.queue.len().saturating_add(around)
        });
        held.fold(0, usize::saturating_add)
    }

    /// The credit of a stream that is there: what may be sent on it, and what the peer may still send.
    #[doc(hidden)]
    #[must_use]
    pub fn credit(&self, key: StreamKey) -> Option<(usize, usize)> {
        let stream = self.streams.get(key)?;
        Some((stream.send.credit.available(), stream.recv.credit.left()))
    }

    fn audit_counters(&self) -> Result<(), String> {
        let sum = |of: fn(&Stream) -> usize| self.streams.iter().map(of).fold(0, usize::saturating_add);
        for (what, counted, is) in [
            ("unread bytes", self.stats.unread_bytes, sum(|stream| stream.recv.queue.len())),
            ("sendable bytes", self.stats.sendable_bytes, sum(Stream::sendable)),
            ("senders", self.senders, sum(|stream| usize::from(stream.sendable() > 0))),
            ("reserved bytes", self.reserved, sum(|stream| stream.send.reserved)),
            ("bytes of extra credit", self.extra, sum(|stream| stream.recv.credit.extra())),
            ("tuned streams", self.tuned, sum(|stream| usize::from(stream.recv.tuning.is_some()))),
            ("lazy streams", self.lazy, sum(|stream| usize::from(stream.is_lazy))),
            ("lingering streams", self.lingering, sum(|stream| usize::from(stream.sweeps > 0))),
        ] {
            ensure(counted == is, || format!("{counted} {what} are counted, {is} there are"))?;
        }
        Ok(())
    }

    /// Queues of streams: each holds what is flagged as being in it, once.
    fn audit_queues(&self) -> Result<(), String> {
        let control = self.control.iter().copied();
        self.audit_members("control queue", control, |stream| stream.in_control)?;
        self.audit_members("line of writers", self.line.iter().copied(), |stream| stream.send.in_line)?;
        if self.shutdown.phase == Phase::Ended {
            return ensure(self.schedule.is_empty(), || "a turn is left after the end".into());
        }
        for (priority, key) in self.schedule.places() {
            let right = self.streams.get(key).is_some_and(|stream| stream.priority == priority);
            ensure(right, || format!("{key:?} stands in the send order at {priority}"))?;
        }
        self.audit_members("send order", self.schedule.places().map(|(_, key)| key), |stream| stream.is_ready)
    }

    fn audit_members(
        &self,
        queue: &str,
        keys: impl Iterator<Item = StreamKey>,
        flag: fn(&Stream) -> bool,
    ) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for key in keys {
            ensure(seen.insert((key.slot, key.serial)), || format!("{key:?} stands twice in the {queue}"))?;
            let flagged = self.streams.get(key).is_some_and(flag);
            ensure(flagged, || format!("{key:?} stands in the {queue} and does not know"))?;
        }
        let flagged = self.streams.iter().filter(|stream| flag(stream)).count();
        ensure(flagged == seen.len(), || {
            format!("{flagged} streams believe to be in the {queue}, not {}", seen.len())
        })
    }

    fn audit_limits(&self) -> Result<(), String> {
        let (config, streams) = (&self.config, &self.streams);
        let active = streams.inbound.saturating_sub(streams.retired);
        let most = config.max_inbound_streams();
        let text = |text: Option<&Vec<u8>>| text.is_none_or(|text| text.len() <= MAX_PEER_TEXT);
        let peer =
            [&self.shutdown.peer, &self.shutdown.coming].map(|peer| peer.as_ref().map(|peer| &peer.text));
        for (id, holds) in [
            ("B05: the backlog", streams.backlog_len() <= config.accept_backlog()),
            ("B06: inbound streams", active <= most && streams.inbound <= most.saturating_mul(2)),
            ("B07: outbound streams", streams.outbound <= config.max_outbound_streams()),
            ("B10: replies", self.replies.len() <= MAX_REPLIES),
            ("B13: the text of our GOAWAY", self.shutdown.text.len() <= MAX_TEXT),
            ("B17: the text of the peer's GOAWAY", peer.into_iter().all(text)),
            ("B35: extra credit", self.extra <= config.extra_budget()),
            ("B04: unread bytes", config.max_session_recv().is_none_or(|cap| self.stats.unread_bytes <= cap)),
        ] {
            ensure(holds, || format!("{id} beyond the bound"))?;
        }
        if self.shutdown.phase == Phase::Ended {
            let quiet =
                self.control.is_empty() && self.replies.is_empty() && self.lazy == 0 && self.lingering == 0;
            return ensure(quiet, || "something is left to do after the end".into());
        }
        let may_open = self.shutdown.phase == Phase::Open && self.shutdown.peer.is_none();
        let place = streams.outbound < config.max_outbound_streams();
        ensure(!(self.accept_waiting && streams.backlog_len() > 0), || {
            "I11: an acceptor waits for what is there".into()
        })?;
        ensure(self.is_told_of_its_end() || !(self.open_waiting && (place || !may_open)), || {
            "I11: an opener waits for what is there".into()
        })
    }

    /// Whether `Event::Ended` has told everybody who waits for anything.
    fn is_told_of_its_end(&self) -> bool {
        self.shutdown.phase >= Phase::Closing
    }

    fn audit_stream(&self, key: StreamKey, stream: &Stream) -> Result<(), String> {
        let ended = self.shutdown.phase == Phase::Ended;
        let told = self.is_told_of_its_end();
        let (send, recv) = (&stream.send, &stream.recv);
        let listens = recv.is_open();
        let owes = listens && !stream.in_control;
        let is_current = matches!(self.body, Body::Stream { key: current, .. } if current == key);
        let queued = send.queue.len().saturating_add(send.reserved);
        let most = self.config.send_queue();
        let room = most.min(ALWAYS_ROOM.max(send.credit.available()));
        let done = stream.is_released() && send.state.is_over() && !stream.is_mid_frame();
        for (what, holds) in [
            ("I4: credit was made or lost", recv.credit.audit(recv.queue.len())),
            ("I4: bytes arrive outside of any frame", !(listens && recv.credit.is_arriving()) || is_current),
            ("what it adds to the sendable bytes is stale", stream.sendable == stream.sendable()),
            ("it is over and counts as unfinished", !(stream.is_unfinished() && stream.is_over())),
            // A RST that follows the FIN of a stream that was over goes out, and is not waited for.
            (
                "it is not over and counts as such",
                stream.standing != Standing::Over || stream.is_over() || stream.rst.is_some(),
            ),
            ("it can retire and has not, or the reverse", stream.retired == stream.can_retire()),
            ("it has a turn and no place in the order", ended || !stream.has_turn() || stream.is_ready),
            ("its RST has no place in the control queue", stream.rst.is_none() || stream.in_control),
            ("half a window is owed and not on its way", !(owes && recv.credit.is_due())),
            ("small credit was forgotten", !(owes && recv.credit.is_due_lazily()) || stream.is_lazy),
            ("it is lazy without reason", !stream.is_lazy || (owes && recv.credit.owed() > 0)),
            ("it lingers without reason", stream.sweeps == 0 || send.state == SendState::Aborting),
            ("nothing more is sent, and bytes are queued", !send.state.is_over() || send.queue.is_empty()),
            ("a stream that finished never began", send.state != SendState::Finished || stream.id.is_some()),
            ("B14: its queue is too long", queued <= room || send.state.is_over()),
            ("I10: nobody holds it, and it is there", !done || stream.rst.is_some() || stream.in_control),
            ("it waits in the backlog and was given out", !stream.in_backlog || !(send.held || recv.held)),
            ("one of ours in the backlog", !stream.in_backlog || stream.opener == Opener::Remote),
            ("I13: it failed without a cause", recv.state != RecvState::Dead || stream.failure.is_some()),
            ("I13: it failed without a cause", send.state != SendState::Dead || stream.failure.is_some()),
            ("it lives after the end", !ended || stream.is_closed()),
            (
                "I11: a reader waits for what is there",
                !recv.waiting || told || (recv.queue.is_empty() && recv.state == RecvState::Open),
            ),
            ("I11: a writer waits for a stream that is over", !send.waiting || send.state != SendState::Dead),
            ("it stands in line and does not wait", !send.in_line || send.waiting),
        ] {
            ensure(holds, || what.into())?;
        }
        send.queue.audit()?;
        let held = recv.queue.audit()?;
        let most = (recv.queue.len() / (PIECE / 2)).saturating_add(2);
        ensure(held.pieces <= most, || {
            format!("B03: {} pieces for {} bytes", held.pieces, recv.queue.len())
        })?;
        let extra = recv.tuning.as_ref().map_or(0, |_| self.config.extra_budget());
        let most = (recv.credit.window().saturating_add(extra) / 512).max(KEPT_PIECES);
        ensure(held.capacity <= most, || format!("B03: room for {} pieces", held.capacity))
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

#[cfg(test)]
mod tests {
    use muxado_frame::Side;

    use super::super::schedule::LastTurn;
    use super::*;
    use crate::config::Config;

    /// A machine with a stream that has sent, received and been read.
    fn busy() -> Mux {
        let mut mux = Mux::new(Side::Server, &Config::default());
        let _ = mux.handle_slice(b"\x00\x00\x05\x12\x00\x00\x00\x03hello");
        let key = mux.accept().unwrap().unwrap();
        mux.write(key, b"hi").unwrap();
        let _ = mux.read(key, 2);
        mux
    }

    #[test]
    fn what_does_not_add_up_is_found() {
        assert_eq!(busy().audit(), Ok(()));
        let breaks = [
            ("unread bytes", (|mux| mux.stats.unread_bytes = 2) as fn(&mut Mux)),
            ("sendable bytes", |mux| mux.stats.sendable_bytes = 0),
            ("lazy", |mux| mux.lazy = 1),
            ("inbound", |mux| mux.streams.inbound = 0),
            ("unfinished", |mux| mux.streams.unfinished = 2),
            ("is not over and counts as such", |mux| {
                let key = mux.streams.keys()[0];
                mux.streams.get_mut(key).unwrap().standing = Standing::Over;
                mux.streams.unfinished = 0;
            }),
            ("believe to be in the send order", |mux| mux.schedule.clear()),
            ("stands twice", |mux| mux.schedule.push(0, mux.streams.keys()[0], LastTurn::default())),
            ("does not know", |mux| mux.control.push_back(mux.streams.keys()[0])),
        ];
        for (what, spoil) in breaks {
            let mut mux = busy();
            spoil(&mut mux);
            let found = mux.audit().unwrap_err();
            assert!(found.contains(what), "{what}: {found}");
        }
    }
}
