//! A session seen from inside: who looks at streams, when, and what the time is then.
//!
//! Only with [`ConfigBuilder::inspection`](crate::ConfigBuilder::inspection): without it nobody reads a clock for this, and
//! all that is left is a question for a flag.

use std::fmt;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::Session;
use super::driver::Driver;
use super::shared::{Shared, State};
use crate::proto::inspection::{DriverWait, Driving, Inspection};
use crate::proto::{FrameLog, StreamKey};
use crate::rt::Runtime;

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (side, streams, end) =
            self.shared.with(|state| (state.mux.side(), state.mux.stats().streams, state.mux.end()));
        f.debug_struct("Session").field("side", &side).field("streams", &streams).field("end", &end).finish()
    }
}

impl Shared {
    /// How long the session has lived.
    pub(crate) fn age(&self) -> Duration {
        self.age_at(self.now())
    }

    /// Something was done to a stream: what it waits for may be something else now.
    #[inline]
    pub(crate) fn note(&self, key: StreamKey) {
        if self.is_inspected() {
            self.look_at(key);
        }
    }

    #[cold]
    fn look_at(&self, key: StreamKey) {
        let age = self.age();
        self.with(|state| {
            state.mux.handle_time(age);
            state.mux.look_at(key);
        });
    }

    /// The same after somebody has read from it, or has come to wait for what is to be read.
    #[inline]
    pub(crate) fn note_read(&self, key: StreamKey) {
        if self.is_inspected() {
            self.look_after_read(key);
        }
    }

    #[cold]
    fn look_after_read(&self, key: StreamKey) {
        let age = self.age();
        self.with(|state| {
            state.mux.handle_time(age);
            state.mux.look_after_read(key);
        });
    }

    pub(crate) fn inspect(&self) -> Inspection {
        let age = self.age();
        self.with(|state| {
            if self.is_inspected() {
                state.mux.handle_time(age);
                state.mux.look_at_all();
            }
            let mut inspection = state.mux.inspect();
            inspection.age = Some(age);
            inspection.driver = Some(state.driver_wait(age));
            inspection.openers = state.wakers.open.len();
            inspection
        })
    }

    pub(crate) fn frames(&self) -> FrameLog {
        self.with(|state| state.mux.frames())
    }
}

impl State {
    fn driver_wait(&self, age: Duration) -> DriverWait {
        let driver = &self.driver;
        let what = match driver.waker.is_some() {
            _ if driver.done => Driving::Gone,
            _ if self.mux.is_ended() => Driving::Goodbye,
            false => Driving::Busy,
            true if driver.write_blocked || driver.full_since.is_some() => Driving::Transport,
            true => Driving::Idle,
        };
        let so_far = driver.full_since.filter(|_| what == Driving::Transport);
        DriverWait::new(what, so_far.map(|since| age.saturating_sub(since)))
    }
}

impl<R, W, T> Driver<R, W, T>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    T: Runtime,
{
    /// A step is over: looks at what it has changed.
    #[cold]
    pub(super) fn look(&mut self) {
        if self.shared.trace().has_work() {
            self.shared.trace().tell_frames(&self.shared, &mut self.woken);
        }
        if !self.shared.is_inspected() {
            return;
        }
        let age = self.shared.age();
        let (is_full, has_moved) = (self.write.is_full, self.write.unreported > 0);
        self.shared.with_driver(&mut self.woken, |state| {
            state.mux.handle_time(age);
            state.mux.look_at_last();
            let since = state.driver.full_since.filter(|_| !has_moved).unwrap_or(age);
            state.driver.full_since = is_full.then_some(since);
        });
    }
}
