//! A session watched from outside: when the peer last lived, when the session is to end, and that watching keeps nothing.

use std::task::Waker;
use std::time::Duration;

use futures_util::AsyncWriteExt;
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Side};
use muxado_testkit::{Alone, World, alone, counter, poll, wire};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn whoever_waits_for_the_session_to_leave_is_told_however_that_begins() {
    let ways: [fn(&Alone); 5] = [
        |one| one.session.go_away(),
        |one| drop(one.session.drain(secs(9))),
        |one| drop(one.session.close(ErrorCode::NO_ERROR, "")),
        |one| one.from_peer.inject(&wire::go_away(0, 0, b"")),
        |one| one.from_peer.cut(),
    ];
    for way in ways {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        // A stream keeps a draining session from its end.
        let mut stream = one.session.try_open().unwrap();
        world.block_on(stream.write_all(b"x")).unwrap();
        let observer = one.session.observer();
        let (mut first, mut second) = (observer.leaving(), observer.leaving());
        let (wakes, waker) = counter();
        assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
        assert!(poll(&mut one.session.leaving(), Waker::noop()).is_pending());
        way(&one);
        world.settle();
        assert_eq!(wakes.count(), 2);
        assert!(poll(&mut first, &waker).is_ready() && poll(&mut second, &waker).is_ready());
        assert!(poll(&mut observer.leaving(), Waker::noop()).is_ready(), "and later");
        assert!(poll(&mut one.session.leaving(), Waker::noop()).is_ready(), "and for a handle");
    }
}

#[test]
fn what_the_peer_sends_is_life_and_what_we_send_is_not() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let observer = one.session.observer();
    let start = world.now();
    assert_eq!(observer.last_life(), Some(start), "as if it had just been heard");
    world.block_on(async {
        world.sleep(secs(1)).await;
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        world.settle();
        assert_eq!(observer.last_life(), Some(start));
        world.sleep(secs(1)).await;
        // Half a header.
        one.from_peer.inject(b"\0\0\0");
        world.settle();
        assert_eq!(observer.last_life(), Some(start + secs(2)));
    });
}

#[test]
fn a_full_transport_that_takes_more_is_life() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let observer = one.session.observer();
    let start = world.now();
    one.to_peer.set(|mood| mood.budget = Some(100));
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(&[7; 1000]).await.unwrap();
        world.settle();
        world.sleep(secs(3)).await;
        assert_eq!(observer.last_life(), Some(start), "it took what there was room for, and is full");
        one.to_peer.set(|mood| mood.budget = Some(10));
        world.settle();
        assert_eq!(observer.last_life(), Some(start + secs(3)));
        world.sleep(secs(1)).await;
        one.to_peer.set(|_| {});
        world.settle();
        assert_eq!(observer.last_life(), Some(start + secs(3)), "it was asked again, and took nothing");
    });
}

/// The driver asks so often and no more before others have their turns: it is not the transport that is full.
#[test]
fn a_transport_that_takes_a_byte_at_a_time_and_is_never_full_shows_no_life() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let observer = one.session.observer();
    let start = world.now();
    one.to_peer.set(|mood| mood.write_max = 1);
    world.block_on(async {
        world.sleep(secs(1)).await;
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(&[7; 1000]).await.unwrap();
        world.settle();
        assert!(one.to_peer.written() > 1000, "all is written");
        assert_eq!(observer.last_life(), Some(start));
    });
}

#[test]
fn watching_keeps_no_session_open_and_can_end_it() {
    for closes in [false, true] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let (observer, closed) = (one.session.observer(), one.session.closed());
        assert!(observer.end().is_none());
        if closes {
            drop(observer.close(ErrorCode::new(9999), "enough"));
        } else {
            drop(one.session);
        }
        let end = world.block_on(closed);
        assert_eq!(observer.end(), Some(end.clone()));
        assert_eq!(end.code(), if closes { ErrorCode::new(9999) } else { ErrorCode::NO_ERROR });
        assert_eq!(world.tasks(), 0);
    }
}
