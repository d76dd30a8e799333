//! How a run ends: faults stop, everybody reads and lets go, and then everything must finish and nothing be left.

use muxado_core::Retry;
use muxado_frame::ErrorCode;

use super::handle::Expected;
use super::profile::Mode;
use super::run::Run;

/// Rounds that a finale may take: each moves something.
const ROUNDS: usize = 20_000;

impl Run<'_> {
    pub(super) fn finale(&mut self) {
        self.quieten(false);
        self.assert_nobody_waits();
        self.quieten(true);
        self.assert_everything_ended();
        self.let_go();
        self.assert_nothing_is_left();
        self.part();
        self.assert_nothing_is_left();
        self.assert_retries_are_safe();
    }

    /// Moves, accepts and reads until nothing changes; with `finish`, every writer finishes first.
    fn quieten(&mut self, finish: bool) {
        for _ in 0..ROUNDS {
            let mut busy = self.move_all();
            for who in 0..self.nodes.len() {
                busy |= self.serve(who, finish);
            }
            if !busy {
                return;
            }
        }
        panic!("I15: {ROUNDS} rounds and no end");
    }

    /// One application does what it can.
    fn serve(&mut self, who: usize, finish: bool) -> bool {
        let mut busy = false;
        while self.nodes[who].accept() {
            busy = true;
            self.after();
        }
        for at in 0..self.nodes[who].handles.len() {
            let node = &mut self.nodes[who];
            if node.handles[at].send_held {
                node.commit(at);
            }
            if finish && node.handles[at].send_held && !node.handles[at].finished {
                node.finish(at);
            }
            if node.handles[at].recv_held {
                while node.read(at, usize::MAX) {
                    busy = true;
                }
            }
        }
        self.nodes[who].mux.handle_credit_due();
        self.after();
        let node = &self.nodes[who];
        busy || (node.mux.wants_transmit() && !node.lost)
    }

    /// Whether both machines are still at work on a link without fault.
    fn is_whole(&self) -> bool {
        self.profile.mode == Mode::Honest && self.nodes.iter().all(|node| !node.end_seen)
    }

    /// I11: with everything read, every writer was told that there is room.
    fn assert_nobody_waits(&self) {
        if !self.is_whole() {
            return;
        }
        for node in &self.nodes {
            for handle in node.handles.iter().filter(|handle| handle.send_held && !handle.finished) {
                assert!(!handle.waits_to_write, "I11: a writer of {:?} waits for nothing", handle.id);
            }
        }
    }

    /// Liveness: every stream that is held has come to its end or failed.
    fn assert_everything_ended(&self) {
        for node in &self.nodes {
            if !node.end_seen && !self.is_whole() {
                continue;
            }
            for (at, handle) in node.handles.iter().enumerate() {
                let over = handle.ended || handle.shown.is_some();
                let over = over || (node.strict && node.read_state(at) != Expected::Blocked);
                assert!(over || !handle.recv_held, "{}: {:?} never ends", node.side(), handle.id);
            }
            let refused = self.is_whole() && node.strict;
            let lost = [&node.waiting[..], &node.passed].concat();
            assert!(!refused || lost.is_empty(), "I12: {lost:?} were lost");
        }
    }

    fn let_go(&mut self) {
        for who in 0..self.nodes.len() {
            for at in 0..self.nodes[who].handles.len() {
                let recv_first = self.choices.chance(1, 3);
                let node = &mut self.nodes[who];
                if recv_first {
                    node.release_recv(at);
                }
                node.release_send(at);
                node.release_recv(at);
                self.after();
            }
        }
        self.quieten(false);
    }

    /// I10: nobody holds anything, so there is nothing.
    fn assert_nothing_is_left(&self) {
        let foreign = self.profile.mode != Mode::Honest;
        for node in &self.nodes {
            if !node.mux.is_ended() && (foreign || !self.is_whole()) {
                continue;
            }
            let stats = node.mux.stats();
            let left = (stats.streams, stats.backlog, stats.unread_bytes, stats.sendable_bytes);
            assert_eq!(
                left,
                (0, 0, 0, 0),
                "I10: {}: streams, backlog, unread and sendable bytes",
                node.side()
            );
            let busy = node.mux.has_lazy_credit() || node.mux.has_lingering();
            assert!(!busy, "I10: {}: a timer is wanted for nothing", node.side());
            assert!(!node.waits_to_open, "I11: an opener was forgotten");
        }
    }

    /// One side says goodbye, in one way or another, and the other hears it.
    fn part(&mut self) {
        let who = self.choices.below(self.nodes.len());
        let close = self.choices.chance(1, 2);
        let whole = self.is_whole();
        self.nodes[who].leave(|mux| if close { mux.close(ErrorCode::new(3), b"over") } else { mux.drain() });
        self.after();
        self.quieten(false);
        if whole {
            for node in &self.nodes {
                assert!(node.mux.is_ended(), "{}: a drained session goes on", node.side());
            }
        }
        // A stranger, or a link that lied, never says goodbye.
        for who in 0..self.nodes.len() {
            if !self.nodes[who].lost && !self.nodes[who].mux.is_finished() {
                self.nodes[who].lose("the transport ended");
                self.after();
            }
        }
        self.quieten(false);
        self.let_go();
        for node in &self.nodes {
            assert!(node.end_seen && node.mux.is_ended(), "{}: it has no end", node.side());
        }
    }

    /// A stream that is said to be safe to retry was used by nobody.
    fn assert_retries_are_safe(&self) {
        if self.profile.mode != Mode::Honest {
            return;
        }
        for (who, node) in self.nodes.iter().enumerate() {
            let other = &self.nodes[1 - who];
            for handle in &node.handles {
                let safe = handle.shown.is_some_and(|(_, retry)| retry == Retry::NotProcessed);
                let Some(id) = handle.id.filter(|_| safe) else { continue };
                let used = other.by_id.get(&id).is_some_and(|at| other.handles[*at].was_used());
                assert!(!used, "{id} is said to be safe to retry, and was used by the peer");
            }
        }
    }
}
