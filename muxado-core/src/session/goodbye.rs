//! The end of a transport: the last frames go out, our direction is closed, and the peer's end is waited for a little.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::driver::{BATCH, Driver, POLL_BUDGET, STEP};
use super::read::{Handled, ReadStep};
use super::timers::Limit;
use crate::error::EndCause;
use crate::rt::Runtime;

/// How long a goodbye after an error may take to go out, and how long anybody waits for a peer that neither ends its
/// direction of the transport nor says anything (B22).
const GOODBYE: Duration = Duration::from_millis(250);

/// Bytes read and thrown away while waiting for the peer's end (B22), beyond what it was given credit for.
const GOODBYE_READ: usize = 64 * 1024;

/// How far the transport's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Both directions work.
    Running,
    /// The last frames are on their way.
    Flushing,
    /// Our direction is being closed.
    ///
    /// Patient: all that was to be sent is sent. What the transport has to say itself to that, as TLS has, may have to wait
    /// for room behind it.
    Closing { patient: bool },
    /// Our direction is closed; up to this many bytes of the peer's are thrown away until it closes too.
    ///
    /// Patient: as long as the peer says something, it may not have all of ours yet. A transport that is closed while
    /// bytes of the peer's are on their way may take back what was sent.
    Lingering { left: usize, patient: bool },
    /// Over.
    Done,
}

impl<R, W, T> Driver<R, W, T>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    T: Runtime,
{
    /// The session is over for the machine: what is left is to tell the peer.
    ///
    /// If this side meant it, what is under way may take as long as its own limit and the transport allow. If not,
    /// there is no time to lose.
    pub(super) fn say_goodbye(&mut self) {
        if self.stage != Stage::Running {
            return;
        }
        if self.broken.is_some() {
            return self.start_closing();
        }
        self.stage = Stage::Flushing;
        self.timers.stop(Limit::Stall);
        if !self.is_meant() || self.out_of_time {
            self.timers.start(Limit::Goodbye, GOODBYE);
        }
    }

    /// Whether the session ended because this side wanted it.
    fn is_meant(&self) -> bool {
        let end = self.shared.with(|state| state.mux.end());
        end.is_some_and(|end| matches!(end.cause(), EndCause::Closed { .. }))
    }

    /// The limit of a drain or close has passed: what is on its way has a last moment.
    pub(super) fn run_out_of_time(&mut self) {
        self.out_of_time = true;
        if matches!(self.stage, Stage::Flushing | Stage::Closing { .. } | Stage::Lingering { .. }) {
            self.timers.start(Limit::Goodbye, GOODBYE);
        }
    }

    /// A limit may still be asked for while the last frames are on their way, or the peer's end is waited for.
    fn heed_limit(&mut self, cx: &mut Context<'_>) {
        let waker = cx.waker().clone();
        let (limit, _old) = self
            .shared
            .with_driver(&mut self.woken, |state| (state.limit.take(), state.driver.waker.replace(waker)));
        if let Some(limit) = limit {
            self.timers.advance(Limit::Deadline, limit);
        }
    }

    /// Nothing more is written: what the transport has not taken is never sent, and counts as cut off.
    pub(super) fn give_up_writing(&mut self) {
        self.forget_batch();
        self.start_closing();
    }

    pub(super) fn start_closing(&mut self) {
        self.timers.stop(Limit::Stall);
        self.timers.stop(Limit::LastWords);
        // After an error, or when the limit has passed, it runs already, and goes on.
        self.timers.start(Limit::Goodbye, GOODBYE);
        self.stage = Stage::Closing { patient: false };
    }

    /// The goodbye has had its time, or the peer has been silent for that long.
    pub(super) fn goodbye_is_due(&mut self) {
        match self.stage {
            // Silent, perhaps because our last bytes are still on their way. It will learn of our end, and end too.
            Stage::Closing { patient: true } | Stage::Lingering { patient: true, .. }
                if self.half_closes && !self.out_of_time =>
            {
                self.tell();
            }
            _ => self.leave(),
        }
    }

    /// All that can be known of the end is known: whoever waits for it need not wait for a silent peer.
    fn tell(&mut self) {
        self.shared.with_driver(&mut self.woken, |state| state.driver.done = true);
    }

    /// Nothing more is sent or waited for.
    fn leave(&mut self) {
        self.forget_batch();
        self.stage = Stage::Done;
    }

    pub(super) fn forget_batch(&mut self) {
        let unsent = self.write.batch.len();
        self.write.batch.advance(usize::MAX);
        self.shared.with_driver(&mut self.woken, |state| state.mux.handle_undelivered(unsent));
    }

    /// Flushes, closes our direction, and waits a little for the peer's end (W17, S80).
    pub(super) fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut work = 0_usize;
        loop {
            if work >= POLL_BUDGET {
                self.poll_limits(cx);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let step = match self.stage {
                Stage::Running | Stage::Done => return Poll::Ready(()),
                Stage::Flushing => self.poll_last_frames(cx),
                Stage::Closing { patient } => self.poll_close(cx, patient),
                Stage::Lingering { left, patient } => self.poll_linger(cx, left, patient),
            };
            match step {
                Poll::Ready(stage) => {
                    if let (Stage::Lingering { left: old, .. }, Stage::Lingering { left, .. }) =
                        (self.stage, stage)
                    {
                        work += old.saturating_sub(left).max(STEP);
                    }
                    self.stage = stage;
                }
                // Only a limit can still change the stage. The driver may come late: what the transport has for us by then
                // counts first.
                Poll::Pending if self.poll_limits(cx) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_last_frames(&mut self, cx: &mut Context<'_>) -> Poll<Stage> {
        self.heed_limit(cx);
        let has_read = self.read_on(cx);
        let before = self.write.batch.len();
        let written = match self.write.poll_write(cx) {
            Poll::Ready(Ok(())) if self.pull_last_frames() => return Poll::Ready(Stage::Flushing),
            Poll::Ready(Ok(())) => self.write.poll_flush(cx),
            other => other,
        };
        match written {
            Poll::Ready(Ok(())) => {
                self.start_closing();
                Poll::Ready(Stage::Closing { patient: self.has_time() })
            }
            Poll::Ready(Err(_)) => {
                self.leave();
                Poll::Ready(self.stage)
            }
            Poll::Pending => {
                self.watch_stall(self.write.batch.len() < before);
                if has_read {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, patient: bool) -> Poll<Stage> {
        self.heed_limit(cx);
        if let Poll::Ready(closed) = self.write.poll_close(cx) {
            return Poll::Ready(self.after_close(closed.is_ok()));
        }
        if !self.at_eof && self.read_on(cx) {
            self.note_talk(patient);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Reads once while we write: the peer may be unable to take our last bytes until its own are read. Whether there were
    /// any.
    fn read_on(&mut self, cx: &mut Context<'_>) -> bool {
        let read = self.read.discard(cx);
        self.at_eof |= matches!(read, ReadStep::Ended(_));
        matches!(read, ReadStep::Handled(_))
    }

    /// Whether the end of our direction, and then the peer's, may take its time, which begins now if it has not yet.
    fn has_time(&mut self) -> bool {
        let has_time = self.is_meant() && !self.out_of_time;
        if has_time {
            self.timers.advance(Limit::Deadline, self.shared.config().drain_timeout());
        }
        has_time
    }

    /// Fills the empty batch with what is left, which is GOAWAY or nothing.
    fn pull_last_frames(&mut self) -> bool {
        let batch = &mut self.write.batch;
        self.shared.with_driver(&mut self.woken, |state| state.mux.poll_transmit(batch, BATCH));
        batch.drop_copied();
        !batch.is_empty()
    }

    fn after_close(&mut self, half_closed: bool) -> Stage {
        if self.at_eof {
            return Stage::Done;
        }
        let mut left = self.shared.with(|state| state.mux.in_flight()).saturating_add(GOODBYE_READ);
        self.half_closes &= half_closed;
        let patient = self.has_time();
        if patient {
            self.timers.restart(Limit::Goodbye, GOODBYE);
            // The peer may be opening streams: it does not know yet, and each comes with a window.
            let config = self.shared.config();
            let window = config.window() as usize;
            left = left.saturating_add(config.max_inbound_streams().saturating_mul(window));
        }
        Stage::Lingering { left, patient }
    }

    /// The peer is not silent.
    fn note_talk(&mut self, patient: bool) {
        if patient && !self.out_of_time {
            self.timers.restart(Limit::Goodbye, GOODBYE);
        }
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>, left: usize, patient: bool) -> Poll<Stage> {
        self.heed_limit(cx);
        match self.read.discard(cx) {
            ReadStep::Handled(Handled { bytes, .. }) if bytes < left => {
                self.note_talk(patient);
                Poll::Ready(Stage::Lingering { left: left - bytes, patient })
            }
            ReadStep::Handled(_) | ReadStep::Ended(_) => Poll::Ready(Stage::Done),
            ReadStep::Pending => Poll::Pending,
        }
    }
}
