//! Attacks that want somebody to wait for ever, or to spin: all in virtual time, with ceilings on polls. That a run ends
//! at all is checked by the world, which fails when nobody can run and no timer is set.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt, AsyncWriteExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, Session, Side, Stream};
use muxado_testkit::wire::{data, fin, go_away, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Alone, World, alone as alone_with, connected, pipe};

use crate::alone;

const MILLI: Duration = Duration::from_millis(1);
const WINDOW: usize = 256 * 1024;

fn server(world: &World) -> Alone {
    alone_with(world, Side::Server, &Config::default())
}

/// Accepts a stream that the peer has opened with `bytes`.
async fn accepted(one: &Alone, bytes: &[u8]) -> Stream {
    one.from_peer.inject(bytes);
    one.session.accept().await.unwrap()
}

/// How many polls of any task `act` takes.
fn polls<T>(world: &World, act: impl Future<Output = T>) -> (T, u64) {
    let before = world.polls();
    let result = world.block_on(act);
    (result, world.polls() - before)
}

/// Fails if `task` has not ended after what can run has run.
fn spawn_counted(world: &World, ended: &Arc<AtomicUsize>, task: impl Future<Output = ()> + Send + 'static) {
    let ended = ended.clone();
    world.spawn(async move {
        task.await;
        ended.fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn v19_the_halves_of_a_stream_wait_each_for_itself() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let ended = Arc::new(AtomicUsize::new(0));
    let stream = world.block_on(accepted(&one, &syn(3, b"")));
    let (mut send, mut recv) = stream.into_split();
    spawn_counted(&world, &ended, async move {
        send.write_all(&vec![7; WINDOW + 1]).await.unwrap();
        send.write_all(&vec![7; 16 * 1024]).await.unwrap();
        send.write_all(b"beyond the credit and the queue").await.unwrap();
    });
    spawn_counted(&world, &ended, async move {
        assert_eq!(recv.read_chunk(9).await.unwrap().unwrap(), "x");
    });
    world.settle();
    assert_eq!(ended.load(Ordering::Relaxed), 0, "both wait");
    let before = world.polls();
    one.from_peer.inject(&data(3, b"x"));
    world.settle();
    assert_eq!(ended.load(Ordering::Relaxed), 1, "the reader got on, though the writer waits");
    one.from_peer.inject(&wndinc(3, 100_000));
    world.settle();
    assert_eq!(ended.load(Ordering::Relaxed), 2, "the writer got on");
    assert!(world.polls() - before <= 12, "{} polls", world.polls() - before);
}

/// Everybody who can wait: readers, writers, openers, accepters and those who watch the end.
fn everybody(world: &World, one: &Alone, stream: Stream, ended: &Arc<AtomicUsize>) -> usize {
    let (mut send, mut recv) = stream.into_split();
    spawn_counted(world, ended, async move { while send.write_all(&[7; 4096]).await.is_ok() {} });
    spawn_counted(world, ended, async move { while let Ok(Some(_)) = recv.read_chunk(9).await {} });
    for _ in 0..3 {
        let session = one.session.clone();
        spawn_counted(world, ended, async move { while session.accept().await.is_ok() {} });
        let session = one.session.clone();
        spawn_counted(world, ended, async move {
            let mut opened = Vec::new();
            while let Ok(stream) = session.open().await {
                opened.push(stream);
            }
        });
        let session = one.session.clone();
        spawn_counted(world, ended, async move { _ = session.closed().await });
    }
    11
}

#[test]
fn v20_v24_v31_closing_wakes_everybody_and_can_be_done_again() {
    let _turn = alone();
    for way in 0..4 {
        let world = World::new();
        let one = server(&world);
        let ended = Arc::new(AtomicUsize::new(0));
        let stream = world.block_on(accepted(&one, &syn(3, b"x")));
        let all = everybody(&world, &one, stream, &ended);
        world.settle();
        assert_eq!(ended.load(Ordering::Relaxed), 0, "all wait");
        let ((), polls) = polls(&world, async {
            match way {
                0 => {
                    let ends = join!(
                        one.session.close(ErrorCode::NO_ERROR, "a"),
                        one.session.close(ErrorCode::INTERNAL_ERROR, "b"),
                    );
                    assert_eq!((ends.0.code(), ends.1.code()), (ErrorCode::NO_ERROR, ErrorCode::NO_ERROR));
                }
                1 => one.from_peer.inject(&rst(0, 6)),
                2 => one.from_peer.cut(),
                _ => one.from_peer.set(|mood| mood.read_error = Some(std::io::ErrorKind::ConnectionReset)),
            }
            one.session.closed().await;
            // Whoever comes later is told at once.
            assert!(one.session.open().await.is_err() && one.session.accept().await.is_err());
            one.session.close(ErrorCode::NO_ERROR, "late").await;
        });
        world.settle();
        assert_eq!(ended.load(Ordering::Relaxed), all, "way {way}");
        assert_eq!(world.tasks(), 0, "way {way}: tasks left");
        assert!(polls <= 20, "way {way}: {polls} polls");
    }
}

#[test]
fn v21_v22_both_sides_write_as_much_as_they_can_and_nobody_misses_a_wake_up() {
    let _turn = alone();
    for (capacity, hesitates) in [(1000, false), (5000, true)] {
        let world = World::new();
        let pair = connected(&world, capacity, &Config::default());
        for lane in [&pair.to_server, &pair.to_client] {
            lane.set(|mood| mood.hesitates = hesitates);
        }
        const TOTAL: usize = WINDOW + 20_000;
        let both_ways = |stream: Stream| async move {
            let (mut send, mut recv) = stream.into_split();
            let writing = async {
                send.write_all(&vec![7; TOTAL]).await.unwrap();
                send.finish().unwrap();
            };
            let reading = async {
                let mut all = Vec::new();
                recv.read_to_end(&mut all).await.unwrap();
                all.len()
            };
            join!(writing, reading).1
        };
        let (lens, polls) = polls(&world, async {
            let opened = pair.client.open().await.unwrap();
            join!(both_ways(opened), async { both_ways(pair.server.accept().await.unwrap()).await })
        });
        assert_eq!(lens, (TOTAL, TOTAL));
        let passes = (2 * TOTAL / capacity + 40) as u64;
        assert!(polls <= 2 * passes, "{polls} polls to pass {passes} pipes full");
    }
}

#[test]
fn v23_a_write_stall_ends_the_session_and_not_one_write() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let first = world.block_on(accepted(&one, &syn(3, b"")));
    let mut other = world.block_on(accepted(&one, &syn(5, b"")));
    one.to_peer.set(|mood| mood.stuck = true);
    let ((), polls) = polls(&world, async {
        let (mut send, _recv) = first.into_split();
        send.write_all(b"never taken").await.unwrap();
        assert!(other.read(&mut [0; 9]).await.is_err(), "the other stream is told as well");
        assert!(matches!(one.session.closed().await.cause(), EndCause::WriteStalled));
    });
    assert!(world.elapsed() < Duration::from_secs(31));
    assert!(polls <= 10, "{polls} polls");
}

#[test]
fn v25_v26_a_driver_survives_being_polled_on_and_transports_that_lie() {
    let _turn = alone();
    let lies: [fn(&Alone); 4] = [
        |one| one.to_peer.set(|mood| mood.writes_nothing = true),
        |one| one.to_peer.set(|mood| mood.boasts = true),
        |one| one.from_peer.set(|mood| mood.boasts = true),
        |one| one.to_peer.set(|mood| mood.close_hangs = true),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let world = World::new();
        let one = server(&world);
        lie(&one);
        one.from_peer.inject(&[data(9, b"needs an answer"), syn(3, b"")].concat());
        let ((), polls) = polls(&world, async {
            one.session.close(ErrorCode::NO_ERROR, "").await;
        });
        assert!(polls <= 8, "lie {number}: {polls} polls");
        assert!(world.elapsed() < Duration::from_secs(6), "lie {number}: {:?}", world.elapsed());
    }
    let world = World::new();
    let (near, far) = pipe(1000);
    let (session, mut driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world);
    drop(far);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..5 {
        assert!(Pin::new(&mut driver).poll(&mut cx).is_ready());
    }
    assert!(session.end().is_some());
}

#[test]
fn v27_a_reset_behind_the_end_takes_nothing_back() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let mut stream = world.block_on(accepted(&one, &syn_fin(3, b"all of it")));
    one.from_peer.inject(&rst(3, 6));
    let (all, polls) = polls(&world, async {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.map(|_| all)
    });
    assert_eq!(all.unwrap(), b"all of it");
    assert!(polls <= 2, "{polls} polls");
}

/// Credit for what nobody reads any more comes back: a window lost with each stream would stop the peer.
#[test]
fn v28_no_credit_is_lost_with_streams_that_are_dropped() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let (mut send, recv) = world.block_on(accepted(&one, &syn(3, &[7; 1000]))).into_split();
    drop(recv);
    let mut returned = 0;
    let ((), polls) = polls(&world, async {
        for _ in 0..64 {
            one.from_peer.inject(&data(3, &[7; 16 * 1024]));
            world.sleep(60 * MILLI).await;
            for frame in one.to_peer.take().chunks(12) {
                assert_eq!(frame[..8], wndinc(3, 1)[..8], "nothing but credit");
                returned += u32::from_be_bytes(frame[8..].try_into().unwrap());
            }
        }
        send.write_all(b"still there").await.unwrap();
    });
    assert_eq!(returned as usize, 1000 + 64 * 16 * 1024, "four windows, all of it");
    assert!(polls <= 64 * 4, "{polls} polls");
}

#[test]
fn v29_a_slow_reader_stops_nobody_else() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let full = [syn(3, b""), data(3, &[7; 16 * 1024]).repeat(16)].concat();
    let _never_read = world.block_on(accepted(&one, &full));
    let (all, polls) = polls(&world, async {
        let mut other = accepted(&one, &syn(5, b"")).await;
        let mut all = 0;
        for _ in 0..100 {
            one.from_peer.inject(&data(5, &[8; 16 * 1024]));
            let mut left = 16 * 1024;
            while left > 0 {
                left -= other.read_chunk(left).await.unwrap().unwrap().len();
            }
            all += 16 * 1024;
        }
        all
    });
    assert_eq!(all, 100 * 16 * 1024);
    assert!(polls <= 100 * 3, "{polls} polls");
    assert!(one.session.end().is_none());
}

/// A waker that uses the session it belongs to: under the session's lock this would be a deadlock.
struct Reentrant {
    session: Session,
    woken: AtomicUsize,
}

impl Wake for Reentrant {
    fn wake(self: Arc<Self>) {
        let _ = (self.session.stats(), self.session.end());
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn v30_wakers_run_outside_the_lock() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let mut stream = world.block_on(accepted(&one, &syn(3, b"")));
    let waker = Arc::new(Reentrant { session: one.session.clone(), woken: AtomicUsize::new(0) });
    let read = |stream: &mut Stream| {
        let waker = Waker::from(waker.clone());
        Pin::new(stream).poll_read(&mut Context::from_waker(&waker), &mut [0; 9])
    };
    assert!(read(&mut stream).is_pending());
    one.from_peer.inject(&data(3, b"x"));
    world.settle();
    assert!(matches!(read(&mut stream), Poll::Ready(Ok(1))));
    assert!(read(&mut stream).is_pending());
    one.from_peer.cut();
    world.settle();
    assert!(matches!(read(&mut stream), Poll::Ready(Err(_))));
    assert_eq!(waker.woken.load(Ordering::Relaxed), 2, "once for each");
}

/// What a session has started ends with it: neither a task nor a timer is left.
#[test]
fn v32_nothing_of_a_session_outlives_it() {
    let _turn = alone();
    let world = World::new();
    let one = server(&world);
    let stream = world.block_on(accepted(&one, &[syn(3, b"x"), go_away(0, 0, b"")].concat()));
    one.from_peer.cut();
    world.block_on(one.session.closed());
    drop((stream, one));
    world.settle();
    assert_eq!(world.tasks(), 0);
    let (_, polls) = polls(&world, world.sleep(Duration::from_secs(3600)));
    assert!(polls <= 2, "{polls} polls in an hour");
}

/// Whoever cuts the transport, with or without last words, cannot make a stream end cleanly.
#[test]
fn v33_a_cut_transport_is_never_a_clean_end() {
    let _turn = alone();
    for last in [&b""[..], &go_away(0, 0, b"bye"), &fin(5), &data(3, b"y")[..9], &rst(3, 0)] {
        let world = World::new();
        let one = server(&world);
        let mut stream = world.block_on(accepted(&one, &syn(3, b"x")));
        one.from_peer.inject(last);
        one.from_peer.cut();
        let (read, polls) = polls(&world, async {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await
        });
        assert!(read.is_err(), "after {last:x?}");
        assert!(polls <= 3, "{polls} polls");
    }
}
