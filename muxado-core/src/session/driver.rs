//! The future that owns the transport and moves the bytes. A session lives while its driver is polled.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};

use super::goodbye::Stage;
use super::read::{Handled, ReadHalf, ReadStep};
use super::shared::{Shared, State};
use super::timers::{Limit, Timers};
use super::wakers::WakeList;
use super::write::WriteHalf;
use crate::error::{EndCause, SessionEnd};
use crate::rt::Runtime;

/// Bytes put into one batch (B15).
pub(super) const BATCH: usize = 256 * 1024;

/// Bytes read and written in one poll before other tasks get a turn (B20).
pub(super) const POLL_BUDGET: usize = 512 * 1024;

/// What one step of a poll counts for at least, in bytes, however little the transport gave.
pub(super) const STEP: usize = 4096;

/// A frame is at least as much work as this many bytes: 1024 of them are enough for one poll (B20).
const FRAME_WORK: usize = POLL_BUDGET / 1024;

/// How long reading goes on after writing has failed.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Moves the bytes between a session and its transport. A plain future: spawn it or poll it yourself.
///
/// It resolves, with the reason, once the session has ended and the transport is closed. A session that this side ended
/// is half-closed first, and the driver waits for the peer's end: see [`half_closes`](Driver::half_closes). Reading never
/// waits for writing, for an accept or for a slow stream. It yields after a bounded amount of work. The task that polled it
/// last is woken.
///
/// ```
/// # use muxado_testkit::{World, pipe};
/// use muxado_core::rt::Runtime;
/// use muxado_core::{Config, Session};
///
/// # let (runtime, (transport, _peer)) = (World::new(), pipe(4096));
/// let (session, driver) = Session::client(transport, &Config::default(), runtime.clone());
/// runtime.spawn(async { println!("{}", driver.await) }); // why the session ended
/// # drop(session);
/// ```
///
/// *Dropping* it ends the session at once: streams fail with [`EndCause::DriverDropped`](crate::EndCause), unless
/// the session had ended already, and the transport is dropped.
#[must_use = "a session does nothing unless its driver is polled or spawned"]
pub struct Driver<R, W, T: Runtime> {
    pub(super) shared: Arc<Shared>,
    pub(super) read: ReadHalf<R>,
    pub(super) write: WriteHalf<W>,
    pub(super) timers: Timers<T>,
    pub(super) stage: Stage,
    /// The transport has nothing more to read.
    pub(super) at_eof: bool,
    /// Writing has failed. What the peer sent before may still be there to read, its goodbye with it.
    pub(super) broken: Option<io::Error>,
    /// The time limit of a drain or close has passed: nothing more is waited for.
    pub(super) out_of_time: bool,
    /// The peer learns when our direction of the transport is closed, and can be waited for.
    pub(super) half_closes: bool,
    /// The peer has said GOAWAY, and what is left has its limit.
    pub(super) peer_leaving: bool,
    /// There is little to send and there are many who may have more in a moment: whoever can run now goes first, once.
    pub(super) holds_back: bool,
    /// The last poll ended so that whoever waited for a small message could run before all else that there was to do.
    gave_way: bool,
    /// More is to be pulled, or may be, once the transport has taken what was: nobody wakes the driver for that.
    pub(super) has_more: bool,
    /// A poll is under way. If it still is when the next one begins, it has panicked.
    polling: bool,
    pub(super) woken: WakeList,
}

impl<R, W, T> Driver<R, W, T>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    T: Runtime,
{
    pub(super) fn new(shared: Arc<Shared>, read: R, write: W, runtime: T) -> Self {
        Driver {
            read: ReadHalf::new(read, shared.config().inspection()),
            shared,
            write: WriteHalf::new(write),
            timers: Timers::new(runtime),
            stage: Stage::Running,
            at_eof: false,
            broken: None,
            out_of_time: false,
            half_closes: false,
            peer_leaving: false,
            holds_back: false,
            gave_way: false,
            has_more: false,
            polling: false,
            woken: WakeList::default(),
        }
    }

    /// States that a vectored write of the transport really takes many slices at once. Default: no, since the
    /// futures-io traits cannot be asked.
    ///
    /// With it, large payloads go to the transport from where they lie; without it they are copied into one buffer with
    /// their headers, which is better than a system call for each slice.
    pub fn vectored(mut self, vectored: bool) -> Self {
        self.write.set_vectored(vectored);
        self
    }

    /// States how to bound what the transport takes before it has sent what it took before, in bytes. Default: not at all.
    ///
    /// A small message waits behind what is unsent, and with nothing unsent the line stands still. On a transport between
    /// two machines, whose [addresses](crate::Session::set_addresses) say so, the session lets it hold what it sends in
    /// some ten milliseconds: 128 KiB to begin with, which is for the caller to set, and then from 16 KiB to 2 MiB, as the line
    /// shows to be enough. For TCP on Linux this is `TCP_NOTSENT_LOWAT`.
    ///
    /// ```
    /// use muxado_core::rt::Runtime;
    /// use muxado_core::{Config, Session, Side};
    ///
    /// # let (runtime, (near, _far)) = (muxado_testkit::World::new(), muxado_testkit::pipe(4096));
    /// # let (read, write, config) = (near.read, near.write, Config::default());
    /// let (session, driver) = Session::from_halves(Side::Client, read, write, &config, runtime.clone());
    /// let driver = driver.unsent(|write, bytes| println!("{write:?} may hold {bytes} bytes"));
    /// runtime.spawn(async { drop(driver.await) });
    /// # drop(session);
    /// ```
    pub fn unsent(mut self, bound: fn(&W, u32)) -> Self {
        self.write.set_unsent(bound);
        self
    }

    /// States that `poll_close` of the transport really tells the peer the end of our direction, as shutting down a TCP
    /// socket for writing does, or the drop that follows where the directions are separate
    /// ([`from_halves`](crate::Session::from_halves)). Default: no, since many only flush.
    ///
    /// With it, the end of a session waits until the peer, having read everything, ends its direction too, for as long
    /// as the close or drain has time and [`Config::drain_timeout`](crate::Config::drain_timeout). Without it, the
    /// transport is closed once the peer has been silent for 250 ms. Then bytes that were still on their way over a
    /// slow link may be lost: TCP takes them back if the peer sends anything to a socket that is closed.
    pub fn half_closes(mut self, half_closes: bool) -> Self {
        self.half_closes = half_closes;
        self
    }

    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut work = 0;
        // All there was to send is sent: somebody wakes the driver when there is more.
        let mut settled = false;
        let gave_way = std::mem::take(&mut self.gave_way);
        while self.stage == Stage::Running {
            let tells_time = self.read.wants_time;
            let read = self.poll_read(cx);
            if !gave_way && read.as_ref().is_some_and(|read| read.gives_way) {
                self.gave_way = true;
                // Limits wait for the next poll: one of them may be for a transport that has yet to be asked.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            settled = read.as_ref().map_or(settled, |read| read.is_quiet && self.write.is_settled());
            let sent = match settled && self.stage == Stage::Running {
                true => Sent { work: 0, go_on: false },
                false => self.poll_write(cx, tells_time && read.is_some()),
            };
            settled = !sent.go_on && self.write.batch.is_empty();
            work += (read.as_ref().map_or(0, work_of) + sent.work).max(STEP);
            if self.shared.is_inspected() || self.shared.trace().has_work() {
                self.look();
            }
            if self.holds_back {
                return self.give_way(cx);
            }
            let idle = read.is_none() && !sent.go_on;
            if idle || work >= POLL_BUDGET {
                if !self.poll_limits(cx) {
                    if !idle {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                settled = false;
            }
        }
        self.poll_goodbye(cx)
    }

    /// Lets whoever can run now go first. Limits are looked at: this may happen in each poll, with as much to do.
    fn give_way(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_limits(cx);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once. None if there is nothing to read.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Option<Handled> {
        match self.read.step(cx, &self.shared, &mut self.woken) {
            ReadStep::Handled(handled) => {
                self.note_life();
                Some(handled)
            }
            ReadStep::Pending => None,
            ReadStep::Ended(error) => {
                self.lost(error);
                None
            }
        }
    }

    /// Pulls a batch if the last one is gone, and writes what the transport takes. `told`: the machine has just been
    /// told the time.
    fn poll_write(&mut self, cx: &mut Context<'_>, told: bool) -> Sent {
        if self.stage != Stage::Running {
            return Sent { work: 0, go_on: true };
        }
        let pulled = self.pull(cx, told);
        if self.stage != Stage::Running || self.holds_back {
            return Sent { work: 0, go_on: true };
        }
        if self.broken.is_some() {
            return Sent { work: 0, go_on: false };
        }
        let was_full = self.write.is_full;
        let written = self.write.poll_write(cx);
        if self.shared.is_far() {
            self.write.mind_stock(self.write.unreported, || self.timers.now());
        }
        // One that was full takes more only if the other end takes something out.
        if was_full && self.write.unreported > 0 {
            self.note_life();
        }
        match written {
            Poll::Ready(Ok(())) if self.has_more => {
                self.timers.stop(Limit::Stall);
                Sent { work: pulled, go_on: true }
            }
            Poll::Ready(Ok(())) => Sent { work: pulled, go_on: self.poll_flush(cx) },
            Poll::Ready(Err(error)) => {
                self.break_off(error);
                Sent { work: 0, go_on: true }
            }
            Poll::Pending => {
                self.watch_stall(self.write.unreported > 0);
                Sent { work: 0, go_on: false }
            }
        }
    }

    /// The peer has just shown that it lives, for whoever wants to know.
    fn note_life(&mut self) {
        if self.shared.is_observed() {
            let now = self.timers.now();
            self.shared.with_driver(&mut self.woken, |state| state.driver.life = Some(now));
        }
    }

    /// The transport is pending: it has taken something, or nothing for as long as the limit runs.
    pub(super) fn watch_stall(&mut self, progress: bool) {
        if progress {
            self.timers.stop(Limit::Stall);
        }
        if let Some(limit) = self.shared.config().write_stall() {
            self.timers.start(Limit::Stall, limit);
        }
    }

    /// Whether it failed, and there is something to do.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> bool {
        match self.write.poll_flush(cx) {
            Poll::Ready(Err(error)) => {
                self.break_off(error);
                return true;
            }
            Poll::Ready(Ok(())) => self.timers.stop(Limit::Stall),
            // One that is kept from its end by what is written meanwhile is slow, not stuck.
            Poll::Pending => self.watch_stall(self.write.unreported > 0),
        }
        false
    }

    /// Acts on the limits that have passed. Whether any had.
    pub(super) fn poll_limits(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Poll::Ready((limit, now)) = self.timers.poll(cx) {
            any = true;
            let age = self.shared.age_at(now);
            self.report(|state| match limit {
                Limit::Credit => state.driver.small_credit.pass(&mut state.mux, age),
                Limit::Sweep => {
                    state.driver.sweep_armed = false;
                    state.mux.handle_sweep();
                }
                Limit::Deadline => state.mux.handle_deadline(),
                Limit::Stall => state.mux.handle_stall(),
                Limit::Stream | Limit::Goodbye | Limit::LastWords => {}
            });
            match limit {
                Limit::Goodbye => self.goodbye_is_due(),
                Limit::Deadline => self.run_out_of_time(),
                Limit::Stall => self.give_up_writing(),
                Limit::LastWords => self.lost(None),
                Limit::Stream => self.pass_deadlines(now),
                Limit::Credit | Limit::Sweep => {}
            }
        }
        any
    }

    /// Tells the machine what the transport has taken, and then something that may end the session or streams: one whose
    /// beginning was taken, if only in this very step, is not safe to retry.
    fn report(&mut self, act: impl FnOnce(&mut State)) {
        let written = std::mem::take(&mut self.write.unreported);
        self.shared.with_driver(&mut self.woken, |state| {
            state.mux.handle_written(written);
            act(state);
        });
    }

    /// The deadlines of streams that have passed: whoever waits there is told.
    fn pass_deadlines(&mut self, now: Instant) {
        let mut passed = WakeList::default();
        self.shared.with_driver(&mut self.woken, |state| {
            state.deadlines.pass(now, &mut state.wakers, &mut passed);
        });
        passed.wake();
    }

    /// Writing has failed: what the transport has not taken is never sent. A peer that said its last words and closed
    /// makes writes fail before those words are read, so that reading goes on for a moment.
    fn break_off(&mut self, error: io::Error) {
        self.report(|state| state.mux.handle_broken_off());
        self.forget_batch();
        self.broken = Some(error);
        self.timers.stop(Limit::Stall);
        self.timers.start(Limit::LastWords, LAST_WORDS);
    }

    /// The transport has ended under a session that had not. If writing had failed before, that is why.
    fn lost(&mut self, error: Option<io::Error>) {
        self.at_eof = true;
        let error = self.broken.take().or(error);
        // Made here, so that an error that is not the first cause is dropped here, outside the lock.
        let end = SessionEnd::new(error.map_or(EndCause::PeerEof, EndCause::Transport));
        self.report(|state| state.mux.lose_transport(end.clone()));
        self.forget_batch();
        if self.stage == Stage::Running {
            // Nobody reads any more: what is in the batch is not worth waiting for.
            self.start_closing();
        }
    }
}

fn work_of(read: &Handled) -> usize {
    read.bytes.max(read.frames * FRAME_WORK)
}

/// What one step of writing came to.
struct Sent {
    /// Bytes.
    work: usize,
    /// There may be more to do at once; otherwise somebody will wake the driver.
    go_on: bool,
}

impl<R, W, T: Runtime> Driver<R, W, T> {
    /// Tells everybody that it is over, and why: the driver is gone, if there is no better reason.
    fn conclude(&mut self) -> SessionEnd {
        let reported = std::mem::take(&mut self.write.unreported);
        let unsent = self.write.batch.len();
        let (end, _own) = self.shared.with(|state| {
            if !std::mem::replace(&mut state.driver.done, true) {
                state.mux.handle_written(reported);
                state.mux.handle_undelivered(unsent);
                state.mux.handle_failure(EndCause::DriverDropped);
            }
            // The driver's own waker may hold its task, which holds the session.
            (state.mux.end(), state.driver.waker.take())
        });
        self.shared.trace().ended(&self.shared);
        // Only now: the owners of the bytes may panic, and nobody is to wait because of that.
        self.write.batch.advance(usize::MAX);
        end.unwrap_or_else(|| SessionEnd::new(EndCause::DriverDropped))
    }
}

impl<R, W, T> Future for Driver<R, W, T>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    T: Runtime,
{
    type Output = SessionEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SessionEnd> {
        let this = self.get_mut();
        // What a poll that panicked has left half done is not to be trusted: bytes may be gone.
        let panicked = std::mem::replace(&mut this.polling, true);
        let pending = !panicked && this.stage != Stage::Done && this.poll_session(cx).is_pending();
        this.read.give_back();
        if pending {
            this.polling = false;
            return Poll::Pending;
        }
        this.stage = Stage::Done;
        let end = this.conclude();
        this.polling = false;
        Poll::Ready(end)
    }
}

impl<R, W, T: Runtime> Unpin for Driver<R, W, T> {}

impl<R, W, T: Runtime> Drop for Driver<R, W, T> {
    fn drop(&mut self) {
        self.conclude();
    }
}

impl<R, W, T: Runtime> fmt::Debug for Driver<R, W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("stage", &self.stage).finish_non_exhaustive()
    }
}
