//! How a run ends: the transport works, everybody reads, finishes and lets go, and nothing is left.

use std::time::Duration;

use muxado_core::rt::Runtime;

use super::Run;

/// Rounds that a finale may take: each moves something.
const ROUNDS: usize = 20_000;

impl Run {
    pub(crate) fn finale(&mut self) {
        self.calm();
        self.quieten(false);
        self.assert_nobody_waits_for_room();
        self.quieten(true);
        self.assert_everything_ended();
        for node in &mut self.nodes {
            node.handles.clear();
        }
        self.pass(Duration::from_secs(120));
        self.assert_nothing_is_left();
        for node in &mut self.nodes {
            node.sessions.clear();
        }
        self.pass(Duration::from_secs(7300));
        for node in &self.nodes {
            assert!(!node.is_driven(), "nobody holds a session, and its driver goes on");
            let sleeps = node.stops.iter().any(|op| op.wait.sleeps())
                || node.ends.iter().any(|op| op.wait.sleeps())
                || node.leaves.iter().any(|op| op.wait.sleeps());
            assert!(!sleeps, "I11: somebody was not told of the end");
        }
    }

    fn pass(&mut self, time: Duration) {
        self.world.settle();
        self.world.block_on(self.world.sleep(time));
        self.check_sleepers();
    }

    /// The transport takes everything, and nobody is in a hurry.
    fn calm(&mut self) {
        for lane in &self.lanes {
            lane.set(|mood| {
                (mood.stuck, mood.hesitates, mood.buffers) = (false, false, false);
                (mood.budget, mood.ragged) = (None, None);
                (mood.read_max, mood.write_max) = (usize::MAX, usize::MAX);
            });
        }
        for node in &mut self.nodes {
            node.opens.clear();
            node.accepts.clear();
            for handle in &mut node.handles {
                handle.recv.iter().for_each(|recv| recv.set_read_deadline(None));
                handle.send.iter().for_each(|send| send.set_write_deadline(None));
                (handle.read_deadline, handle.write_deadline) = (None, None);
            }
        }
    }

    /// Accepts and reads until nothing moves; with `finish`, every writer finishes first.
    fn quieten(&mut self, finish: bool) {
        for _ in 0..ROUNDS {
            let before = self.moved();
            for who in 0..2 {
                self.accept_all(who);
                for at in 0..self.nodes[who].handles.len() {
                    if finish {
                        self.finish(who, at, 0);
                    }
                    while self.read(who, at, 1 << 20, 1) {}
                }
            }
            self.pass(Duration::from_millis(1001));
            if before == self.moved() {
                return;
            }
        }
        panic!("{ROUNDS} rounds and no end");
    }

    fn accept_all(&mut self, who: usize) {
        loop {
            let before = self.nodes[who].handles.len();
            self.accept(who);
            if self.nodes[who].accepts.is_empty() || !self.poll_accept(who, 0) {
                break;
            }
            if self.nodes[who].handles.len() == before {
                break;
            }
        }
        self.nodes[who].accepts.clear();
    }

    /// A number that grows with everything that moves.
    fn moved(&self) -> (u64, usize, usize) {
        let handles = self.nodes.iter().flat_map(|node| &node.handles);
        let read =
            handles.clone().map(|handle| handle.read.len() + usize::from(handle.ended || handle.failed));
        (self.lanes.iter().map(muxado_testkit::Lane::written).sum(), handles.count(), read.sum())
    }

    fn assert_nobody_waits_for_room(&self) {
        for handle in self.nodes.iter().flat_map(|node| &node.handles) {
            let waits = handle.send.is_some() && handle.writes.sleeps() && !self.said[handle.name].finished;
            assert!(!waits || self.disturbed, "I11: a writer waits for nothing");
        }
    }

    fn assert_everything_ended(&self) {
        for handle in self.nodes.iter().flat_map(|node| &node.handles) {
            let over = handle.ended || handle.failed || handle.recv.is_none();
            assert!(over || self.disturbed, "a stream never ends");
        }
    }

    /// I10: nobody holds anything, so there is nothing.
    fn assert_nothing_is_left(&self) {
        for session in self.nodes.iter().filter_map(|node| node.sessions.first()) {
            let stats = session.stats();
            let left = [stats.streams, stats.unread_bytes, stats.sendable_bytes, stats.extra_credit];
            assert!(self.disturbed || left == [0; 4], "I10: {left:?}");
        }
    }
}
