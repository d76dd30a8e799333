//! The bounds B of docs/behaviour.md that the driver keeps: buffers, work in one poll, and limits of time, each from
//! both sides.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::{AsyncRead, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, Session, Side};
use muxado_testkit::{Sleep, World, alone, pipe, wire};

const MILLI: Duration = Duration::from_millis(1);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A transport that has another piece ready at each read, without end.
struct Endless {
    piece: Vec<u8>,
    reads: Arc<AtomicUsize>,
    /// The sizes of the buffers that were read into, as (smallest, largest).
    sizes: (usize, usize),
}

impl AsyncRead for Endless {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.sizes = (self.sizes.0.min(buf.len()), self.sizes.1.max(buf.len()));
        assert_eq!(self.sizes, (256 * 1024, 256 * 1024), "B01: the buffer has one size");
        let len = self.piece.len().min(buf.len());
        buf[..len].copy_from_slice(&self.piece[..len]);
        Poll::Ready(Ok(len))
    }
}

/// Polls a driver once that could read `piece` for ever. How many frames it took, and from how many reads.
fn one_poll(piece: Vec<u8>) -> (u64, usize) {
    let world = World::new();
    let (near, _far) = pipe(1 << 20);
    let reads = Arc::new(AtomicUsize::new(0));
    let read = Endless { piece, reads: reads.clone(), sizes: (usize::MAX, 0) };
    let (session, mut driver) =
        Session::from_halves(Side::Server, read, near.write, &Config::default(), world.clone());
    assert!(Pin::new(&mut driver).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    (session.stats().frames_received, reads.load(Ordering::Relaxed))
}

#[test]
fn b01_b20_one_poll_takes_a_bounded_number_of_frames_and_bytes() {
    // More frames in a read than are enough, as many as are handled under one lock, fewer, one: 128 reads are enough.
    for (frames, most) in [(9000, 1024), (256, 1024), (100, 1100), (1, 128)] {
        let piece = wire::frame(9, 0, 0, b"").repeat(frames);
        let (taken, _) = one_poll(piece);
        assert_eq!(taken, most, "{frames} frames in each read");
    }
    // Large reads: 512 KiB are two of them.
    let whole = wire::frame(15, 0, 0, &vec![0; 256 * 1024 - 8]);
    assert_eq!(one_poll(whole), (2, 2));
}

/// To a transport that takes everything, for a peer that says nothing.
#[test]
fn b15_what_one_batch_has_no_room_for_goes_out_behind_it() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut streams = [one.session.open().await.unwrap(), one.session.open().await.unwrap()];
        for stream in &mut streams {
            stream.write_all(&[7; 200_000]).await.unwrap();
        }
        world.settle();
        // In 13 frames each.
        assert_eq!(one.to_peer.take().len(), 2 * (200_000 + 13 * 8));
    });
}

/// A peer that sends byte by byte, and so fast that there is always one more.
#[test]
fn b20_one_poll_that_waits_for_the_peers_end_reads_a_bounded_number_of_times() {
    let world = World::new();
    let (near, _far) = pipe(1 << 20);
    let reads = Arc::new(AtomicUsize::new(0));
    let read = Endless { piece: vec![0], reads: reads.clone(), sizes: (usize::MAX, 0) };
    let (session, mut driver) =
        Session::from_halves(Side::Server, read, near.write, &Config::default(), world.clone());
    drop(session.close(ErrorCode::NO_ERROR, ""));
    for _ in 0..5 {
        reads.store(0, Ordering::Relaxed);
        assert!(Pin::new(&mut driver).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // The first poll has also said goodbye, which takes two.
        assert!((128..=130).contains(&reads.load(Ordering::Relaxed)), "{reads:?}");
    }
}

/// A clock that counts its sleeps.
#[derive(Clone)]
struct Counting {
    world: World,
    sleeping: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct CountedSleep(Sleep, Arc<AtomicUsize>);

impl Future for CountedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Drop for CountedSleep {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Runtime for Counting {
    type Sleep = CountedSleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future);
    }

    fn now(&self) -> Instant {
        self.world.now()
    }

    fn sleep(&self, duration: Duration) -> CountedSleep {
        let now = self.sleeping.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        CountedSleep(self.world.sleep(duration), self.sleeping.clone())
    }
}

#[test]
fn b25_a_session_sleeps_once_whatever_it_waits_for_and_a_stream_never() {
    let world = World::new();
    let clock = Counting { world: world.clone(), sleeping: Arc::default(), most: Arc::default() };
    let (near, far) = pipe(1 << 20);
    let (from_peer, to_peer) = (near.read.lane(), near.write.lane());
    let (session, driver) =
        Session::from_halves(Side::Server, near.read, near.write, &Config::default(), clock.clone());
    world.spawn(async move {
        driver.await;
    });
    // Lazy credit on many streams, dropped streams with bytes left, a stalled transport, a peer that leaves.
    let (mut streams, mut fed) = (Vec::new(), Vec::new());
    for id in (3..203).step_by(2) {
        fed.extend(wire::syn(id, b"x"));
    }
    from_peer.inject(&fed);
    world.block_on(async {
        for _ in 0..100 {
            let mut stream = session.accept().await.unwrap();
            assert_eq!(stream.read_chunk(9).await.unwrap().unwrap(), "x");
            stream.write_all(&vec![0; 256 * 1024]).await.unwrap();
            streams.push(stream);
            to_peer.set(|mood| mood.capacity = usize::MAX);
        }
        to_peer.set(|mood| mood.stuck = true);
        streams.truncate(50);
        from_peer.inject(&wire::go_away(0, 0, b""));
        world.sleep(MILLI).await;
        assert!(session.end().is_none());
        session.drain(secs(20));
        session.closed().await;
    });
    drop((streams, session, far));
    world.settle();
    assert!(clock.most.load(Ordering::Relaxed) <= 2, "one, and the one that takes its place");
    assert_eq!(clock.sleeping.load(Ordering::Relaxed), 0, "sleeps left");
}

/// When a session ends to which `provoke` has happened.
fn ends_at(config: &Config, provoke: impl FnOnce(&World, &muxado_testkit::Alone)) -> Duration {
    let world = World::new();
    let one = alone(&world, Side::Server, config);
    provoke(&world, &one);
    // The end as the application sees it, not as the transport does.
    world.block_on(async {
        let mut accepted = Vec::new();
        while let Ok(stream) = one.session.accept().await {
            accepted.push(stream);
        }
    });
    world.elapsed()
}

#[test]
fn b21_s84_a_transport_that_takes_nothing_has_exactly_thirty_seconds() {
    let took = ends_at(&Config::default(), |_, one| {
        one.to_peer.set(|mood| mood.stuck = true);
        one.from_peer.inject(&wire::data(3, b"provokes a RST"));
    });
    assert_eq!(took, secs(30));
    let config = Config::builder().write_stall(secs(7)).build().unwrap();
    let took = ends_at(&config, |_, one| {
        one.to_peer.set(|mood| mood.stuck = true);
        one.from_peer.inject(&wire::data(3, b"provokes a RST"));
    });
    assert_eq!(took, secs(7));
}

#[test]
fn b21_every_byte_taken_starts_the_thirty_seconds_again() {
    let took = ends_at(&Config::default(), |world, one| {
        one.to_peer.set(|mood| mood.budget = Some(0));
        one.from_peer.inject(&wire::data(3, b"provokes a RST of twelve bytes"));
        let (clock, lane) = (world.clone(), one.to_peer.clone());
        world.spawn(async move {
            for _ in 0..5 {
                clock.sleep(secs(29)).await;
                lane.set(|mood| mood.budget = Some(1));
            }
        });
    });
    assert_eq!(took, secs(5 * 29 + 30));
}

#[test]
fn b22_s78_a_peer_that_leaves_has_exactly_the_drain_limit() {
    for limit in [secs(30), secs(3)] {
        let config = Config::builder().drain_timeout(limit).build().unwrap();
        let took = ends_at(&config, |_, one| {
            one.from_peer.inject(&[wire::syn(3, b"x"), wire::go_away(0, 0, b"")].concat());
        });
        assert_eq!(took, limit);
    }
}

#[test]
fn b22_a_drain_has_exactly_its_own_limit() {
    let took = ends_at(&Config::default(), |world, one| {
        one.from_peer.inject(&wire::syn(3, b"x"));
        world.settle();
        drop(one.session.drain(secs(11)));
    });
    assert_eq!(took, secs(11));
}

#[test]
fn b22_s80_the_peers_end_is_waited_for_a_quarter_of_a_second_or_64_kib() {
    // One byte less than the limit, and the rest of the time.
    for (bytes, waits) in [(0, true), (64 * 1024 - 1, true), (64 * 1024, false)] {
        let world = World::new();
        // No credit for new streams either.
        let config = Config::builder().max_inbound_streams(0).build().unwrap();
        let one = alone(&world, Side::Client, &config);
        let closed = one.session.close(ErrorCode::NO_ERROR, "");
        world.settle();
        one.from_peer.inject(&vec![0x55; bytes]);
        let end = world.block_on(closed);
        assert!(matches!(end.cause(), EndCause::Closed { .. }));
        let expected = if waits { Duration::from_millis(250) } else { Duration::ZERO };
        assert_eq!(world.elapsed(), expected, "after {bytes} bytes");
    }
}
