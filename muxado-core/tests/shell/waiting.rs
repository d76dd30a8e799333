//! Nobody waits for what has happened, and nobody's waiting stops anybody else.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Side, Stream};
use muxado_testkit::{Alone, World, alone, connected, counter, poll};

/// The ways in which a session or its only stream ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Rst,
    GoAway,
    Eof,
    TransportError,
    WriteError,
    Garbage,
    LocalClose,
    LocalReset,
}

pub(super) const ENDS: [End; 8] = [
    End::Rst,
    End::GoAway,
    End::Eof,
    End::TransportError,
    End::WriteError,
    End::Garbage,
    End::LocalClose,
    End::LocalReset,
];

/// A write that fails is no end yet: the peer's last words may still be there to read, for a moment.
pub(super) fn settle_end(end: End, world: &World) {
    if matches!(end, End::WriteError) {
        world.block_on(world.sleep(std::time::Duration::from_millis(251)));
    }
    world.settle();
}

pub(super) fn make_end(end: End, one: &Alone) {
    match end {
        End::Rst => one.from_peer.inject(b"\0\0\x04\0\0\0\0\x03\0\0\0\x07"),
        End::GoAway => one.from_peer.inject(b"\0\0\x08\x30\0\0\0\0\0\0\0\0\0\0\0\0"),
        End::Eof => one.from_peer.cut(),
        End::TransportError => {
            one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset));
        }
        End::WriteError => {
            one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
            // Something has to be written for it to show.
            one.from_peer.inject(b"\0\0\x01\x10\0\0\0\x04x");
        }
        End::Garbage => one.from_peer.inject(&[0; 8]),
        End::LocalClose => drop(one.session.close(ErrorCode::NO_ERROR, "")),
        End::LocalReset => {}
    }
}

/// B4 of the lessons: {read, write} pending, times every end: woken, and resolved with an error.
#[test]
fn a_waiting_reader_and_writer_learn_of_every_end() {
    for end in ENDS {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = world.block_on(one.session.open()).unwrap();
        world.block_on(stream.write_all(&vec![0; 256 * 1024])).unwrap();
        world.settle();
        let _ = one.to_peer.take();
        world.settle();
        // The queue is full too: there is no credit for it.
        world.block_on(stream.write_all(&[0; 16 * 1024])).unwrap();
        let (mut send, mut recv) = stream.into_split();
        let (reads, reader) = counter();
        let (writes, writer) = counter();
        let mut cx = Context::from_waker(&writer);
        assert!(Pin::new(&mut send).poll_write(&mut cx, b"x").is_pending());
        assert!(poll(&mut recv.read_chunk(1), &reader).is_pending());
        world.settle();

        if matches!(end, End::LocalReset) {
            send.reset(ErrorCode::STREAM_CANCELLED).unwrap();
        }
        make_end(end, &one);
        settle_end(end, &world);
        assert_eq!(reads.count(), 1, "{end:?}: the reader is woken");
        assert_eq!(writes.count(), 1, "{end:?}: the writer is woken");
        assert!(matches!(poll(&mut recv.read_chunk(1), &reader), Poll::Ready(Err(_))), "{end:?}");
        assert!(matches!(Pin::new(&mut send).poll_write(&mut cx, b"x"), Poll::Ready(Err(_))), "{end:?}");
    }
}

/// The same for {open, accept, closed}.
#[test]
fn waiting_openers_and_acceptors_learn_of_every_end_of_the_session() {
    for end in ENDS {
        if matches!(end, End::Rst | End::LocalReset) {
            continue;
        }
        let world = World::new();
        let config = Config::builder().max_outbound_streams(1).build().unwrap();
        let one = alone(&world, Side::Client, &config);
        let mut held = world.block_on(one.session.open()).unwrap();
        world.block_on(held.flush()).unwrap();
        let (count, waker) = counter();
        let (mut open, mut accept, mut closed) =
            (one.session.open(), one.session.accept(), one.session.closed());
        assert!(poll(&mut open, &waker).is_pending());
        assert!(poll(&mut accept, &waker).is_pending());
        assert!(poll(&mut closed, &waker).is_pending());
        make_end(end, &one);
        settle_end(end, &world);
        assert!(count.count() >= 1, "{end:?}");
        assert!(matches!(poll(&mut open, &waker), Poll::Ready(Err(_))), "{end:?}");
        if matches!(end, End::GoAway) {
            // The session goes on until the transport ends.
            one.from_peer.cut();
        }
        world.settle();
        assert!(matches!(poll(&mut accept, &waker), Poll::Ready(Err(_))), "{end:?}");
        world.block_on(closed);
    }
}

#[test]
fn s93_reader_and_writer_in_two_tasks_never_miss_each_other() {
    let world = World::new();
    let pair = connected(&world, 4096, &Config::default());
    let size = 3 * 256 * 1024;
    world.block_on(async {
        let stream = pair.client.open().await.unwrap();
        let server = pair.server.clone();
        world.spawn(async move {
            let stream = server.accept().await.unwrap();
            let (mut send, mut recv) = stream.into_split();
            let write = async {
                send.write_all(&vec![2; size]).await.unwrap();
                send.close().await.unwrap();
            };
            let read = async {
                let mut bytes = Vec::new();
                recv.read_to_end(&mut bytes).await.unwrap();
                assert_eq!(bytes.len(), size);
            };
            join!(write, read);
        });
        let (mut send, mut recv) = stream.into_split();
        world.spawn(async move {
            send.write_all(&vec![1; size]).await.unwrap();
            send.close().await.unwrap();
        });
        let mut bytes = Vec::new();
        recv.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), size);
    });
}

#[test]
fn s93_a_cancelled_write_does_not_take_the_readers_wake_up() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(&vec![0; 256 * 1024 + 16 * 1024])).unwrap();
    let (mut send, mut recv) = stream.into_split();
    let (reads, reader) = counter();
    {
        let mut write = pin!(send.write_all(b"more"));
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(poll(&mut recv.read_chunk(9), &reader).is_pending());
    }
    one.from_peer.inject(b"\0\0\x02\x10\0\0\0\x03hi");
    world.settle();
    assert_eq!(reads.count(), 1);
    let chunk = poll(&mut recv.read_chunk(9), &reader);
    assert!(matches!(chunk, Poll::Ready(Ok(Some(chunk))) if chunk == "hi"));
}

#[test]
fn f53_b23_the_last_waker_counts() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(b"\0\0\0\x12\0\0\0\x03");
    let mut stream = world.block_on(one.session.accept()).unwrap();
    let (old, first) = counter();
    let (new, second) = counter();
    assert!(poll(&mut stream.read_chunk(9), &first).is_pending());
    assert!(poll(&mut stream.read_chunk(9), &second).is_pending());
    one.from_peer.inject(b"\0\0\x02\x10\0\0\0\x03hi");
    world.settle();
    assert_eq!((old.count(), new.count()), (0, 1));
}

#[test]
fn s86_a_stream_that_is_not_read_stalls_nobody() {
    let world = World::new();
    let pair = connected(&world, 64 * 1024, &Config::default());
    world.block_on(async {
        let mut stuck = pair.client.open().await.unwrap();
        let mut blocked = pin!(stuck.write_all(&[0; 1 << 20]));
        assert!(blocked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let _never_read = pair.server.accept().await.unwrap();
        for _ in 0..20 {
            let echo = async {
                let mut stream = pair.server.accept().await.unwrap();
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                stream.close().await.unwrap();
            };
            let ask = async {
                let mut stream = pair.client.open().await.unwrap();
                stream.write_all(&[5; 100_000]).await.unwrap();
                stream.close().await.unwrap();
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.unwrap();
                assert_eq!(answer, [5; 100_000]);
            };
            join!(echo, ask);
        }
        assert!(blocked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
}

#[test]
fn s29_b05_streams_that_are_not_accepted_stall_nobody() {
    let world = World::new();
    let config = Config::builder().accept_backlog(1).build().unwrap();
    let pair = connected(&world, 64 * 1024, &config);
    world.block_on(async {
        let mut first = pair.client.open().await.unwrap();
        first.write_all(b"first").await.unwrap();
        let mut accepted = pair.server.accept().await.unwrap();
        let mut queued = pair.client.open().await.unwrap();
        queued.write_all(b"queued").await.unwrap();
        let mut refused = pair.client.open().await.unwrap();
        refused.write_all(b"refused").await.unwrap();
        let error = refused.read_chunk(9).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::ACCEPT_QUEUE_FULL));
        assert_eq!(error.retry(), muxado_core::Retry::NotProcessed);
        let mut bytes = [0; 5];
        accepted.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"first");
        let mut late = pair.server.accept().await.unwrap();
        assert_eq!(late.read_chunk(9).await.unwrap().unwrap(), "queued");
    });
}

#[test]
fn s87_a_write_without_credit_can_be_cancelled_and_dropped() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(&vec![1; 256 * 1024])).unwrap();
    world.settle();
    assert_eq!(one.to_peer.take().len(), 256 * 1024 + 16 * 8);
    world.block_on(stream.write_all(&[2; 16 * 1024])).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(Pin::new(&mut stream).poll_write(&mut cx, b"no room").is_pending());
    }
    // One WNDINC: exactly what was accepted goes out, and nothing of the cancelled writes.
    one.from_peer.inject(b"\0\0\x04\x20\0\0\0\x03\0\0\x80\0");
    world.settle();
    assert_eq!(one.to_peer.take().len(), 16 * 1024 + 8);
    drop(stream);
    world.settle();
    assert_eq!(one.to_peer.take(), b"\0\0\x04\0\0\0\0\x03\0\0\0\x06");
}

#[test]
fn s88_dropping_frees_a_peer_that_waits_for_credit() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.flush().await.unwrap();
        ours.close().await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        let write = async {
            let error = theirs.write_all(&vec![0; 1 << 20]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        };
        let walk_away = async {
            // Its window is spent by then.
            world.sleep(std::time::Duration::from_secs(1)).await;
            drop(ours);
        };
        join!(write, walk_away);
    });
}

#[test]
fn s92_two_sides_that_write_before_they_read_both_finish() {
    for capacity in [9, 4096] {
        let world = World::new();
        let config = Config::default();
        let pair = connected(&world, capacity, &config);
        world.block_on(async {
            let mut a = pair.client.open().await.unwrap();
            a.flush().await.unwrap();
            let mut b = pair.server.accept().await.unwrap();
            let exchange = async |stream: &mut Stream| {
                stream.write_all(&[1; 256 * 1024]).await.unwrap();
                stream.close().await.unwrap();
                let mut bytes = 0;
                while let Some(chunk) = stream.read_chunk(usize::MAX).await.unwrap() {
                    bytes += chunk.len();
                }
                bytes
            };
            assert_eq!(join!(exchange(&mut a), exchange(&mut b)), (256 * 1024, 256 * 1024));
        });
    }
}

#[test]
fn s94_a_transport_that_lies_ends_the_session_and_nothing_else() {
    for lie in 0..3 {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        world.block_on(async {
            let mut stream = one.session.open().await.unwrap();
            match lie {
                0 => one.to_peer.set(|mood| mood.boasts = true),
                1 => one.to_peer.set(|mood| mood.writes_nothing = true),
                _ => {
                    one.from_peer.set(|mood| mood.boasts = true);
                    one.from_peer.inject(b"x");
                }
            }
            let _ = stream.write_all(b"x").await;
            let end = one.session.closed().await;
            assert_eq!(end.initiator(), muxado_core::Initiator::Transport, "{end}");
        });
        assert!(world.polls() < 100, "{} polls", world.polls());
    }
}

#[test]
fn s94_interrupted_calls_are_tried_again() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::Interrupted));
        stream.write_all(b"x").await.unwrap();
        world.settle();
        assert_eq!(one.to_peer.take(), b"\0\0\x01\x12\0\0\0\x03x");
        one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::Interrupted));
        one.from_peer.inject(b"\0\0\x01\x10\0\0\0\x03y");
        assert_eq!(stream.read_chunk(9).await.unwrap().unwrap(), "y");
    });
}

#[test]
fn an_idle_session_is_not_polled() {
    let world = World::new();
    let pair = connected(&world, 4096, &Config::default());
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        assert_eq!(theirs.read_chunk(9).await.unwrap().unwrap(), "x");
        world.sleep(std::time::Duration::from_secs(1)).await;
        let polls = world.polls();
        world.sleep(std::time::Duration::from_secs(100)).await;
        assert!(world.polls() - polls <= 2, "{} polls for nothing", world.polls() - polls);
    });
}

/// 1. The transport takes a part of what is to be sent. 2. It takes the rest, and nothing else happens: the driver sleeps.
/// 3. The application writes: the driver must not think that it still waits for the transport.
#[test]
fn a_transport_that_was_full_and_is_not_any_more_leaves_nobody_asleep() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.capacity = 20);
    let mut stream = world.block_on(one.session.open()).unwrap();
    for message in [&b"a first message"[..], b"a second one", b"and the last"] {
        stream.write_all(message).now_or_never().expect("there is room").unwrap();
        let mut sent = Vec::new();
        while sent.len() < 8 + message.len() {
            world.settle();
            let more = one.to_peer.take();
            assert!(!more.is_empty(), "{} bytes of {message:?} are missing", 8 + message.len() - sent.len());
            sent.extend(more);
        }
        assert!(sent.ends_with(message));
    }
}
