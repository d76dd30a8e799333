//! Who waits for a small message has his turn before the driver moves much else.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use futures_util::future::join;
use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Session, Side, Stream};
use muxado_testkit::{Alone, World, alone, pipe, poll, wire};

/// A bulk stream's payload: the window of one, less than the driver moves in one poll.
const MUCH: usize = 200 * 1024;

/// A session whose peer has opened streams 3 and 5, and what we have of them.
fn two_streams(world: &World) -> (Alone, Stream, Stream) {
    let one = alone(world, Side::Server, &Config::default());
    one.from_peer.inject(&wire::syn(3, b""));
    one.from_peer.inject(&wire::syn(5, b""));
    let (bulk, small) = world.block_on(join(one.session.accept(), one.session.accept()));
    world.settle();
    (one, bulk.unwrap(), small.unwrap())
}

/// Runs `task`. What it came to is there once it is done.
fn spawn<T: Send + 'static>(
    world: &World,
    task: impl Future<Output = T> + Send + 'static,
) -> Arc<Mutex<Option<T>>> {
    let place = Arc::new(Mutex::new(None));
    let result = place.clone();
    world.spawn(async move {
        let done = task.await;
        *result.lock().unwrap() = Some(done);
    });
    world.settle();
    place
}

#[test]
fn a_message_that_has_come_is_told_before_much_is_written() {
    // With the poll before, the driver may have given way for another message.
    for messages in [1, 2] {
        let world = World::new();
        let (one, mut bulk, mut small) = two_streams(&world);
        let to_peer = one.to_peer.clone();
        let task = async move {
            let mut written = Vec::new();
            for _ in 0..messages {
                small.read_exact(&mut [0; 5]).await.unwrap();
                written.push(to_peer.written());
            }
            written
        };
        let told = spawn(&world, task);
        let before = one.to_peer.written();
        bulk.write_all(&[7; MUCH]).now_or_never().expect("there is room").unwrap();
        one.from_peer.inject(&wire::data(5, b"hello"));
        if messages == 2 {
            world.turn();
            world.turn();
            one.from_peer.inject(&wire::data(5, b"again"));
        }
        world.settle();
        let told = told.lock().unwrap().take().expect("all messages have come");
        assert_eq!(told[0], before, "told before anything is written");
        assert!(one.to_peer.written() - before > MUCH as u64, "all is written");
        if messages == 2 {
            assert!(told[1] > before, "but the driver gives way only once");
        }
    }
}

#[test]
fn a_message_that_has_come_is_told_before_much_more_is_read() {
    let world = World::new();
    let (one, _bulk, mut small) = two_streams(&world);
    let session = one.session.clone();
    let told = spawn(&world, async move {
        small.read_exact(&mut [0; 5]).await.unwrap();
        session.stats().unread_bytes
    });
    one.from_peer.inject(&wire::data(3, &[7; MUCH]));
    one.from_peer.inject(&wire::data(5, b"hello"));
    one.from_peer.inject(&wire::syn(7, &[7; MUCH]));
    world.settle();
    let unread = told.lock().unwrap().take().expect("the message has come");
    assert!(unread < 2 * MUCH, "told after the read that it came with");
    assert_eq!(one.session.stats().unread_bytes, 2 * MUCH, "then the rest is read");
}

#[test]
fn much_that_has_come_on_one_stream_is_no_such_message() {
    let world = World::new();
    let (one, mut bulk, _small) = two_streams(&world);
    let session = one.session.clone();
    let told = spawn(&world, async move {
        assert_eq!(bulk.read_chunk(5).await.unwrap().unwrap().len(), 5);
        session.stats().unread_bytes
    });
    one.from_peer.inject(&wire::data(3, &[7; MUCH]));
    one.from_peer.inject(&wire::syn(7, &[7; MUCH]));
    world.settle();
    let unread = told.lock().unwrap().take().expect("its bytes have come");
    assert_eq!(unread, 2 * MUCH - 5, "told after all that one poll reads");
}

#[test]
fn messages_without_end_do_not_keep_the_driver_from_writing() {
    let world = World::new();
    let (one, mut bulk, mut small) = two_streams(&world);
    let from_peer = one.from_peer.clone();
    let messages = Arc::new(AtomicU64::new(0));
    let (counted, written) = (messages.clone(), one.to_peer.clone());
    let end = one.to_peer.written() + MUCH as u64;
    world.spawn(async move {
        // Each message that was read brings the next, before the driver's turn.
        while written.written() < end {
            small.read_exact(&mut [0; 5]).await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            from_peer.inject(&wire::data(5, b"hello"));
        }
    });
    bulk.write_all(&[7; MUCH]).now_or_never().expect("there is room").unwrap();
    one.from_peer.inject(&wire::data(5, b"hello"));
    world.settle();
    assert!(one.to_peer.written() >= end, "all is written");
    assert!(messages.load(Ordering::Relaxed) < 10, "and soon");
}

/// 1. The peer opens many more streams than it may, and behind them nothing keeps the refusals from going out.
/// 2. With the first of them comes a message that somebody waits for, so that the driver lets him go first.
/// 3. The refusals go out all the same, before more of them can add up than may wait.
#[test]
fn b10_refusals_do_not_add_up_while_the_driver_gives_way() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::builder().max_inbound_streams(1).build().unwrap());
    one.from_peer.inject(&wire::syn(3, b""));
    let mut small = world.block_on(one.session.accept()).unwrap();
    let told = spawn(&world, async move {
        small.read_exact(&mut [0; 5]).await.unwrap();
        small
    });
    let mut burst = wire::data(3, b"hello");
    (0..600).for_each(|count| burst.extend(wire::syn(5 + 2 * count, &[7; 100])));
    one.from_peer.inject(&burst);
    world.settle();
    assert!(told.lock().unwrap().is_some());
    assert_eq!(one.session.end(), None, "the transport took every answer");
    assert_eq!(one.session.stats().resets_sent, 600);
}

/// Behind a message that somebody waits for the peer breaks the protocol, and then closes its direction.
#[test]
fn s12_the_goodbye_of_an_error_goes_out_though_the_driver_gives_way() {
    let world = World::new();
    let (one, _bulk, mut small) = two_streams(&world);
    spawn(&world, async move { small.read_exact(&mut [0; 5]).await });
    one.from_peer.inject(&[wire::data(3, &[7; MUCH]), wire::data(5, b"hello"), wire::data(0, b"")].concat());
    one.from_peer.cut();
    let before = one.to_peer.written();
    world.settle();
    assert_eq!(one.session.end().unwrap().code(), ErrorCode::PROTOCOL_ERROR);
    assert!(one.to_peer.written() > before, "the peer is told");
}

/// 1. The transport takes nothing, for longer than the write stall.
/// 2. Before the driver has its turn the transport takes bytes again, and a message comes that somebody waits for.
/// 3. The driver lets him go first: that is no reason to give up a transport that it has yet to ask.
#[test]
fn s84_a_driver_that_gives_way_asks_the_transport_before_it_is_given_up() {
    let world = World::new();
    let (near, far) = pipe(1 << 20);
    let (from_peer, to_peer) = (near.read.lane(), near.write.lane());
    let (session, mut driver) =
        Session::from_halves(Side::Server, near.read, near.write, &Config::default(), world.clone());
    let mut turn = || assert!(poll(&mut driver, Waker::noop()).is_pending());
    from_peer.inject(&[wire::syn(3, b""), wire::syn(5, b"")].concat());
    turn();
    let accepted = || session.accept().now_or_never().expect("it has come").unwrap();
    let (mut bulk, mut small) = (accepted(), accepted());
    assert!(poll(&mut small.read_chunk(9), Waker::noop()).is_pending());
    to_peer.set(|mood| mood.stuck = true);
    bulk.write_all(&[7; MUCH]).now_or_never().expect("there is room").unwrap();
    turn();
    world.block_on(world.sleep(Duration::from_secs(31)));
    to_peer.set(|mood| mood.stuck = false);
    from_peer.inject(&wire::syn(7, &[7; MUCH]));
    from_peer.inject(&wire::data(5, b"hello"));
    (0..9).for_each(|_| turn());
    assert_eq!(session.end(), None);
    assert!(to_peer.written() > MUCH as u64, "all is written");
    drop(far);
}
