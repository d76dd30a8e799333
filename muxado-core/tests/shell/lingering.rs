//! How the end of a session waits for the peer's: half-closed, lingering, and for how long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Closed, Config, ErrorCode, Session, Side};
use muxado_testkit::{Lane, Mood, World, Writer, alone, pipe, poll, start, wire};

const CAPACITY: usize = 64 * 1024;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn s81_a_silent_peer_is_waited_for_a_quarter_of_a_second() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(one.session.close(ErrorCode::NO_ERROR, ""));
    assert_eq!((world.elapsed(), world.tasks()), (Duration::from_millis(250), 0));
}

/// 1. We end the session and half-close. Our last bytes may be on their way for longer than the peer is silent.
/// 2. A moment later whoever waits for the end is told.
/// 3. The transport stays, until the peer ends its direction, or for as long as the close or the drain has time, and no
///    longer than 30 s: were it closed now, the next credit of the peer's would make TCP take back what has not arrived.
#[test]
fn s80_s81_b22_a_silent_peer_that_learns_of_our_end_holds_up_nobody_but_the_driver() {
    let drain: fn(Session) -> Closed = |session| session.drain(secs(7));
    let close: fn(Session) -> Closed = |session| session.close(ErrorCode::NO_ERROR, "");
    let long: fn(Session) -> Closed = |session| session.drain(secs(3600));
    let let_go: fn(Session) -> Closed = |session| session.closed();
    for (end, limit) in [(drain, secs(7)), (close, secs(5)), (long, secs(30)), (let_go, secs(30))] {
        for ends_at in [Some(secs(3)), None] {
            let (world, session, [from_peer, _]) = half_closing(&Config::default(), |_| {});
            assert!(world.block_on(end(session)).is_clean());
            assert_eq!(world.elapsed(), Duration::from_millis(250), "who waits is told");
            if let Some(ends_at) = ends_at {
                world.block_on(world.sleep(ends_at));
                assert_eq!(world.tasks(), 1, "the transport stays");
                from_peer.cut();
                world.settle();
            } else {
                world.block_on(world.sleep(limit - Duration::from_millis(251)));
                assert_eq!(world.tasks(), 1, "the transport stays until the limit");
                world.block_on(world.sleep(Duration::from_millis(252)));
            }
            assert_eq!(world.tasks(), 0, "and no longer");
        }
    }
}

#[test]
fn s81_a_peer_that_could_not_be_told_of_our_end_is_not_waited_for() {
    let refuses = |mood: &mut Mood| mood.close_error = Some(io::ErrorKind::NotConnected);
    let (world, session, _lanes) = half_closing(&Config::default(), refuses);
    assert!(world.block_on(session.close(ErrorCode::NO_ERROR, "")).is_clean());
    assert_eq!((world.elapsed(), world.tasks()), (Duration::from_millis(250), 0));
}

/// 1. We close; the transport takes nothing of the last bytes, and they are given up.
/// 2. It can still be closed, so that the peer is waited for; whoever waits for the end is told before that is over.
#[test]
fn s84_what_a_close_gives_up_counts_as_cut_though_the_transport_stays() {
    let config = Config::builder().write_stall(secs(1)).close_linger(secs(60)).build().unwrap();
    let (world, session, _lanes) = half_closing(&config, |mood| mood.stuck = true);
    let end = world.block_on(async {
        let mut stream = session.open().await.unwrap();
        stream.write_all(&[7; 200_000]).await.unwrap();
        stream.close().await.unwrap();
        drop(stream);
        world.settle();
        session.close(ErrorCode::NO_ERROR, "").await
    });
    assert_eq!((world.elapsed(), world.tasks()), (Duration::from_millis(1250), 1));
    assert!(end.cut().bytes >= 200_000, "{:?}", end.cut());
}

/// A session over a transport whose close reaches the peer, which `change` may spoil; and the lanes from the peer and to it.
fn half_closing(config: &Config, change: impl FnOnce(&mut Mood)) -> (World, Session, [Lane; 2]) {
    let world = World::new();
    let (near, far) = pipe(CAPACITY);
    let lanes = [near.read.lane(), near.write.lane()];
    near.write.lane().set(change);
    let (session, driver) = Session::from_halves(Side::Client, near.read, near.write, config, world.clone());
    world.spawn(async move {
        driver.half_closes(true).await;
        drop(far);
    });
    (world, session, lanes)
}

/// A half for writing whose close only flushes, as that of a child's standard input does on some runtimes.
struct Piped(Writer);

impl AsyncWrite for Piped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// The peer has a live stream, so that a GOAWAY is not the end to it. It ends its direction, which is what we wait for,
/// when it hears that ours has ended.
#[test]
fn s80_a_half_that_is_only_closed_by_a_drop_is_dropped_at_once() {
    let world = World::new();
    let (near, far) = pipe(CAPACITY);
    let config = Config::default();
    let (session, driver) =
        Session::from_halves(Side::Client, near.read, Piped(near.write), &config, world.clone());
    world.spawn(async move { drop(driver.half_closes(true).await) });
    let peer = start(&world, Side::Server, far, &config);
    world.block_on(async {
        let mut stream = session.open().await.unwrap();
        stream.write_all(b"question").await.unwrap();
        let _live = peer.accept().await.unwrap();
        let end = session.close(ErrorCode::NO_ERROR, "").await;
        assert!(end.is_clean(), "{end}");
        peer.closed().await;
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
}

#[test]
fn s81_after_an_error_a_silent_peer_has_a_quarter_of_a_second() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.from_peer.inject(&wire::data(0, b""));
    assert_eq!(world.block_on(one.session.closed()).code(), ErrorCode::PROTOCOL_ERROR);
    assert_eq!((world.elapsed(), world.tasks()), (Duration::from_millis(250), 0));
}

#[test]
fn s81_an_error_after_our_early_goaway_ends_the_session_as_soon() {
    // The driver may know the waker of the poll in which it reads the error, or not.
    for polls in 0..2 {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::builder().peer_drains(true).build().unwrap());
        let _stream = world.block_on(one.session.open()).unwrap();
        let closed = one.session.drain(secs(60));
        world.settle();
        for _ in 0..polls {
            one.from_peer.inject(b"");
            world.settle();
        }
        assert_eq!(world.tasks(), 1, "the stream is waited for");
        one.from_peer.inject(&wire::data(0, b""));
        assert_eq!(world.block_on(closed).code(), ErrorCode::PROTOCOL_ERROR);
        assert_eq!(
            (world.elapsed(), world.tasks()),
            (Duration::from_millis(250), 0),
            "a moment for our last word"
        );
    }
}

#[test]
fn s80_b22_after_an_error_a_peer_that_goes_on_to_talk_has_no_more_time() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.from_peer.inject(&wire::data(0, b""));
    let (clock, talking) = (world.clone(), one.from_peer);
    world.spawn(async move {
        for _ in 0..20 {
            clock.sleep(Duration::from_millis(100)).await;
            talking.inject(b"\0");
        }
    });
    world.block_on(one.session.closed());
    assert_eq!(world.elapsed(), Duration::from_millis(250));
}

/// The peer breaks the protocol, or has not finished within the limit of a drain, and is silent. After 100 ms the transport
/// takes our last word, and after 100 ms more the end of our direction.
#[test]
fn s80_b22_the_last_word_the_end_of_our_direction_and_the_wait_have_a_quarter_of_a_second_together() {
    for is_error in [true, false] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = world.block_on(one.session.open()).unwrap();
        world.block_on(stream.flush()).unwrap();
        world.settle();
        one.to_peer.set(|mood| (mood.stuck, mood.close_hangs) = (true, true));
        let closed = match is_error {
            true => one.session.closed(),
            false => one.session.drain(Duration::ZERO),
        };
        if is_error {
            one.from_peer.inject(&wire::data(0, b""));
        }
        let (clock, to_peer) = (world.clone(), one.to_peer.clone());
        world.spawn(async move {
            clock.sleep(Duration::from_millis(100)).await;
            to_peer.set(|mood| mood.stuck = false);
            clock.sleep(Duration::from_millis(100)).await;
            to_peer.set(|mood| mood.close_hangs = false);
        });
        world.block_on(closed);
        assert_eq!(
            (world.elapsed(), one.to_peer.is_closed()),
            (Duration::from_millis(250), true),
            "{is_error}"
        );
    }
}

/// 256 bytes of credit.
const CREDIT: &[u8] = b"\0\0\x04\x20\0\0\0\x03\0\x01\0\0";

/// The peer says this every 200 ms, so many times.
async fn talk(world: World, from_peer: Lane, times: usize, words: &'static [u8]) {
    for _ in 0..times {
        world.sleep(Duration::from_millis(200)).await;
        from_peer.inject(words);
    }
}

/// 1. We drain; our last bytes are on their way over a slow link, and our direction is closed behind them.
/// 2. The peer reads them bit by bit, and returns credit for each.
/// 3. Were the transport closed now, the credit would make TCP take back all that has not arrived.
#[test]
fn s80_b22_a_peer_that_still_talks_is_waited_for_until_it_is_silent() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let closed = one.session.drain(secs(10));
    world.block_on(async {
        talk(world.clone(), one.from_peer.clone(), 20, CREDIT).await;
        assert_eq!(world.tasks(), 1, "it waits");
        assert!(closed.await.is_clean());
    });
    assert_eq!(world.elapsed(), 20 * Duration::from_millis(200) + Duration::from_millis(250));
}

#[test]
fn s80_b22_a_peer_that_never_stops_talking_is_waited_for_until_the_limit() {
    for (limit, dropped) in [(secs(5), false), (Config::default().drain_timeout(), true)] {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        let closed = one.session.closed();
        if dropped {
            drop(one.session);
        } else {
            drop(one.session.close(ErrorCode::NO_ERROR, ""));
        }
        world.spawn(talk(world.clone(), one.from_peer, 1000, b"\0"));
        world.block_on(closed);
        assert!(world.elapsed() > limit && world.elapsed() <= limit + Duration::from_millis(250));
    }
}

#[test]
fn s80_a_limit_that_is_asked_for_while_a_peer_goes_on_to_talk_counts() {
    let drain: fn(&Session) -> Closed = |session| session.drain(secs(1));
    let close: fn(&Session) -> Closed = |session| session.close(ErrorCode::NO_ERROR, "");
    for (end, limit) in [(drain, secs(1)), (close, secs(5))] {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        one.session.go_away();
        world.spawn(talk(world.clone(), one.from_peer, 1000, b"\0"));
        world.block_on(world.sleep(secs(2)));
        assert!(one.session.end().is_some(), "nothing was left to drain");
        world.block_on(end(&one.session));
        assert!(world.elapsed() <= secs(2) + limit + Duration::from_millis(250), "{:?}", world.elapsed());
    }
}

#[test]
fn s81_b22_what_the_peer_had_credit_for_is_read_before_the_transport_is_closed() {
    let world = World::new();
    let config = Config::builder().max_inbound_streams(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    one.from_peer.inject(b"\0\0\0\x12\0\0\0\x03");
    let _held = world.block_on(one.session.accept()).unwrap();
    let closed = one.session.close(ErrorCode::NO_ERROR, "");
    world.settle();
    // A window's worth was under way, as much again on each stream that the peer may be opening, and 64 KiB are free:
    // up to there the peer's end is waited for.
    one.from_peer.inject(&vec![0x55; 3 * 256 * 1024 + 64 * 1024 - 1]);
    world.settle();
    assert!(one.session.stats().streams == 1 && world.tasks() == 1, "still reading");
    one.from_peer.inject(b"!");
    world.block_on(closed);
    assert_eq!(world.elapsed(), Duration::ZERO);
}

/// Over TLS the end of our direction has bytes of its own, which wait for room behind all that is still on its way. Were the
/// transport closed before them, the next credit of the peer's would make TCP take back what has not arrived.
#[test]
fn s80_b22_the_end_of_our_direction_has_the_time_of_the_close_to_find_room() {
    for finds_room in [true, false] {
        let (world, session, [from_peer, to_peer]) =
            half_closing(&Config::default(), |mood| mood.close_hangs = true);
        assert!(world.block_on(session.close(ErrorCode::NO_ERROR, "")).is_clean());
        assert_eq!(world.elapsed(), Duration::from_millis(250), "who waits is told");
        world.block_on(world.sleep(secs(4)));
        assert_eq!(world.tasks(), 1, "the transport stays");
        // The peer may have to be rid of its own bytes before it takes ours.
        from_peer.inject(&[0; 1000]);
        world.settle();
        assert_eq!(from_peer.take(), b"");
        if finds_room {
            to_peer.set(|mood| mood.close_hangs = false);
            world.settle();
            assert!(to_peer.is_closed() && world.tasks() == 1, "it waits for the peer's end");
            from_peer.cut();
            world.settle();
        } else {
            world.block_on(world.sleep(secs(2)));
        }
        assert_eq!(world.tasks(), 0);
    }
}

/// While the end of our direction waits for room, the peer talks: it may not have all of ours yet.
#[test]
fn s80_b22_a_peer_that_talks_is_waited_for_while_our_direction_is_being_closed() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.to_peer.set(|mood| mood.close_hangs = true);
    let closed = one.session.drain(secs(10));
    world.block_on(async {
        talk(world.clone(), one.from_peer.clone(), 20, CREDIT).await;
        assert_eq!(world.tasks(), 1, "it waits");
        one.to_peer.set(|mood| mood.close_hangs = false);
        assert!(closed.await.is_clean());
    });
    assert!(one.to_peer.is_closed());
    assert_eq!(world.elapsed(), 20 * Duration::from_millis(200) + Duration::from_millis(250));
}

/// The driver's turn comes late: what the peer has said by then was said in time.
#[test]
fn s80_b22_a_peer_that_has_talked_is_not_silent_though_the_driver_comes_late() {
    let world = World::new();
    let (near, far) = pipe(CAPACITY);
    let from_peer = near.read.lane();
    let (session, mut driver) =
        Session::from_halves(Side::Server, near.read, near.write, &Config::default(), world.clone());
    let mut is_over = || poll(&mut driver, Waker::noop()).is_ready();
    drop(session.close(ErrorCode::NO_ERROR, ""));
    assert!(!is_over());
    for _ in 0..3 {
        from_peer.inject(CREDIT);
        world.block_on(world.sleep(Duration::from_millis(300)));
        assert!(!is_over());
    }
    world.block_on(world.sleep(Duration::from_millis(300)));
    assert!(is_over(), "now it is silent");
    drop(far);
}

/// A stream that we have reset a moment before: the peer may not know yet, and has used up its window.
#[test]
fn s81_b22_what_the_peer_had_credit_for_on_streams_that_we_have_reset_is_read_too() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::builder().max_inbound_streams(0).build().unwrap());
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(b"x")).unwrap();
    world.settle();
    stream.reset(ErrorCode::STREAM_CANCELLED).unwrap();
    drop(stream);
    let closed = one.session.close(ErrorCode::NO_ERROR, "");
    world.settle();
    one.from_peer.inject(&vec![0x55; 256 * 1024 + 64 * 1024 - 1]);
    world.settle();
    assert_eq!(world.tasks(), 1, "still reading");
    one.from_peer.inject(b"!");
    world.block_on(closed);
    assert_eq!(world.elapsed(), Duration::ZERO);
}
