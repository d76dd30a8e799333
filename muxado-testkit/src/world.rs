//! A runtime with virtual time: tasks run in order on the calling thread, and when nothing can run, the clock jumps
//! to the next timer. If there is none either, whoever waits would wait for ever, and the test fails.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

/// Polls without the clock moving before a run counts as spinning.
const SPIN: u64 = 5_000_000;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A deterministic executor and its clock. Clones share both.
#[derive(Clone, Debug)]
pub struct World {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Duration,
    next_id: u64,
    timers: BTreeMap<(Duration, u64), Waker>,
    ready: VecDeque<u64>,
    tasks: HashMap<u64, Task>,
    polls: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("now", &self.now)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// The id of the future that `block_on` runs.
const MAIN: u64 = 0;

impl World {
    /// A world in which nothing has happened.
    #[must_use]
    pub fn new() -> World {
        let state = State { next_id: 1, ..State::default() };
        World { inner: Arc::new(Inner { start: Instant::now(), state: Mutex::new(state) }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the world has lived, in its own time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.lock().now
    }

    /// How often any task was polled.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.lock().polls
    }

    /// Tasks that have not ended.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.lock().tasks.len()
    }

    /// Runs `future` and everything spawned until `future` is done.
    ///
    /// # Panics
    /// When nothing can ever run again and `future` is not done, or when tasks spin without end.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = self.waker(MAIN);
        self.lock().ready.push_back(MAIN);
        let mut spin = 0;
        loop {
            let next = self.lock().ready.pop_front();
            match next {
                Some(MAIN) => {
                    self.lock().polls += 1;
                    if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return result;
                    }
                }
                Some(id) => self.run(id),
                None => {
                    assert!(self.jump(), "stuck at {:?}: nobody can run and no timer is set", self.elapsed());
                    spin = 0;
                }
            }
            spin += 1;
            assert!(spin < SPIN, "spinning at {:?}", self.elapsed());
        }
    }

    /// Gives one task its turn, if one can run, without moving the clock.
    pub fn turn(&self) {
        let next = self.lock().ready.pop_front();
        next.into_iter().filter(|id| *id != MAIN).for_each(|id| self.run(id));
    }

    /// The runtime goes away: every task is dropped where it stands.
    pub fn shut_down(&self) {
        let tasks = std::mem::take(&mut self.lock().tasks);
        drop(tasks);
    }

    /// Runs what can run now, without moving the clock.
    pub fn settle(&self) {
        loop {
            let Some(id) = self.lock().ready.pop_front() else { return };
            if id != MAIN {
                self.run(id);
            }
        }
    }

    fn run(&self, id: u64) {
        let Some(mut task) = self.lock().tasks.remove(&id) else { return };
        self.lock().polls += 1;
        if task.as_mut().poll(&mut Context::from_waker(&self.waker(id))).is_pending() {
            self.lock().tasks.insert(id, task);
        }
    }

    /// Moves the clock to the next timer. False if there is none.
    fn jump(&self) -> bool {
        let fired = {
            let mut state = self.lock();
            let Some(((due, _), waker)) = state.timers.pop_first() else { return false };
            state.now = state.now.max(due);
            waker
        };
        fired.wake();
        true
    }

    fn waker(&self, id: u64) -> Waker {
        Waker::from(Arc::new(Alarm { id, world: Arc::downgrade(&self.inner) }))
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

struct Alarm {
    id: u64,
    world: Weak<Inner>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if let Some(inner) = self.world.upgrade() {
            let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.ready.contains(&self.id) {
                state.ready.push_back(self.id);
            }
        }
    }
}

impl Runtime for World {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.tasks.insert(id, Box::pin(future));
        state.ready.push_back(id);
    }

    fn now(&self) -> Instant {
        self.inner.start + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let due = self.elapsed().saturating_add(duration);
        Sleep { world: self.clone(), due, timer: None }
    }
}

/// A sleep in virtual time.
#[derive(Debug)]
pub struct Sleep {
    world: World,
    due: Duration,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.world.lock();
        if state.now >= this.due {
            return Poll::Ready(());
        }
        let id = *this.timer.get_or_insert_with(|| {
            state.next_id += 1;
            state.next_id
        });
        state.timers.insert((this.due, id), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.timer {
            let removed = self.world.lock().timers.remove(&(self.due, id));
            drop(removed);
        }
    }
}
