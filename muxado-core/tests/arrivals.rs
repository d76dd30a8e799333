//! Connections that are getting ready, in virtual time.
#![cfg(feature = "arrivals")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::future::{Future, pending, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use muxado_core::face::{ArrivalLimits, Arrivals};
use muxado_core::rt::Runtime;
use muxado_testkit::{World, counter, poll};

/// What a connection does: nothing, or it is ready after a while, or it fails in one way or the other.
#[derive(Clone, Copy)]
enum Peer {
    Silent,
    Ready(Duration, u32),
    Failing,
    Panicking,
}

type Work = Pin<Box<dyn Future<Output = io::Result<u32>> + Send>>;

struct Site {
    world: World,
    arrivals: Arrivals<World, u32>,
    /// Each connection that is alive holds one.
    alive: Arc<()>,
    coming: RefCell<std::vec::IntoIter<Peer>>,
}

impl Site {
    fn new(limit: usize, coming: Vec<Peer>) -> Site {
        Site::within(ArrivalLimits::new(limit, Duration::from_secs(10)), coming)
    }

    fn within(limits: ArrivalLimits, coming: Vec<Peer>) -> Site {
        let world = World::new();
        let arrivals = Arrivals::new(world.clone(), limits);
        Site { world, arrivals, alive: Arc::new(()), coming: RefCell::new(coming.into_iter()) }
    }

    async fn next(&self) -> io::Result<u32> {
        self.arrivals.next(|| self.attempt(), |peer| self.prepare(peer)).await
    }

    async fn attempt(&self) -> io::Result<Peer> {
        let next = self.coming.borrow_mut().next();
        match next {
            Some(peer) => Ok(peer),
            None => pending().await,
        }
    }

    fn prepare(&self, peer: Peer) -> Work {
        let (alive, world) = (self.alive.clone(), self.world.clone());
        Box::pin(async move {
            let _alive = alive;
            match peer {
                Peer::Silent => pending().await,
                Peer::Ready(after, name) => {
                    world.sleep(after).await;
                    Ok(name)
                }
                Peer::Failing => Err(io::Error::other("failed")),
                Peer::Panicking => panic!("a bug, on purpose"),
            }
        })
    }

    fn alive(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }
}

#[test]
fn silent_connections_never_keep_a_lively_one_out() {
    let mut coming = vec![Peer::Silent; 2000];
    coming.push(Peer::Ready(Duration::ZERO, 7));
    let site = Site::new(64, coming);
    let served = site.world.block_on(async { site.next().await.unwrap() });
    assert_eq!(served, 7);
    site.world.settle();
    assert!(site.world.elapsed() < Duration::from_secs(1), "{:?}", site.world.elapsed());
    let stats = site.arrivals.stats();
    assert_eq!((stats.pending, stats.displaced), (63, 2001 - 64));
    assert_eq!(site.alive(), 63);
}

#[test]
fn each_has_its_time_and_no_more() {
    let (just_in_time, too_late) = (Duration::from_millis(9_999), Duration::from_millis(10_001));
    let site = Site::new(
        64,
        vec![
            Peer::Ready(too_late, 1),
            Peer::Ready(just_in_time, 2),
            Peer::Failing,
            Peer::Silent,
            Peer::Ready(Duration::from_secs(1), 3),
        ],
    );
    let served = site.world.block_on(async { [site.next().await.unwrap(), site.next().await.unwrap()] });
    assert_eq!(served, [3, 2]);
    site.world.block_on(site.world.sleep(Duration::from_secs(1)));
    let stats = site.arrivals.stats();
    assert_eq!((stats.pending, stats.late, stats.failed, stats.displaced), (0, 2, 1, 0));
    assert_eq!(site.alive(), 0);
}

#[test]
fn one_that_panics_has_failed_and_is_counted() {
    let site = Site::new(64, vec![Peer::Panicking, Peer::Ready(Duration::ZERO, 7)]);
    // This world passes the panic on; a runtime keeps it within the task.
    catch_unwind(AssertUnwindSafe(|| site.world.block_on(site.next()))).unwrap_err();
    assert_eq!(site.world.block_on(site.next()).unwrap(), 7);
    let stats = site.arrivals.stats();
    assert_eq!((stats.pending, stats.failed, site.alive()), (0, 1, 0));
}

#[test]
fn limits_of_nothing_and_without_end_let_somebody_in() {
    for number in [0, 1, usize::MAX] {
        for time in [Some(Duration::ZERO), Some(Duration::MAX), None] {
            let limits = match time {
                Some(time) => ArrivalLimits::new(number, time),
                None => ArrivalLimits::without_time(number),
            };
            assert_eq!((limits.pending(), limits.time()), (number.max(1), time));
            let site = Site::within(limits, vec![Peer::Ready(Duration::ZERO, 7)]);
            assert_eq!(site.world.block_on(site.next()).unwrap(), 7, "{limits:?}");
            let stats = site.arrivals.stats();
            assert_eq!((stats.pending, stats.late, stats.displaced), (0, 0, 0), "{limits:?}");
        }
    }
}

#[test]
fn connections_that_come_without_end_leave_the_task_its_other_work() {
    let site = Site::new(2, vec![Peer::Silent; 1000]);
    let (told, waker) = counter();
    let mut next = pin!(site.next());
    for polls in 1..=3 {
        assert!(poll(&mut next, &waker).is_pending());
        assert_eq!(
            (site.coming.borrow().len(), told.count()),
            (1000 - polls, polls),
            "one at a time, and it goes on"
        );
    }
}

#[test]
fn the_end_of_the_listener_is_the_end_of_all_that_wait() {
    let site = Site::new(
        64,
        vec![
            Peer::Silent,
            Peer::Ready(Duration::from_secs(2), 1),
            Peer::Ready(Duration::from_secs(2), 2),
            Peer::Ready(Duration::from_secs(1), 3),
            Peer::Silent,
        ],
    );
    let first = site.world.block_on(async { site.next().await.unwrap() });
    assert_eq!(first, 3);
    let Site { world, arrivals, alive, .. } = site;
    drop(arrivals);
    world.settle();
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(world.elapsed() < Duration::from_secs(2), "nobody waited for a silent connection");
}

#[test]
fn a_broken_listener_says_so_and_what_is_ready_can_still_be_had() {
    let site = Site::new(64, vec![Peer::Ready(Duration::ZERO, 5)]);
    let broken = || ready(Err::<Peer, _>(io::Error::from(io::ErrorKind::InvalidInput)));
    site.world.block_on(async {
        let admitted = async { site.next().await.unwrap() };
        assert_eq!(admitted.await, 5);
        let error = site.arrivals.next(broken, |peer| site.prepare(peer)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}
