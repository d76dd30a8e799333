//! What can happen in a step.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::AsyncWrite;
use muxado_core::rt::Runtime;
use muxado_core::{ErrorCode, Stream};
use muxado_testkit::{counter, poll};

use super::Run;
use super::node::{Op, Wait};

impl Run {
    pub(crate) fn step(&mut self) {
        let who = self.dice.below(2);
        let streams = self.nodes[who].handles.len();
        let at = self.dice.below(streams);
        match self.dice.below(100) {
            0..=19 => self.step_in_line(who),
            20..=37 if streams > 0 => {
                let (len, how) = (self.dice.length(self.most), self.dice.below(3));
                self.write(who, at, len, how);
            }
            38..=55 if streams > 0 => {
                let (max, how) = (self.dice.length(self.most).max(1), self.dice.below(3));
                self.read(who, at, max, how);
            }
            56..=70 if streams > 0 => self.step_on_stream(who, at),
            71 | 72 => self.step_of_watchers(who),
            73 => self.look(who),
            74..=79 => (0..self.dice.below(4)).for_each(|_| self.world.turn()),
            80..=87 => self.check_sleepers(),
            88..=91 => {
                let time = Duration::from_millis(self.dice.pick(&[1, 10, 50, 60, 1000, 4000]));
                self.world.block_on(self.world.sleep(time));
                self.check_sleepers();
            }
            92..=95 => self.change_mood(),
            96 if self.dice.one_in(20) => self.leave(who),
            97 if self.dice.one_in(40) => self.break_transport(who),
            98 => self.nodes[who].handles.retain(|handle| handle.send.is_some() || handle.recv.is_some()),
            _ => {}
        }
    }

    /// Opens or accepts, asks again, or gives up.
    fn step_in_line(&mut self, who: usize) {
        let [opens, accepts] = [self.nodes[who].opens.len(), self.nodes[who].accepts.len()];
        let (opener, acceptor) = (self.dice.below(opens), self.dice.below(accepts));
        match self.dice.below(20) {
            0..=5 => self.open(who),
            6..=8 if opens > 0 => _ = self.poll_open(who, opener),
            9 if opens > 0 => drop(self.nodes[who].opens.swap_remove(opener)),
            10 => {
                let opened = self.nodes[who].sessions.first().map(muxado_core::Session::try_open);
                opened.into_iter().flatten().for_each(|stream| self.took(who, stream));
            }
            11..=15 => self.accept(who),
            16..=18 if accepts > 0 => _ = self.poll_accept(who, acceptor),
            19 if accepts > 0 => drop(self.nodes[who].accepts.swap_remove(acceptor)),
            _ => {}
        }
    }

    fn step_on_stream(&mut self, who: usize, at: usize) {
        let how = self.dice.below(3);
        let handle = &mut self.nodes[who].handles[at];
        match self.dice.below(15) {
            0 | 1 => self.finish(who, at, how),
            2 => {
                if let Some(send) = &mut handle.send {
                    let flushed = Pin::new(send).poll_flush(&mut Context::from_waker(Waker::noop()));
                    assert!(flushed.is_ready(), "flushing waits for nobody");
                }
            }
            3 => self.give_up(who, at, how),
            4 | 5 => drop(handle.send.take()),
            6 | 7 => drop(handle.recv.take()),
            8 => drop((handle.send.take(), handle.recv.take())),
            9 => {
                if let Some(send) = &handle.send {
                    send.set_priority(self.dice.pick(&[-1, 0, 0, 3]));
                    if self.dice.below(16) == 0 {
                        send.set_background();
                    }
                    let _ = (send.consumed(), send.id());
                }
            }
            10..=12 => self.set_deadlines(who, at, how),
            _ => self.watch(who, at, how),
        }
    }

    fn give_up(&mut self, who: usize, at: usize, how: usize) {
        let code = ErrorCode::new(self.dice.pick(&[0, 5, 6, 7, 1000]));
        let handle = &mut self.nodes[who].handles[at];
        match (how, &mut handle.send, &mut handle.recv) {
            (0, Some(send), _) => _ = send.reset(code),
            (1, _, Some(recv)) => _ = recv.stop(code),
            (2, Some(_), Some(_)) => {
                let halves = (handle.send.take(), handle.recv.take());
                let (Some(send), Some(recv)) = halves else { return };
                let stream = Stream::from_halves(send, recv);
                let _ = if code.get() > 6 { stream.refuse_after_header() } else { stream.refuse() };
            }
            _ => {}
        }
    }

    fn set_deadlines(&mut self, who: usize, at: usize, how: usize) {
        let now = self.world.now();
        let after = self.dice.pick(&[Some(0), Some(30), Some(3000), None, None]);
        let deadline = after.map(|after| now + Duration::from_millis(after));
        let handle = &mut self.nodes[who].handles[at];
        if let Some(recv) = handle.recv.as_ref().filter(|_| how < 2) {
            recv.set_read_deadline(deadline);
            handle.read_deadline = deadline;
        }
        if let Some(send) = handle.send.as_ref().filter(|_| how > 0) {
            send.set_write_deadline(deadline);
            handle.write_deadline = deadline;
        }
    }

    fn watch(&mut self, who: usize, at: usize, how: usize) {
        let node = &mut self.nodes[who];
        let handle = &mut node.handles[at];
        let Some(send) = &mut handle.send else { return };
        let (count, waker) = counter();
        if how == 0 {
            let stopped = send.poll_stopped(&mut Context::from_waker(&waker));
            handle.watches = Wait(Some(count).filter(|_| stopped.is_pending()));
        } else {
            node.stops.push(Op::new(send.stopped()));
        }
    }

    /// Futures that concern no reader and no writer: begun, asked again, or given up.
    fn step_of_watchers(&mut self, who: usize) {
        let node = &mut self.nodes[who];
        let at = self.dice.below(node.stops.len());
        match self.dice.below(4) {
            0 => node.leaves.push(Op::new(node.observer.leaving())),
            1 => node.ends.extend(node.sessions.first().map(|session| Op::new(session.closed()))),
            2 if !node.stops.is_empty() => drop(node.stops.swap_remove(at)),
            _ => {}
        }
        fn ask<F: Future + Unpin>(ops: &mut Vec<Op<F>>) {
            ops.retain_mut(|op| {
                let (count, waker) = counter();
                let polled = poll(&mut op.future, &waker);
                op.wait = Wait(Some(count));
                matches!(polled, Poll::Pending)
            });
        }
        ask(&mut node.stops);
        ask(&mut node.ends);
        ask(&mut node.leaves);
    }

    fn look(&self, who: usize) {
        let node = &self.nodes[who];
        let _ = (node.observer.last_life(), node.observer.end());
        if let Some(session) = node.sessions.first() {
            let _ = (session.inspect().to_string(), session.frames().to_string());
        }
    }

    fn change_mood(&mut self) {
        let which = self.dice.below(2);
        let lane = self.lanes[which].clone();
        let most = self.dice.pick(&[7, 100, 100_000]);
        let on = self.dice.one_in(2);
        lane.set(|mood| match self.dice.below(7) {
            0 => mood.stuck = on,
            1 => mood.budget = on.then_some(most),
            2 => mood.read_max = most,
            3 => mood.write_max = most,
            // Two that do it in turns would keep a driver busy for ever.
            4 => mood.hesitates = on && which == 0,
            5 => mood.ragged = on.then_some(most),
            _ => mood.buffers = on,
        });
    }

    /// Ends the session, in one way or another.
    fn leave(&mut self, who: usize) {
        self.disturbed = true;
        let limit = Duration::from_secs(self.dice.pick(&[0, 1, 100]));
        let code = ErrorCode::new(self.dice.pick(&[0, 1, 1000]));
        let sessions = &mut self.nodes[who].sessions;
        let Some(session) = sessions.first() else { return };
        match self.dice.below(4) {
            0 => session.go_away(),
            1 => drop(session.drain(limit)),
            2 => drop(session.close(code, "why")),
            _ => sessions.clear(),
        }
    }

    fn break_transport(&mut self, who: usize) {
        self.disturbed = true;
        let lane = &self.lanes[who];
        match self.dice.below(5) {
            0 => lane.cut(),
            1 => lane.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset)),
            2 => lane.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe)),
            3 => lane.set(|mood| mood.flush_error = Some(io::ErrorKind::BrokenPipe)),
            _ => self.nodes[who].kill(),
        }
    }
}
