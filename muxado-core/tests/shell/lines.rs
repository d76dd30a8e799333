//! The lines for a place and for a stream: who is first, who is told, and what becomes of whoever gives up.

use std::sync::Arc;
use std::task::{Poll, Waker};

use muxado_core::rt::Runtime;
use muxado_core::{Config, OpenError, Side, Stream, StreamId};
use muxado_testkit::{World, alone, connected, counter, poll, wire};

#[test]
fn b07_b24_open_waits_for_a_place_first_come_first_served() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(2).build().unwrap();
    let pair = connected(&world, 4096, &config);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    world.block_on(async {
        let held: Vec<Stream> = vec![pair.client.open().await.unwrap(), pair.client.open().await.unwrap()];
        assert_eq!(pair.client.try_open().unwrap_err(), OpenError::Busy);
        for turn in 0..5 {
            let (client, order) = (pair.client.clone(), order.clone());
            world.spawn(async move {
                let stream = client.open().await.unwrap();
                order.lock().unwrap().push(turn);
                drop(stream);
            });
        }
        world.settle();
        assert!(order.lock().unwrap().is_empty());
        // A waiter that gives up passes its turn on.
        let mut cancelled = pair.client.open();
        assert!(poll(&mut cancelled, Waker::noop()).is_pending());
        drop(cancelled);
        drop(held);
        world.settle();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert!(pair.client.try_open().is_ok());
    });
}

#[test]
fn f62_b24_a_cancelled_opener_that_was_told_passes_its_place_on() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    let held = world.block_on(one.session.open()).unwrap();
    let (_, waker) = counter();
    let (told, other) = counter();
    let mut first = one.session.open();
    let mut second = one.session.open();
    assert!(poll(&mut first, &waker).is_pending());
    assert!(poll(&mut second, &other).is_pending());
    drop(held);
    drop(first);
    assert_eq!(told.count(), 1);
    assert!(poll(&mut second, &other).is_ready());
}

#[test]
fn several_acceptors_are_each_told_of_a_stream_of_their_own() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let (told, waker) = counter();
    let mut waiting: Vec<_> = (0..3).map(|_| one.session.accept()).collect();
    for accept in &mut waiting {
        assert!(poll(accept, &waker).is_pending());
    }
    for (number, id) in [(1, 3_u8), (2, 5), (3, 7)] {
        one.from_peer.inject(&[0, 0, 0, 0x12, 0, 0, 0, id]);
        world.settle();
        assert!(told.count() >= number, "stream {id}: somebody is told");
        waiting.retain_mut(|accept| poll(accept, &waker).is_pending());
        assert_eq!(waiting.len(), 3 - number);
    }
}

#[test]
fn streams_that_come_at_once_are_for_all_who_wait() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let wakers = [counter(), counter(), counter()];
    let mut waiting = [one.session.accept(), one.session.accept(), one.session.accept()];
    for (accept, (_, waker)) in waiting.iter_mut().zip(&wakers) {
        assert!(poll(accept, waker).is_pending());
    }
    one.from_peer.inject(&[wire::syn(3, b""), wire::syn(5, b"")].concat());
    world.settle();
    for (accept, (told, waker)) in waiting.iter_mut().zip(&wakers).take(2) {
        assert_eq!(told.count(), 1);
        assert!(poll(accept, waker).is_ready());
    }
    assert!(poll(&mut waiting[2], &wakers[2].1).is_pending());
}

#[test]
fn f63_a_cancelled_accept_loses_no_stream() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let (_, waker) = counter();
    let (told, other) = counter();
    let mut first = one.session.accept();
    let mut second = one.session.accept();
    assert!(poll(&mut first, &waker).is_pending());
    assert!(poll(&mut second, &other).is_pending());
    one.from_peer.inject(b"\0\0\0\x12\0\0\0\x03");
    world.settle();
    drop(first);
    assert_eq!(told.count(), 1, "the next in line is told");
    let Poll::Ready(Ok(stream)) = poll(&mut second, &other) else { panic!("the stream is lost") };
    assert_eq!(stream.id().map(StreamId::get), Some(3));
}

/// 1. Two wait. 2. There is a place, and a stream: the first is told. 3. Before it comes somebody else asks.
#[test]
fn b24_nobody_jumps_a_line() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let held = world.block_on(one.session.open()).unwrap();
    let (told, waker) = counter();
    let mut opens = [one.session.open(), one.session.open()];
    let mut accepts = [one.session.accept(), one.session.accept()];
    assert!(opens.iter_mut().all(|open| poll(open, &waker).is_pending()));
    assert!(accepts.iter_mut().all(|accept| poll(accept, &waker).is_pending()));
    drop(held);
    one.from_peer.inject(b"\0\0\0\x12\0\0\0\x03");
    world.settle();
    assert_eq!(told.count(), 2);
    assert!(poll(&mut one.session.open(), Waker::noop()).is_pending());
    assert!(poll(&mut one.session.accept(), Waker::noop()).is_pending());
    assert!(matches!(poll(&mut opens[0], &waker), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut accepts[0], &waker), Poll::Ready(Ok(_))));
}

/// 1. Two wait. 2. A stream comes, and the first is told. 3. The peer resets it. 4. The first comes, and finds nothing.
#[test]
fn b24_whoever_comes_too_late_is_first_again_and_wakes_nobody() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let [(first, waker), (second, other)] = [counter(), counter()];
    let mut waiting = [one.session.accept(), one.session.accept()];
    assert!(poll(&mut waiting[0], &waker).is_pending() && poll(&mut waiting[1], &other).is_pending());
    for frames in [wire::syn(3, b""), wire::rst(3, 7)] {
        one.from_peer.inject(&frames);
        world.settle();
    }
    assert!(poll(&mut waiting[0], &waker).is_pending());
    assert_eq!((first.count(), second.count()), (1, 0));
    one.from_peer.inject(&wire::syn(5, b""));
    world.settle();
    assert_eq!((first.count(), second.count()), (2, 0));
    assert!(poll(&mut waiting[0], &waker).is_ready());
}

/// Two wait for a stream, and two for a place. There is one of each: the first are told, and are kept without being polled.
/// Then there is another of each.
#[test]
fn b24_whoever_is_told_and_does_not_come_holds_up_no_other() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let held = [world.block_on(one.session.open()).unwrap(), world.block_on(one.session.open()).unwrap()];
    let [(_, waker), (told, other)] = [counter(), counter()];
    let (mut first_open, mut open) = (one.session.open(), one.session.open());
    let (mut first_accept, mut accept) = (one.session.accept(), one.session.accept());
    assert!(poll(&mut first_open, &waker).is_pending() && poll(&mut open, &other).is_pending());
    assert!(poll(&mut first_accept, &waker).is_pending() && poll(&mut accept, &other).is_pending());
    for ((stream, id), times) in held.into_iter().zip([3, 5]).zip([0, 2]) {
        drop(stream);
        one.from_peer.inject(&wire::syn(id, b""));
        world.settle();
        assert_eq!(told.count(), times);
    }
    assert!(matches!(poll(&mut open, &other), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut accept, &other), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut first_open, &waker), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut first_accept, &waker), Poll::Ready(Ok(_))));
}

#[test]
fn nothing_is_kept_of_whoever_gives_up() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let _held = world.block_on(one.session.open()).unwrap();
    let (count, waker) = counter();
    assert!(poll(&mut one.session.open(), &waker).is_pending());
    assert!(poll(&mut one.session.accept(), &waker).is_pending());
    assert!(poll(&mut one.session.leaving(), &waker).is_pending());
    assert!(poll(&mut one.session.closed(), &waker).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 1, "no waker is kept");
}

#[test]
fn who_gives_up_without_having_been_told_wakes_nobody() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let _held = world.block_on(one.session.open()).unwrap();
    let (told, waker) = counter();
    let mut opens = [one.session.open(), one.session.open()];
    let mut accepts = [one.session.accept(), one.session.accept()];
    assert!(opens.iter_mut().all(|open| poll(open, &waker).is_pending()));
    assert!(accepts.iter_mut().all(|accept| poll(accept, &waker).is_pending()));
    drop((opens, accepts));
    assert_eq!(told.count(), 0);
}
