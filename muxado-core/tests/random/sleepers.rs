//! Whoever was told to wait, and was not woken, waits for something (I11).

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Instant;

use muxado_core::rt::Runtime;
use muxado_testkit::{counter, poll};

use super::Run;
use super::node::{Op, Wait};

impl Run {
    pub(crate) fn world_now(&self) -> Instant {
        self.world.now()
    }

    /// Lets everybody run who can, and asks all who sleep again.
    pub(crate) fn check_sleepers(&mut self) {
        self.world.settle();
        self.audit();
        for who in 0..2 {
            for at in 0..self.nodes[who].handles.len() {
                self.check_handle(who, at);
            }
            let node = &mut self.nodes[who];
            ask_again(&mut node.stops, "who waits for a stop");
            ask_again(&mut node.ends, "who waits for the end");
            ask_again(&mut node.leaves, "who waits for a goodbye");
            self.check_acceptors(who);
            // Somebody who was woken has not come yet: whoever is behind him waits for him.
            if self.nodes[who].opens.iter().all(|op| op.wait.sleeps()) {
                for at in (0..self.nodes[who].opens.len()).rev() {
                    assert!(!self.poll_open(who, at), "I11: an opener was not woken");
                }
            }
            if self.nodes[who].accepts.iter().all(|op| op.wait.sleeps()) {
                for at in (0..self.nodes[who].accepts.len()).rev() {
                    assert!(!self.poll_accept(who, at), "I11: an acceptor was not woken");
                }
            }
        }
    }

    /// Each who was woken and has not come holds up the others for one stream, and no more (B24).
    fn check_acceptors(&self, who: usize) {
        let node = &self.nodes[who];
        let backlog = node.sessions.first().map_or(0, |session| session.stats().backlog);
        let told = node.accepts.iter().filter(|op| op.wait.was_told()).count();
        let sleeps = node.accepts.iter().any(|op| op.wait.sleeps());
        assert!(!sleeps || backlog <= told, "I11: {backlog} streams wait, and {told} were told");
    }

    fn check_handle(&mut self, who: usize, at: usize) {
        let now = self.world_now();
        let is_driven = self.nodes[who].is_driven();
        let late = |deadline: Option<Instant>| is_driven && deadline.is_some_and(|at| at < now);
        let handle = &self.nodes[who].handles[at];
        if handle.recv.is_some() && handle.reads.sleeps() {
            assert!(!late(handle.read_deadline), "I11: a reader sleeps past its deadline");
            self.read(who, at, 1, 0);
            assert!(self.nodes[who].handles[at].reads.0.is_some(), "I11: a reader was not woken");
        }
        let handle = &self.nodes[who].handles[at];
        if handle.send.is_some() && handle.writes.sleeps() {
            assert!(!late(handle.write_deadline), "I11: a writer sleeps past its deadline");
            // A little room is not worth a wake-up.
            let wrote = self.write(who, at, 1, 0);
            let waits = self.nodes[who].handles[at].writes.0.is_some();
            assert!(wrote || waits, "I11: a writer was not told that it failed");
        }
        let handle = &mut self.nodes[who].handles[at];
        if let Some(send) = handle.send.as_mut().filter(|_| handle.watches.sleeps()) {
            let (count, waker) = counter();
            let stopped = send.poll_stopped(&mut Context::from_waker(&waker));
            assert!(stopped.is_pending(), "I11: who watches was not woken: {stopped:?}");
            handle.watches = Wait(Some(count));
        }
    }
}

fn ask_again<F: Future + Unpin>(ops: &mut [Op<F>], who: &str) {
    for op in ops.iter_mut().filter(|op| op.wait.sleeps()) {
        let (count, waker) = counter();
        assert!(matches!(poll(&mut op.future, &waker), Poll::Pending), "I11: {who} was not woken");
        op.wait = Wait(Some(count));
    }
}
