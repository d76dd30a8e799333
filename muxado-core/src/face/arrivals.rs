//! Connections that are not ready to be handed over yet: a handshake has to be done first, or their first bytes read.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_channel::{Receiver, Sender};

use super::accept;
use crate::rt::Runtime;

/// How many connections may be getting ready at once, and for how long each.
///
/// ```
/// use std::time::Duration;
///
/// use muxado_core::face::ArrivalLimits;
///
/// let limits = ArrivalLimits::new(1024, Duration::from_secs(10));
/// assert_eq!((limits.pending(), limits.time()), (1024, Some(Duration::from_secs(10))));
/// assert_eq!(ArrivalLimits::without_time(1024).time(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalLimits {
    pending: usize,
    time: Option<Duration>,
}

impl ArrivalLimits {
    /// Both limits. A number of 0 counts as 1.
    #[must_use]
    pub fn new(pending: usize, time: Duration) -> ArrivalLimits {
        ArrivalLimits { pending: pending.max(1), time: Some(time) }
    }

    /// The number alone, for work that keeps its own time. 0 counts as 1.
    #[must_use]
    pub fn without_time(pending: usize) -> ArrivalLimits {
        ArrivalLimits { pending: pending.max(1), time: None }
    }

    /// How many at once; at least 1. The one that has taken longest gives way to a new one.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How long one may take, if there is a limit.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.time
    }
}

/// What became of the connections that were not handed over.
///
/// For an example see [`Arrivals::next`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrivalStats {
    /// Getting ready now.
    pub pending: u64,
    /// Failed by themselves: a handshake went wrong, the peer left, the work on them panicked.
    pub failed: u64,
    /// Ran out of time.
    pub late: u64,
    /// Gave way to newer ones.
    pub displaced: u64,
}

/// Gets connections ready side by side, each in a task of its own, and hands over those that are.
///
/// A slow or silent connection holds up no other. However many come, at most [`ArrivalLimits::pending`] are getting ready
/// and as many again wait to be taken; the one that has taken longest gives way to a new one, so that silent
/// connections never keep a lively one out.
///
/// For an example see [`next`](Arrivals::next).
///
/// # Dropping
/// Every connection that was not taken is dropped.
pub struct Arrivals<R, T> {
    runtime: R,
    limits: ArrivalLimits,
    guests: Arc<Mutex<Guests>>,
    ready: (Sender<T>, Receiver<T>),
}

/// Nothing of it is polled where it lies, so that a listener with TLS can be moved as others can.
impl<R, T> Unpin for Arrivals<R, T> {}

/// The connections that are getting ready, the oldest first. Each ends when its sender here is dropped.
#[derive(Default)]
struct Guests {
    next: u64,
    leave: BTreeMap<u64, Sender<Infallible>>,
    stats: ArrivalStats,
}

/// How getting ready ended.
enum Outcome<T> {
    Ready(T),
    Failed,
    Late,
    ToldToLeave,
}

impl<R: Runtime, T: Send + 'static> Arrivals<R, T> {
    /// None yet.
    pub fn new(runtime: R, limits: ArrivalLimits) -> Arrivals<R, T> {
        // Unbounded is bounded here: `next` accepts nothing while something is ready.
        Arrivals { runtime, limits, guests: Arc::default(), ready: async_channel::unbounded() }
    }

    /// Calls `attempt` for connections, gets them ready with `prepare`, and returns the next that is ready.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use muxado_core::face::{ArrivalLimits, Arrivals};
    ///
    /// # use std::io;
    /// # let world = muxado_testkit::World::new();
    /// # let runtime = world.clone();
    /// # struct Listener(std::cell::RefCell<Vec<&'static str>>);
    /// # impl Listener {
    /// #     async fn accept(&self) -> io::Result<&'static str> {
    /// #         let next = self.0.borrow_mut().pop();
    /// #         match next {
    /// #             Some(connection) => Ok(connection),
    /// #             None => std::future::pending().await,
    /// #         }
    /// #     }
    /// # }
    /// # async fn shake_hands(connection: &'static str) -> io::Result<&'static str> {
    /// #     match connection {
    /// #         "silent" => std::future::pending().await,
    /// #         _ => Ok(connection),
    /// #     }
    /// # }
    /// # let listener = Listener(vec!["lively", "silent"].into());
    /// # world.block_on(async move {
    /// let handshakes = Arrivals::new(runtime, ArrivalLimits::new(1024, Duration::from_secs(10)));
    /// // Two have come. The first says nothing, and holds up nobody.
    /// let connection = handshakes.next(|| listener.accept(), shake_hands).await?;
    /// assert_eq!(connection, "lively");
    /// assert_eq!(handshakes.stats().pending, 1);
    /// # io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Only what makes the listener itself useless: see [`accept`].
    ///
    /// # Cancel safety
    /// That of `attempt`, which is dropped with the future, and also when a connection is ready before it resolves. What is
    /// getting ready goes on, and what is ready is kept for the next call.
    pub async fn next<C, A, F>(
        &self,
        mut attempt: impl FnMut() -> A,
        mut prepare: impl FnMut(C) -> F,
    ) -> io::Result<T>
    where
        A: Future<Output = io::Result<C>>,
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        enum Next<T, C> {
            Ready(T),
            Come(C),
        }
        loop {
            let ready = async {
                match self.ready.1.recv().await {
                    Ok(ready) => Ok(Next::Ready(ready)),
                    Err(_) => pending().await,
                }
            };
            let come = async { accept(&self.runtime, &mut attempt).await.map(Next::Come) };
            match first(ready, come).await? {
                Next::Ready(ready) => return Ok(ready),
                Next::Come(connection) => {
                    self.admit(prepare(connection));
                    give_way().await;
                }
            }
        }
    }

    /// What became of those that were not handed over.
    pub fn stats(&self) -> ArrivalStats {
        let guests = lock(&self.guests);
        ArrivalStats { pending: guests.leave.len() as u64, ..guests.stats }
    }

    fn admit(&self, work: impl Future<Output = io::Result<T>> + Send + 'static) {
        let (leave, told_to_leave) = async_channel::bounded(1);
        let (id, displaced) = lock(&self.guests).admit(leave, self.limits.pending);
        drop(displaced);
        let place = Place { guests: self.guests.clone(), id };
        let ready = self.ready.0.clone();
        let sleep = self.limits.time.map(|time| self.runtime.sleep(time));
        self.runtime.spawn(async move {
            let work = async {
                match work.await {
                    Ok(ready) => Outcome::Ready(ready),
                    Err(_) => Outcome::Failed,
                }
            };
            let late = async {
                match sleep {
                    Some(sleep) => sleep.await,
                    None => pending().await,
                }
                Outcome::Late
            };
            let leave = async {
                let _closed = told_to_leave.recv().await;
                Outcome::ToldToLeave
            };
            let outcome = first(leave, first(work, late)).await;
            if let Some(arrived) = place.leave(outcome) {
                // Nobody is left to take it: the listener was dropped, and the connection goes with it.
                let _gone = ready.try_send(arrived);
            }
        });
    }
}

impl Guests {
    fn admit(&mut self, leave: Sender<Infallible>, limit: usize) -> (u64, Option<Sender<Infallible>>) {
        let id = self.next;
        self.next += 1;
        self.leave.insert(id, leave);
        let displaced = (self.leave.len() > limit).then(|| self.leave.pop_first()).flatten();
        self.stats.displaced += u64::from(displaced.is_some());
        (id, displaced.map(|(_, leave)| leave))
    }
}

/// The place of one connection among those that are getting ready, given up when its task ends, however it ends.
struct Place {
    guests: Arc<Mutex<Guests>>,
    id: u64,
}

impl Place {
    /// What has arrived, unless it was told to leave in the same moment: that is counted already.
    fn leave<T>(self, outcome: Outcome<T>) -> Option<T> {
        let mut guests = lock(&self.guests);
        let left = guests.leave.remove(&self.id)?;
        match &outcome {
            Outcome::Failed => guests.stats.failed += 1,
            Outcome::Late => guests.stats.late += 1,
            Outcome::Ready(_) | Outcome::ToldToLeave => {}
        }
        drop(guests);
        drop(left);
        match outcome {
            Outcome::Ready(arrived) => Some(arrived),
            _ => None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guests = lock(&self.guests);
        let left = guests.leave.remove(&self.id);
        // Its task has come to no outcome: it panicked, or its runtime is gone.
        guests.stats.failed += u64::from(left.is_some());
        drop(guests);
        drop(left);
    }
}

impl<R, T> Drop for Arrivals<R, T> {
    fn drop(&mut self) {
        let told = std::mem::take(&mut lock(&self.guests).leave);
        self.ready.1.close();
        drop(told);
    }
}

impl<R, T> fmt::Debug for Arrivals<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals")
            .field("limits", &self.limits)
            .field("ready", &self.ready.1.len())
            .finish_non_exhaustive()
    }
}

/// A panic while the lock is held leaves nothing half done.
fn lock(guests: &Mutex<Guests>) -> MutexGuard<'_, Guests> {
    guests.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first of the two to be ready, `a` if both are.
pub(super) async fn first<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Ready(first) => Poll::Ready(first),
        Poll::Pending => b.as_mut().poll(cx),
    })
    .await
}

/// Lets the task do other things, however many connections wait to be accepted.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| match std::mem::replace(&mut gave_way, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
