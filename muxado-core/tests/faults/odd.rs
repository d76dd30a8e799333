//! Calls that nobody should make, or not in this order (F47, F54): errors or nothing, never a panic or a wait for ever.

use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Bytes, Config, ErrorCode, ReadError, ResetError, Session, Side, Stream, WriteError};
use muxado_testkit::{World, alone, connected, pipe, poll, wire};

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn f60_futures_may_be_polled_again_after_they_were_ready() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&[wire::syn(3, b"hello"), wire::syn(5, b"")].concat());
    world.settle();
    let mut accept = one.session.accept();
    let Poll::Ready(Ok(mut stream)) = poll(&mut accept, Waker::noop()) else { panic!("no stream") };
    assert!(poll(&mut accept, Waker::noop()).is_ready(), "the next one");
    assert!(poll(&mut accept, Waker::noop()).is_pending());
    let mut open = one.session.open();
    let opened = (poll(&mut open, Waker::noop()), poll(&mut open, Waker::noop()));
    assert!(matches!(opened, (Poll::Ready(Ok(_)), Poll::Ready(Ok(_)))));
    drop((opened, accept, open));
    let mut read = stream.read_chunk(9);
    assert!(poll(&mut read, Waker::noop()).is_ready());
    assert!(poll(&mut read, Waker::noop()).is_pending());
    let mut write = stream.write_chunk(Bytes::from_static(b"once"));
    for _ in 0..3 {
        assert!(poll(&mut write, Waker::noop()).is_ready());
    }
    world.settle();
    let sent = one.to_peer.take();
    assert_eq!(sent.windows(4).filter(|window| window == b"once").count(), 1);
    one.from_peer.cut();
    let mut closed = one.session.closed();
    world.settle();
    assert!(poll(&mut closed, Waker::noop()).is_ready() && poll(&mut closed, Waker::noop()).is_ready());
}

/// What can be done with a stream, over and over, whatever state it is in.
fn use_all_of_it(stream: &mut Stream) {
    let mut cx = noop();
    let mut buffer = [0; 10];
    let slices = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"c")];
    let _ = Pin::new(&mut *stream).poll_read(&mut cx, &mut []);
    let _ = Pin::new(&mut *stream).poll_read(&mut cx, &mut buffer);
    let _ = stream.poll_read_chunk(&mut cx, 0);
    let _ = stream.poll_read_chunk(&mut cx, usize::MAX);
    let _ = Pin::new(&mut *stream).poll_write(&mut cx, b"");
    let _ = Pin::new(&mut *stream).poll_write(&mut cx, &[1; 5000]);
    let _ = Pin::new(&mut *stream).poll_write_vectored(&mut cx, &slices);
    let _ = Pin::new(&mut *stream).poll_write_vectored(&mut cx, &[]);
    let _ = stream.poll_write_chunk(&mut cx, &mut Bytes::new());
    let _ = stream.poll_write_chunk(&mut cx, &mut Bytes::from_static(b"chunk"));
    let _ = Pin::new(&mut *stream).poll_flush(&mut cx);
    for priority in [i8::MIN, 0, i8::MAX] {
        stream.set_priority(priority);
    }
    let _ = (stream.id(), stream.consumed());
    for code in [ErrorCode::NO_ERROR, ErrorCode::STREAM_REFUSED, ErrorCode::ACCEPT_QUEUE_FULL] {
        assert!(stream.reset(code).is_err(), "{code} must not be sent");
    }
}

/// Each way in which a stream ends, with everything done to it before, in between and afterwards.
#[test]
fn f54_s53_anything_may_be_asked_of_a_stream_in_any_state() {
    type Step = fn(&mut Stream, &muxado_testkit::Alone);
    let steps: [(&str, Step); 8] = [
        ("finish", |stream, _| _ = stream.finish()),
        ("close", |stream, _| _ = Pin::new(stream).poll_close(&mut noop())),
        ("reset", |stream, _| _ = stream.reset(ErrorCode::STREAM_CANCELLED)),
        ("stop", |stream, _| _ = stream.halves().1.stop(ErrorCode::UNKNOWN)),
        ("FIN", |_, one| one.from_peer.inject(&[wire::data(3, b"last"), wire::fin(3)].concat())),
        ("RST", |_, one| one.from_peer.inject(&wire::rst(3, 0))),
        ("session closed", |_, one| drop(one.session.close(ErrorCode::NO_ERROR, ""))),
        ("EOF", |_, one| one.from_peer.cut()),
    ];
    for (first, one_step) in steps {
        for (second, other_step) in steps {
            for busy in [false, true] {
                let world = World::new();
                let one = alone(&world, Side::Client, &Config::default());
                let mut stream = one.session.try_open().unwrap();
                world.block_on(stream.flush()).unwrap();
                world.settle();
                let mut ends = 0;
                for step in [one_step, other_step, other_step] {
                    if busy {
                        use_all_of_it(&mut stream);
                    }
                    step(&mut stream, &one);
                    world.settle();
                    use_all_of_it(&mut stream);
                    ends +=
                        usize::from(matches!(stream.poll_read_chunk(&mut noop(), 9), Poll::Ready(Ok(None))));
                }
                let finned = first == "FIN" || second == "FIN";
                assert!(ends == 0 || finned, "{first}, {second}: a clean end without FIN");
                drop(stream);
                world.settle();
                assert_eq!(one.session.audit(), Ok(()), "{first}, {second}");
                let streams = one.session.stats().streams;
                assert_eq!(streams, 0, "{first}, {second}, busy {busy}: it has not gone");
            }
        }
    }
}

#[test]
fn f54_writes_of_one_byte_and_of_more_than_two_gib() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    // Never touched beyond what is sent, so that it costs no memory.
    let huge = vec![0; (1 << 31) + 1];
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        for byte in 0..100 {
            assert_eq!(ours.write(&[byte]).await.unwrap(), 1);
        }
        let mut theirs = pair.server.accept().await.unwrap();
        let mut all = vec![0; 100];
        theirs.read_exact(&mut all).await.unwrap();
        assert!(all.iter().copied().eq(0..100));
        let slices = vec![IoSlice::new(&huge); 9];
        let Poll::Ready(Ok(wrote)) = Pin::new(&mut ours).poll_write(&mut noop(), &huge) else {
            panic!("no room")
        };
        let more = Pin::new(&mut ours).poll_write_vectored(&mut noop(), &slices);
        let Poll::Ready(Ok(more)) = more else { panic!("no room") };
        assert!(wrote + more <= 256 * 1024);
        theirs.read_exact(&mut vec![0; wrote + more]).await.unwrap();
        let mut huge = Bytes::from(huge);
        let whole = huge.len();
        let Poll::Ready(Ok(wrote)) = ours.poll_write_chunk(&mut noop(), &mut huge) else { panic!("no room") };
        assert!((1..=256 * 1024).contains(&wrote) && huge.len() == whole - wrote);
        theirs.read_exact(&mut vec![0; wrote]).await.unwrap();
    });
}

#[test]
fn f54_a_reader_whose_own_code_panics_has_read_what_it_was_given() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&[wire::syn(3, b"one"), wire::data(3, b"two")].concat());
    world.settle();
    let mut stream = world.block_on(one.session.accept()).unwrap();
    let (_, recv) = stream.halves();
    let mut seen = Vec::new();
    let read = catch_unwind(AssertUnwindSafe(|| {
        let _ = recv.poll_read_with(&mut noop(), 3, |piece| {
            seen.extend_from_slice(piece);
            panic!("the reader");
        });
    }));
    assert!(read.is_err() && seen == b"one");
    assert!(matches!(stream.poll_read_chunk(&mut noop(), 9), Poll::Ready(Ok(Some(chunk))) if chunk == "two"));
}

#[test]
fn s53_a_stream_can_be_refused_before_it_was_used_and_never_after() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&(3..13).step_by(2).flat_map(|id| wire::syn(id, b"x")).collect::<Vec<_>>());
    world.settle();
    let next = || world.block_on(one.session.accept()).unwrap();
    assert_eq!(next().refuse(), Ok(()));
    let mut read = next();
    assert!(read.poll_read_chunk(&mut noop(), 9).is_ready());
    assert_eq!(read.refuse(), Err(ResetError::AlreadyUsed));
    let mut written = next();
    assert!(Pin::new(&mut written).poll_write(&mut noop(), b"x").is_ready());
    assert_eq!(written.refuse(), Err(ResetError::AlreadyUsed));
    let mut reset = next();
    assert_eq!(reset.reset(ErrorCode::STREAM_CANCELLED), Ok(()));
    assert_eq!(reset.reset(ErrorCode::STREAM_CANCELLED), Ok(()));
    let _ = reset.refuse();
    assert_eq!(one.session.try_open().unwrap().refuse(), Err(ResetError::AlreadyUsed));
    drop(next());
    world.settle();
    assert_eq!(one.session.stats().streams, 0);
    assert_eq!(one.session.audit(), Ok(()));
}

#[test]
fn f54_after_its_end_a_stream_says_the_same_for_ever() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = one.session.try_open().unwrap();
    world.block_on(stream.close()).unwrap();
    world.settle();
    one.from_peer.inject(&wire::fin(3));
    world.settle();
    for _ in 0..5 {
        assert!(matches!(stream.poll_read_chunk(&mut noop(), 9), Poll::Ready(Ok(None))));
        assert!(matches!(
            stream.poll_write_chunk(&mut noop(), &mut Bytes::from_static(b"x")),
            Poll::Ready(Err(WriteError::Finished))
        ));
        assert_eq!(stream.finish(), Ok(()));
        assert_eq!(stream.reset(ErrorCode::STREAM_CANCELLED), Ok(()), "there is nothing left to reset");
    }
    world.settle();
    assert_eq!(one.to_peer.take(), [wire::syn(3, b""), wire::fin(3)].concat());
    let mut other = one.session.try_open().unwrap();
    world.block_on(other.write_all(b"x")).unwrap();
    world.settle();
    other.reset(ErrorCode::INTERNAL_ERROR).unwrap();
    for _ in 0..5 {
        assert!(matches!(other.poll_read_chunk(&mut noop(), 9), Poll::Ready(Err(ReadError::Reset(_)))));
        assert!(other.finish().is_err());
    }
}

/// Slices or one buffer: the driver may be told at any time, also with a batch under way.
#[test]
fn f40_a_driver_may_be_told_of_vectored_writes_at_any_time() {
    let world = World::new();
    let (near, far) = pipe(100);
    let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
    let (session, mut driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let mut stream = session.try_open().unwrap();
    let mut sent = Vec::new();
    for turn in 0..200_u8 {
        let _ = Pin::new(&mut stream).poll_write(&mut noop(), &[turn; 300]);
        from_peer.inject(&wire::wndinc(2, 1));
        driver = driver.vectored(turn % 2 == 0).vectored(turn % 3 == 0);
        assert!(poll(&mut driver, Waker::noop()).is_pending());
        sent.extend(to_peer.take());
    }
    stream.finish().unwrap();
    while poll(&mut driver, Waker::noop()).is_pending() {
        let more = to_peer.take();
        if more.is_empty() {
            break;
        }
        sent.extend(more);
    }
    // Whole frames, and their payload in order.
    let (frames, torn) = crate::recording::frames(&sent.into());
    assert!(torn.is_none());
    let payload: Vec<u8> =
        frames.iter().filter(|frame| frame.kind == 1).flat_map(|f| f.body.to_vec()).collect();
    assert!(payload.is_sorted() && payload.len() % 300 == 0 && payload.len() > 3000);
    assert!(frames.iter().any(|frame| frame.fin));
}

#[test]
fn f47_close_drain_and_go_away_in_any_order_and_number() {
    type End = fn(&Session) -> muxado_core::Closed;
    let ends: [End; 6] = [
        |session| session.close(ErrorCode::NO_ERROR, "a"),
        |session| session.close(ErrorCode::INTERNAL_ERROR, &"long ".repeat(1000)),
        |session| session.drain(Duration::ZERO),
        |session| session.drain(Duration::MAX),
        |session| {
            session.go_away();
            session.closed()
        },
        |session| session.clone().close(ErrorCode::new(u32::MAX), "\u{1F980}"),
    ];
    for first in ends {
        for second in ends {
            for early in [false, true] {
                let world = World::new();
                let config = Config::builder().peer_drains(early).build().unwrap();
                let pair = connected(&world, 100, &config);
                let mut stream = pair.client.try_open().unwrap();
                world.block_on(stream.write_all(b"bytes")).unwrap();
                let waits = async {
                    // From two tasks, one of which is a clone.
                    let (one, other) = (first(&pair.client), second(&pair.client.clone()));
                    world.sleep(Duration::from_secs(1)).await;
                    let _ = stream.close().await;
                    drop(stream);
                    // The peer answers whatever it was left with.
                    while let Ok(mut theirs) = pair.server.accept().await {
                        let _ = theirs.close().await;
                    }
                    join!(one, other, pair.server.closed())
                };
                let (one, other, theirs) = world.block_on(waits);
                assert_eq!(one, other, "the first cause counts for both");
                assert_eq!(one.text().len().min(257), one.text().len(), "256 bytes of text");
                let _ = theirs;
                assert_eq!(world.tasks(), 0);
                assert_eq!((pair.client.audit(), pair.server.audit()), (Ok(()), Ok(())));
            }
        }
    }
}
