//! Transports of every shape (F01 to F12, F27, F28): whatever they do, every byte arrives or everybody is told.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt, join};
use muxado_core::{Config, EndCause, Initiator, Session, Side, Stream};
use muxado_testkit::{Connected, Interrupted, Lane, Mood, World, alone, connected, pipe, poll, wire};

use crate::app::{Running, spawn};

/// Two streams each way at once, each with a question and an echo of it, both ended with FIN.
fn exchange(world: &World, client: &Session, server: &Session, len: usize) {
    let message: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let echo = async |session: &Session| {
        for _ in 0..2 {
            let mut stream = session.accept().await.unwrap();
            let mut asked = Vec::new();
            stream.read_to_end(&mut asked).await.unwrap();
            stream.write_all(&asked).await.unwrap();
            stream.close().await.unwrap();
        }
    };
    let ask = async |session: &Session| {
        let once = async || {
            let mut stream = session.open().await.unwrap();
            stream.write_all(&message).await.unwrap();
            stream.close().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer == message, "the echo is another");
        };
        join!(once(), once());
    };
    world.block_on(async { join!(ask(client), echo(server), ask(server), echo(client)) });
    assert_eq!((client.stats().streams, server.stats().streams), (0, 0));
    assert_eq!((client.audit(), server.audit()), (Ok(()), Ok(())));
}

fn both(pair: &Connected, change: impl Fn(&mut Mood)) {
    for lane in [&pair.to_server, &pair.to_client] {
        lane.set(&change);
    }
}

fn over(capacity: usize, len: usize, change: impl Fn(&mut Mood)) -> (World, Connected) {
    let world = World::new();
    let pair = connected(&world, capacity, &Config::default());
    both(&pair, change);
    exchange(&world, &pair.client, &pair.server, len);
    (world, pair)
}

/// A size, and how long a message has to be to feel it.
fn sizes() -> impl Iterator<Item = (usize, usize)> {
    (1..=17).map(|size| (size, 300)).chain((8191..=8193).map(|size| (size, 40_000)))
}

#[test]
fn f01_f02_f03_reads_and_writes_of_every_size() {
    for (size, len) in sizes() {
        over(1 << 20, len, |mood| mood.read_max = size);
        over(1 << 20, len, |mood| mood.write_max = size);
        over(1 << 20, len, |mood| (mood.read_max, mood.write_max) = (size, 18 - size.min(17)));
        over(size, len, |_| {});
    }
    for most in [3, 40, 5000] {
        over(1 << 20, 20_000, |mood| mood.ragged = Some(most));
    }
}

#[test]
fn f04_a_false_alarm_before_every_operation() {
    for capacity in [9, 1 << 20] {
        over(capacity, 2000, |mood| mood.hesitates = true);
        over(capacity, 2000, |mood| (mood.hesitates, mood.read_max, mood.ragged) = (true, 7, Some(5)));
    }
}

/// Each end waits without a word until the other has acted: a wake-up that is lost is never made up for.
#[test]
fn f05_pending_until_the_other_side_acts() {
    for capacity in 1..=24 {
        over(capacity, 500, |_| {});
    }
}

#[test]
fn f06_an_error_that_means_try_again_is_one_and_interruptions_end() {
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
        for write in [false, true] {
            let running = Running::start(Side::Client, &Config::default(), &[b"hi".to_vec()]);
            match write {
                true => {
                    running.one.to_peer.set(|mood| mood.write_error = Some(kind));
                    running.one.from_peer.inject(&wire::data(4, b"makes us answer"));
                }
                false => running.one.from_peer.set(|mood| mood.read_error = Some(kind)),
            }
            let (end, _) = running.finish(Duration::from_millis(250)).unwrap();
            assert!(matches!(end.cause(), EndCause::Transport(error) if error.kind() == kind), "{end}");
        }
    }
}

#[test]
fn f06_a_transport_that_is_interrupted_for_ever_is_broken() {
    let world = World::new();
    let (near, _far) = pipe(1000);
    let (session, mut driver) = Session::from_halves(
        Side::Client,
        Interrupted::default(),
        near.write,
        &Config::default(),
        world.clone(),
    );
    assert!(poll(&mut driver, Waker::noop()).is_ready());
    assert_eq!(session.end().unwrap().initiator(), Initiator::Transport);

    let (near, _far) = pipe(1000);
    let (session, mut driver) = Session::from_halves(
        Side::Client,
        near.read,
        Interrupted::default(),
        &Config::default(),
        world.clone(),
    );
    let mut stream = session.try_open().unwrap();
    stream.finish().unwrap();
    assert!(poll(&mut driver, Waker::noop()).is_pending(), "the peer's last words are waited for");
    world.block_on(driver);
    assert_eq!(session.end().unwrap().initiator(), Initiator::Transport);
}

/// Never pending, and a byte at a time: other tasks get their turn all the same.
#[test]
fn b20_a_transport_of_single_bytes_that_is_always_ready_is_left_now_and_then() {
    let world = World::new();
    let (near, far) = pipe(1 << 24);
    let (session, mut driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
    from_peer.set(|mood| mood.read_max = 1);
    from_peer.inject(&wire::frame(15, 0, 2, &vec![0; 100_000]));
    to_peer.set(|mood| mood.write_max = 1);
    let mut stream = session.try_open().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut stream).poll_write(&mut cx, &[0; 60_000]).is_ready());
    let (woken, waker) = muxado_testkit::counter();
    let mut polls = 0;
    while to_peer.written() < 60_032 {
        let before = (woken.count(), to_peer.write_calls());
        assert!(poll(&mut driver, &waker).is_pending());
        let calls = to_peer.write_calls() - before.1;
        assert!(calls <= 128 * 256, "{calls} calls in one poll");
        assert!(woken.count() > before.0, "it comes back by itself");
        polls += 1;
    }
    assert!(polls > 1);
}

/// A batch of many slices of which every number of bytes is taken first.
#[test]
fn f07_a_vectored_write_cut_at_every_byte() {
    let mut wires = BTreeSet::new();
    for first in 1..=100 {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        one.to_peer.set(|mood| mood.write_max = first);
        let mut stream = world.block_on(one.session.open()).unwrap();
        world.block_on(async {
            for piece in [&b"small"[..], &[7; 30], b"", &[8; 20]] {
                stream.write_chunk(muxado_core::Bytes::copy_from_slice(piece)).await.unwrap();
            }
            stream.close().await.unwrap();
        });
        world.settle();
        wires.insert(one.to_peer.take());
    }
    assert_eq!(wires.len(), 1, "the cut makes no difference");
}

#[test]
fn f08_a_transport_that_buffers_is_flushed() {
    for capacity in [100, 1 << 20] {
        over(capacity, 30_000, |mood| mood.buffers = true);
        over(capacity, 3000, |mood| (mood.buffers, mood.ragged) = (true, Some(9)));
    }
}

#[test]
fn f09_a_flush_that_never_ends_is_a_stall_and_reading_goes_on() {
    let running = Running::start(Side::Client, &Config::default(), &[b"hi".to_vec()]);
    running.one.to_peer.set(|mood| mood.flush_hangs = true);
    running.one.from_peer.inject(&[wire::syn(2, b"question"), wire::fin(2)].concat());
    let (end, told) = running.finish(Duration::from_millis(30_500)).unwrap();
    assert!(matches!(end.cause(), EndCause::WriteStalled), "{end}");
    let question = told.iter().find(|told| told.id == Some(2)).unwrap();
    assert!(question.clean && question.read == b"question");
}

/// F10: one direction is ready while the other is pending, both ways.
#[test]
fn f10_s84_s92_each_direction_goes_on_without_the_other() {
    for (stuck, free) in [(0, 1), (1, 0)] {
        let world = World::new();
        let pair = connected(&world, 1 << 20, &Config::default());
        let sessions = [&pair.client, &pair.server];
        let lanes: [&Lane; 2] = [&pair.to_server, &pair.to_client];
        world.block_on(async {
            let mut ours = sessions[free].open().await.unwrap();
            ours.flush().await.unwrap();
            let mut theirs = sessions[stuck].accept().await.unwrap();
            // What `stuck` writes goes nowhere from here on.
            lanes[stuck].set(|mood| mood.stuck = true);
            theirs.write_all(b"answer").await.unwrap();
            for _ in 0..3 {
                ours.write_all(&[1; 50_000]).await.unwrap();
                theirs.read_exact(&mut [0; 50_000]).await.unwrap();
            }
            lanes[stuck].set(|mood| mood.stuck = false);
            ours.read_exact(&mut [0; 6]).await.unwrap();
        });
    }
}

#[test]
fn f11_f12_a_transport_that_takes_nothing_or_says_too_much_has_failed() {
    let lies: [fn(&mut Mood); 2] = [|mood| mood.writes_nothing = true, |mood| mood.boasts = true];
    for (number, reading) in [(0, false), (1, false), (1, true)] {
        let running = Running::start(Side::Client, &Config::default(), &[b"hi".to_vec()]);
        let lane = if reading { &running.one.from_peer } else { &running.one.to_peer };
        lane.set(lies[number]);
        running.one.from_peer.inject(&wire::data(4, b"makes us answer"));
        let (end, _) = running.finish(Duration::from_millis(250)).unwrap();
        let EndCause::Transport(error) = end.cause() else { panic!("{end}") };
        assert_eq!(error.kind(), [io::ErrorKind::WriteZero, io::ErrorKind::Other][number]);
    }
}

/// The peer ends its direction and goes on reading: its streams are cut off, and what we say still reaches it.
#[test]
fn f27_half_a_transport_is_no_session() {
    let running = Running::start(Side::Server, &Config::default(), &[]);
    running.one.from_peer.inject(&[wire::syn(3, b"whole"), wire::fin(3), wire::syn(5, b"half")].concat());
    running.one.from_peer.cut();
    let (end, mut told) = running.finish(Duration::ZERO).unwrap();
    assert!(matches!(end.cause(), EndCause::PeerEof));
    told.sort_by_key(|told| told.id);
    assert_eq!(told.iter().map(|told| told.clean).collect::<Vec<_>>(), [true, false]);
    assert!(running.one.to_peer.is_closed());
}

#[test]
fn f28_a_transport_that_is_reset_behind_a_goodbye_ends_as_the_goodbye_says() {
    let running = Running::start(Side::Client, &Config::default(), &[b"hi".to_vec()]);
    running.one.from_peer.inject(&wire::go_away(3, 7, b"leaving"));
    running.one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset));
    running.one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::ConnectionReset));
    let (end, told) = running.finish(Duration::ZERO).unwrap();
    assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{end}");
    assert_eq!((end.code().get(), end.text()), (7, &b"leaving"[..]));
    assert!(!told[0].clean);
}

/// A stream of one session is the transport of another: each waits for the other, and none of them too long.
#[test]
fn f05_f10_a_session_over_a_stream_of_a_session() {
    let world = World::new();
    let outer = connected(&world, 50, &Config::default());
    let (near, far) = world.block_on(async {
        let mut near = outer.client.open().await.unwrap();
        near.flush().await.unwrap();
        (near, outer.server.accept().await.unwrap())
    });
    let start = |stream: Stream, side: Side| {
        let (send, recv) = stream.into_split();
        let (session, driver) = Session::from_halves(side, recv, send, &Config::default(), world.clone());
        spawn(&world, async { drop(driver.await) });
        session
    };
    let (client, server) = (start(near, Side::Client), start(far, Side::Server));
    exchange(&world, &client, &server, 10_000);
    let closed = client.close(muxado_core::ErrorCode::NO_ERROR, "bye");
    let (end, other) = world.block_on(async { join!(closed, server.closed()) });
    assert!(end.is_clean() && other.is_clean(), "{end}, {other}");
}
