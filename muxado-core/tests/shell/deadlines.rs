//! Deadlines of streams, in virtual time: they fire when they should, change while somebody waits, and cost no byte.

use std::io::ErrorKind;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::{AsyncReadExt, AsyncWriteExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Initiator, ReadError, Retry, Side, WriteError};
use muxado_testkit::{World, alone, connected, counter, poll, wire};

const WINDOW: usize = 256 * 1024;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn at(world: &World, after: Duration) -> Option<Instant> {
    Some(world.now() + after)
}

#[test]
fn a_read_fails_exactly_at_its_deadline_and_goes_on_with_another() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.write_all(b"?").await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        ours.set_read_deadline(at(&world, secs(7)));
        let error = ours.read_chunk(9).await.unwrap_err();
        assert_eq!(error, ReadError::TimedOut);
        assert_eq!(
            (error.code(), error.initiator(), error.retry()),
            (None, Initiator::Local, Retry::Unknown)
        );
        assert_eq!(world.elapsed(), secs(7));
        assert_eq!(ours.read(&mut [0; 9]).await.unwrap_err().kind(), ErrorKind::TimedOut, "and again");
        ours.write_all(b"writing has no deadline").await.unwrap();
        theirs.write_all(b"late").await.unwrap();
        world.settle();
        assert_eq!(ours.read_chunk(9).await.unwrap_err(), ReadError::TimedOut, "though there is something");
        ours.set_read_deadline(at(&world, secs(1)));
        let mut late = [0; 4];
        ours.read_exact(&mut late).await.unwrap();
        assert_eq!(&late, b"late");
        ours.set_read_deadline(None);
        world.sleep(secs(100)).await;
        theirs.close().await.unwrap();
        assert_eq!(ours.read(&mut late).await.unwrap(), 0);
    });
}

#[test]
fn a_write_fails_at_its_deadline_and_no_byte_is_lost_or_sent_twice() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    let sent: Vec<u8> = (0..WINDOW * 3).map(|byte| (byte % 251) as u8).collect();
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.flush().await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        let mut accepted = 0;
        for round in 1..=3 {
            ours.set_write_deadline(at(&world, secs(2)));
            let error = loop {
                match ours.write(&sent[accepted..]).await {
                    Ok(more) => accepted += more,
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(world.elapsed(), round * secs(2));
        }
        ours.set_write_deadline(None);
        let write = async {
            ours.write_all(&sent[accepted..]).await.unwrap();
            ours.close().await.unwrap();
        };
        let mut received = Vec::new();
        join!(write, async { theirs.read_to_end(&mut received).await.unwrap() });
        assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    });
}

#[test]
fn an_instant_that_has_passed_fires_at_once_and_finishing_has_no_deadline() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        for instant in [world.now(), world.now() - Duration::from_nanos(1)] {
            stream.set_deadline(Some(instant));
            let mut chunk = "y".into();
            let written =
                poll(&mut std::future::poll_fn(|cx| stream.poll_write_chunk(cx, &mut chunk)), &noop());
            assert_eq!((written, chunk.len()), (Poll::Ready(Err(WriteError::TimedOut)), 1));
            assert_eq!(poll(&mut stream.read_chunk(9), &noop()), Poll::Ready(Err(ReadError::TimedOut)));
        }
        stream.finish().unwrap();
        world.settle();
        assert_eq!(one.to_peer.take(), [wire::syn(3, b"x"), wire::fin(3)].concat());
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
}

fn noop() -> std::task::Waker {
    std::task::Waker::noop().clone()
}

/// Whoever waits is woken when the deadline is set, moved and taken away, from wherever that is done.
#[test]
fn changing_a_deadline_wakes_the_waiter() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    let (wakes, waker) = counter();
    for (round, deadline) in [at(&world, secs(5)), at(&world, secs(3)), None].into_iter().enumerate() {
        assert!(poll(&mut stream.read_chunk(9), &waker).is_pending());
        stream.set_read_deadline(deadline);
        assert_eq!(wakes.count(), round + 1);
    }
}

#[test]
fn a_deadline_moved_while_somebody_waits_fires_at_the_new_time() {
    for (first, then) in [(secs(10), secs(4)), (secs(4), secs(10))] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let stream = world.block_on(one.session.open()).unwrap();
        let (send, mut recv) = stream.into_split();
        recv.set_read_deadline(at(&world, first));
        world.block_on(async {
            let mut read = pin!(recv.read_chunk(9));
            assert!(poll(&mut read, &noop()).is_pending());
            world.sleep(secs(1)).await;
        });
        recv.set_read_deadline(Some(world.now() - secs(1) + then));
        assert_eq!(world.block_on(recv.read_chunk(9)).unwrap_err(), ReadError::TimedOut);
        assert_eq!(world.elapsed(), then);
        drop(send);
    }
}

#[test]
fn many_deadlines_fire_each_at_its_own_time_and_none_after_its_handle_is_gone() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let streams: Vec<_> = (0..20).map(|_| one.session.try_open().unwrap()).collect();
    let (clock, polls) = (world.clone(), world.polls());
    let mut waiting = Vec::new();
    for (number, mut stream) in streams.into_iter().enumerate() {
        let after = secs(1 + (number as u64 * 7) % 20);
        stream.set_deadline(at(&world, after));
        if number % 2 == 0 {
            drop(stream);
            continue;
        }
        let clock = clock.clone();
        waiting.push(async move {
            assert_eq!(stream.read_chunk(9).await.unwrap_err(), ReadError::TimedOut);
            assert_eq!(clock.elapsed(), after);
        });
    }
    world.block_on(futures_util::future::join_all(waiting));
    world.block_on(world.sleep(secs(100)));
    assert!(world.polls() - polls < 100, "{} polls", world.polls() - polls);
}

#[test]
fn a_deadline_outlives_neither_a_stream_nor_its_session() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    stream.set_deadline(at(&world, secs(50)));
    one.from_peer.cut();
    world.block_on(async {
        assert!(matches!(stream.read_chunk(9).await.unwrap_err(), ReadError::Session(_)));
        one.session.closed().await;
    });
    assert_eq!((world.elapsed(), world.tasks()), (Duration::ZERO, 0));
    // Nothing waits on a session that has ended, so nothing has to fire.
    stream.set_deadline(at(&world, secs(1)));
    assert!(matches!(world.block_on(stream.read_chunk(9)).unwrap_err(), ReadError::Session(_)));
}
