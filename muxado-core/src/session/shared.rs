//! The one lock of a session, and the rule of what happens under it: nothing foreign.
//!
//! Under the lock there is no I/O, no wake, no drop or clone of a waker, no drop of a user's `Bytes`, no callback.
//! Everybody goes through [`Shared::with`], which takes out the wakers and what is to be dropped, and deals with them
//! once the lock is released.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::deadlines::Deadlines;
use super::small_credit::SmallCredit;
use super::sync::{AtomicUsize, Mutex, MutexGuard};
use super::trace::SessionTrace;
use super::wait::Closed;
use super::wakers::{Direction, WakeList, Wakers};
use crate::config::Config;
use crate::proto::{Mux, StreamKey};
use muxado_frame::ErrorCode;

/// Tells the time, as the session's runtime does.
type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// What the handles of a session and its driver share.
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// When the session began: its machine counts time from here.
    begun: Instant,
    config: Config,
    trace: SessionTrace,
    /// The last read took all there was: the next is likely to wait.
    drained: AtomicBool,
    /// Somebody wants to know when the peer last showed that it lives.
    observed: AtomicBool,
    /// Ours and the peer's, where the transport has any.
    addresses: OnceLock<[Option<SocketAddr>; 2]>,
    /// `Session` handles alive. Streams do not count.
    handles: AtomicUsize,
    /// How often the lock was taken.
    #[cfg(test)]
    locks: AtomicUsize,
}

/// Everything behind the lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) mux: Mux,
    pub(crate) wakers: Wakers,
    pub(crate) deadlines: Deadlines,
    pub(crate) driver: DriverState,
    /// A time limit that a `drain` or `close` asked for, until the driver has seen it.
    pub(crate) limit: Option<Duration>,
}

/// What the rest of the session knows of its driver.
#[derive(Debug, Default)]
pub(crate) struct DriverState {
    /// Its task, while it sleeps.
    pub(crate) waker: Option<Waker>,
    /// It waits for the transport to take bytes: more to send is no news to it.
    pub(crate) write_blocked: bool,
    pub(crate) small_credit: SmallCredit,
    /// It has a timer running for dropped streams.
    pub(crate) sweep_armed: bool,
    /// The age of the session when the transport last took anything, while it takes nothing and somebody wants to know.
    pub(crate) full_since: Option<Duration>,
    /// When the peer last showed that it lives; none while nobody wants to know.
    pub(crate) life: Option<Instant>,
    /// The transport is closed, or only waits for a silent peer to close it too: whoever waits for the end is told.
    pub(crate) done: bool,
}

impl State {
    /// Asks for a time limit; of several the earliest counts.
    pub(crate) fn limit_to(&mut self, limit: Duration) {
        self.limit = Some(self.limit.map_or(limit, |old| old.min(limit)));
    }

    /// Whether there is something to do that the sleeping driver does not know of.
    fn has_news(&self) -> bool {
        (self.mux.wants_transmit() && !self.driver.write_blocked)
            || self.driver.small_credit.is_news(&self.mux)
            || (self.mux.has_lingering() && !self.driver.sweep_armed)
            || self.limit.is_some()
            || self.deadlines.is_news()
    }

    /// Whether the driver, whose task is that of `current`, has nothing to do but to read: all there was to send is under
    /// way, and whoever has more will wake it.
    pub(crate) fn is_quiet(&self, current: &Waker) -> bool {
        let waits = self.driver.waker.as_ref().is_some_and(|waker| waker.will_wake(current));
        waits && !self.has_news() && !self.mux.is_peer_leaving()
    }

    /// Takes out everybody whom the last changes concern, except the driver.
    pub(crate) fn collect(&mut self, woken: &mut WakeList) {
        while let Some(event) = self.mux.poll_event() {
            self.wakers.collect(event, woken);
        }
        if !self.wakers.accept.is_empty() {
            let streams = self.mux.backlog_len();
            woken.extend(std::iter::from_fn(|| self.wakers.accept.pop_for(streams)));
        }
        if !self.wakers.open.is_empty() {
            let places = self.mux.places();
            woken.extend(std::iter::from_fn(|| self.wakers.open.pop_for(places)));
        }
        if !self.wakers.leaving.is_empty() && self.mux.is_leaving() {
            woken.extend(std::iter::from_fn(|| self.wakers.leaving.pop()));
        }
        if self.driver.done {
            woken.extend(std::iter::from_fn(|| self.wakers.closed.pop()));
        }
    }
}

impl Shared {
    pub(crate) fn new(mut mux: Mux, clock: Clock) -> Arc<Shared> {
        Arc::new(Shared {
            begun: clock(),
            config: mux.config().clone(),
            trace: SessionTrace::new(&mut mux),
            drained: AtomicBool::new(false),
            state: Mutex::new(State {
                mux,
                wakers: Wakers::default(),
                deadlines: Deadlines::default(),
                driver: DriverState::default(),
                limit: None,
            }),
            clock,
            observed: AtomicBool::new(false),
            addresses: OnceLock::new(),
            handles: AtomicUsize::new(1),
            #[cfg(test)]
            locks: AtomicUsize::new(0),
        })
    }

    /// Does something with the state, then tells everybody whom it concerns.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.with_lock(&mut WakeList::default(), act, |state, woken| {
            if state.driver.waker.is_some() && state.has_news() {
                woken.extend(state.driver.waker.take());
            }
        })
    }

    /// For the driver, which needs no waking and brings a list of its own.
    pub(crate) fn with_driver<T>(&self, woken: &mut WakeList, act: impl FnOnce(&mut State) -> T) -> T {
        self.with_lock(woken, act, |_, _| {})
    }

    /// The one place where the lock is taken: what may run foreign code happens once it is released.
    fn with_lock<T>(
        &self,
        woken: &mut WakeList,
        act: impl FnOnce(&mut State) -> T,
        collect_driver: impl FnOnce(&mut State, &mut WakeList),
    ) -> T {
        let (result, discarded) = {
            let mut state = self.lock();
            let result = act(&mut state);
            state.collect(woken);
            collect_driver(&mut state, woken);
            (result, state.mux.has_discarded().then(|| state.mux.take_discarded()))
        };
        if !woken.is_empty() {
            woken.wake();
        }
        drop(discarded);
        result
    }

    /// Sets or takes away a deadline, and lets whoever waits there look again.
    pub(crate) fn set_deadline(&self, key: StreamKey, direction: Direction, at: Option<Instant>) {
        let now = self.now();
        let mut waiting = WakeList::default();
        self.with(|state| {
            state.deadlines.set(key, direction, at, now);
            waiting.extend(state.wakers.take(key, direction));
        });
        waiting.wake();
    }

    /// A panic of ours under the lock would be a bug; it must not become a second one for everybody else.
    fn lock(&self) -> MutexGuard<'_, State> {
        #[cfg(test)]
        self.locks.fetch_add(1, Ordering::Relaxed);
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// How long the session has lived by then.
    pub(crate) fn age_at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Somebody wants to know how long streams wait.
    pub(crate) fn is_inspected(&self) -> bool {
        self.config.inspection()
    }

    pub(crate) fn trace(&self) -> &SessionTrace {
        &self.trace
    }

    /// Nothing is left to read in any stream.
    pub(crate) fn note_drained(&self) {
        self.drained.store(true, Ordering::Relaxed);
    }

    /// Whether the read before this one left nothing.
    pub(crate) fn was_drained(&self) -> bool {
        self.drained.load(Ordering::Relaxed) && self.drained.swap(false, Ordering::Relaxed)
    }

    /// From now on it is known when the peer last showed that it lives.
    pub(crate) fn observe(&self) {
        self.observed.store(true, Ordering::Relaxed);
        let now = self.now();
        self.with(|state| _ = state.driver.life.get_or_insert(now));
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.observed.load(Ordering::Relaxed)
    }

    /// The first statement counts, if it says anything. Whether this is it.
    pub(crate) fn set_addresses(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) -> bool {
        let says_something = local.is_some() || peer.is_some();
        let counts = says_something && self.addresses.set([local, peer]).is_ok();
        if counts {
            self.trace.addresses(local, peer);
        }
        counts
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.addresses.get()?[0]
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.addresses.get()?[1]
    }

    /// Whether the two ends are known not to be of one machine.
    pub(crate) fn is_far(&self) -> bool {
        let Some([Some(local), Some(peer)]) = self.addresses.get() else { return false };
        !peer.ip().is_loopback() && local.ip() != peer.ip()
    }

    pub(crate) fn close(self: &Arc<Shared>, code: ErrorCode, text: &str) -> Closed {
        self.with(|state| {
            state.limit_to(self.config.close_linger());
            state.mux.close(code, text.as_bytes());
        });
        Closed::new(self.clone())
    }

    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// The last handle that goes starts the drain.
    pub(crate) fn drop_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.with(|state| state.mux.abandon());
        }
    }
}

/// Nothing of the state: a formatter is foreign code, and who prints a stream does not ask for everybody's payload.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::Context;

    use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
    use muxado_testkit::{counter, pipe, poll, wire};

    use super::*;
    use crate::session::timers::tests::Clock;
    use crate::{Session, Side};

    #[test]
    fn a_batch_takes_one_lock_and_wakes_everybody_once_each_way() {
        let (near, far) = pipe(1 << 20);
        let (from_peer, to_peer) = (near.read.lane(), near.write.lane());
        let (config, runtime) = (Config::default(), Clock::default());
        let (session, driver) = Session::from_halves(Side::Server, near.read, near.write, &config, runtime);
        let mut driver = driver.vectored(true);
        let (driver_woken, waker) = counter();
        from_peer.inject(&[wire::syn(3, b""), wire::syn(5, b"")].concat());
        assert!(poll(&mut driver, &waker).is_pending());
        let mut streams = [3, 5].map(|_| session.accept().now_or_never().unwrap().unwrap());
        let wakers = streams.each_mut().map(|stream| {
            let (count, waker) = counter();
            assert!(poll(&mut stream.read_chunk(1), &waker).is_pending());
            count
        });
        let locks = || session.shared.locks.swap(0, Ordering::Relaxed);

        let frames = [wire::data(3, &[7; 100]), wire::data(5, &[7; 100])].concat().repeat(50);
        from_peer.inject(&frames);
        // The transport has woken the driver.
        let (before, _) = (driver_woken.count(), locks());
        assert!(poll(&mut driver, &waker).is_pending());
        assert_eq!((locks(), driver_woken.count() - before), (1, 0), "one for all that was read");
        assert_eq!((session.stats().frames_received, locks()), (2 + 100, 1));
        assert_eq!(wakers.map(|count| count.count()), [1, 1]);

        let mut room = [0; 100];
        for stream in &mut streams {
            stream.read_exact(&mut room).now_or_never().unwrap().unwrap();
            assert_eq!(locks(), 1, "a read");
            stream.write_all(&room).now_or_never().unwrap().unwrap();
            assert_eq!(locks(), 1, "a write of little");
            stream.write_all(&[7; 64 * 1024]).now_or_never().unwrap().unwrap();
            assert_eq!(locks(), 2, "a write of much, which is copied in between");
        }
        assert_eq!(driver_woken.count() - before, 1, "for all that was written");
        let calls = to_peer.write_calls();
        assert!(poll(&mut driver, &waker).is_pending());
        assert_eq!((locks(), to_peer.write_calls() - calls), (1, 1), "one for all that is sent");
        assert!(to_peer.written() > 2 * 64 * 1024);
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut driver).poll(&mut cx).is_pending());
        assert_eq!((locks(), driver_woken.count() - before), (1, 1), "and whatever else it looks after");
        drop(far);
    }
}
