//! Who owns what when something breaks: transports and drivers that panic, leak, end or are dropped at any moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncWrite, AsyncWriteExt};
use muxado_core::{Bytes, Config, EndCause, ErrorCode, Session, SessionEnd, Side, Stream};
use muxado_testkit::{World, alone, counter, pipe, poll, wire};

use crate::trap::{Axe, Call, Trap, Trigger, run};

/// Asserts that everything on the session and the stream is over, and says why.
fn over(session: &Session, stream: &mut Stream) -> SessionEnd {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(poll(&mut stream.read_chunk(9), Waker::noop()), Poll::Ready(Err(_))));
    assert!(matches!(Pin::new(stream).poll_write(&mut cx, b"x"), Poll::Ready(Err(_))));
    assert!(matches!(poll(&mut session.open(), Waker::noop()), Poll::Ready(Err(_))));
    assert!(matches!(poll(&mut session.accept(), Waker::noop()), Poll::Ready(Err(_))));
    assert!(session.try_open().is_err());
    let Poll::Ready(end) = poll(&mut session.closed(), Waker::noop()) else { panic!("not closed") };
    for _ in 0..2 {
        assert!(poll(&mut session.close(ErrorCode::NO_ERROR, ""), Waker::noop()).is_ready());
        assert!(poll(&mut session.drain(Duration::MAX), Waker::noop()).is_ready());
        session.go_away();
    }
    assert_eq!(session.audit(), Ok(()));
    end
}

/// F13: each call of the transport panics, whichever it is of its kind, through both kinds of halves.
#[test]
fn f13_a_transport_that_panics_ends_its_session_and_everybody_is_told() {
    for call in [Call::Read, Call::Write, Call::Flush, Call::Close] {
        for good in 0..6 {
            for shared in [false, true] {
                let world = World::new();
                let (near, far) = pipe(16);
                let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
                to_peer.set(|mood| mood.budget = Some(1 << 20));
                let (axe, trigger) = (Axe::default(), Trigger::default());
                trigger.arm(good);
                let config = Config::default();
                let session = if shared {
                    let (session, driver) =
                        Session::client(Trap::new(near, call, &trigger), &config, world.clone());
                    run(&world, driver, &axe);
                    session
                } else {
                    let read = Trap::new(near.read, call, &trigger);
                    let write = Trap::new(near.write, call, &trigger);
                    let (session, driver) =
                        Session::from_halves(Side::Client, read, write, &config, world.clone());
                    run(&world, driver, &axe);
                    session
                };
                let mut stream = session.try_open().unwrap();
                for _ in 0..4 {
                    let _ = world.block_on(stream.write_all(b"some bytes"));
                    world.settle();
                    drop(to_peer.take());
                    world.settle();
                    from_peer.inject(&wire::data(3, b"x"));
                    world.settle();
                    drop(to_peer.take());
                    while let Poll::Ready(Ok(Some(_))) = poll(&mut stream.read_chunk(9), Waker::noop()) {}
                    world.settle();
                }
                if call == Call::Close {
                    drop(session.close(ErrorCode::NO_ERROR, ""));
                    world.settle();
                } else {
                    from_peer.cut();
                }
                world.settle();
                drop(to_peer.take());
                world.block_on(session.closed());
                let end = over(&session, &mut stream);
                if call != Call::Close && good < 3 {
                    assert!(matches!(end.cause(), EndCause::DriverDropped), "{call:?} {good}: {end}");
                }
                assert_eq!(world.tasks(), 0);
            }
        }
    }
}

#[test]
fn f56_a_transport_that_panics_when_it_is_dropped_keeps_nobody_waiting() {
    for ended in [false, true] {
        let world = World::new();
        let (near, far) = pipe(1000);
        let trigger = Trigger::default();
        let read = Trap::new(near.read, Call::Drop, &trigger);
        let (session, mut driver) =
            Session::from_halves(Side::Client, read, near.write, &Config::default(), world.clone());
        let mut stream = session.try_open().unwrap();
        let (told, waker) = counter();
        let mut closed = session.closed();
        assert!(poll(&mut stream.read_chunk(9), &waker).is_pending());
        assert!(poll(&mut closed, &waker).is_pending());
        if ended {
            far.write.lane().cut();
            assert!(poll(&mut driver, Waker::noop()).is_ready());
        }
        trigger.arm(0);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(driver))).is_err());
        assert_eq!(told.count(), 2);
        over(&session, &mut stream);
        assert!(far.read.lane().is_closed(), "the other half is dropped too");
    }
}

/// Bytes whose owner panics when they are dropped, once.
struct Booby(AtomicUsize);

impl AsRef<[u8]> for Booby {
    fn as_ref(&self) -> &[u8] {
        &[7; 100_000]
    }
}

impl Drop for Booby {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.0.fetch_add(1, Ordering::SeqCst) > 0, "the owner panics");
    }
}

#[test]
fn f50_f55_an_owner_of_bytes_that_panics_keeps_nobody_waiting() {
    for how in ["driver", "close", "reset", "drop"] {
        for in_batch in [false, true] {
            let world = World::new();
            let (near, far) = pipe(1000);
            far.read.lane().set(|mood| mood.stuck = true);
            let (session, driver) =
                Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
            let mut driver = driver.vectored(true);
            let mut stream = session.try_open().unwrap();
            let mut bytes = Bytes::from_owner(Booby(AtomicUsize::new(0)));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(stream.poll_write_chunk(&mut cx, &mut bytes).is_ready());
            assert!(bytes.is_empty());
            drop(bytes);
            if in_batch {
                assert!(poll(&mut driver, Waker::noop()).is_pending());
            }
            let (told, waker) = counter();
            let mut closed = session.closed();
            assert!(poll(&mut stream.read_chunk(9), &waker).is_pending());
            assert!(poll(&mut closed, &waker).is_pending());
            let mut held = Some(stream);
            let caught = catch_unwind(AssertUnwindSafe(|| match how {
                "close" => drop(session.close(ErrorCode::NO_ERROR, "")),
                "reset" => _ = held.as_mut().unwrap().reset(ErrorCode::STREAM_CANCELLED),
                "drop" => drop(held.take()),
                _ => {}
            }));
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(driver)));
            assert!(caught.is_err() || dropped.is_err(), "{how}, in the batch: {in_batch}");
            assert_eq!(told.count(), if how == "drop" { 1 } else { 2 }, "{how}, in the batch: {in_batch}");
            assert!(poll(&mut closed, &waker).is_ready());
            assert_eq!(session.audit(), Ok(()));
        }
    }
}

/// F40: the driver is dropped after every number of its polls, one exchange long; never polled; polled when it is over.
#[test]
fn f40_a_driver_dropped_after_every_poll() {
    let mut most = 0;
    for polls in 0.. {
        let world = World::new();
        let (near, far) = pipe(20);
        let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
        from_peer.set(|mood| (mood.read_max, mood.hesitates) = (5, true));
        let (session, mut driver) =
            Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
        let mut stream = session.try_open().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_write(&mut cx, &[1; 50]).is_ready());
        let answer = [wire::data(3, b"answer"), wire::go_away(3, 0, b"bye")].concat();
        from_peer.inject(&answer);
        let mut sent = Vec::new();
        let mut over_at = None;
        for poll_number in 0..polls {
            if poll(&mut driver, Waker::noop()).is_ready() {
                over_at = Some(poll_number);
                break;
            }
            sent.extend(to_peer.take());
            if poll_number == 10 {
                from_peer.cut();
            }
        }
        let (told, waker) = counter();
        let mut closed = session.closed();
        let mut read = stream.read_chunk(99);
        let (reading, closing) = (poll(&mut read, &waker), poll(&mut closed, &waker));
        let waiting = usize::from(reading.is_pending()) + usize::from(closing.is_pending());
        if over_at.is_some() {
            // Polled again and again after its end.
            for _ in 0..3 {
                assert!(poll(&mut driver, Waker::noop()).is_ready());
            }
        }
        drop(driver);
        assert_eq!(told.count(), waiting, "dropped after {polls} polls");
        while let Poll::Ready(Ok(chunk)) = poll(&mut stream.read_chunk(99), Waker::noop()) {
            assert!(chunk.is_some(), "dropped after {polls} polls: a clean end");
        }
        over(&session, &mut stream);
        let whole = wire::syn(3, &[1; 50]);
        assert!(whole.starts_with(&sent) || sent.starts_with(&whole));
        if over_at.is_some() {
            most = polls;
            break;
        }
    }
    assert!(most > 5, "{most} polls are no exchange");
}

/// F43: a stream and futures that outlive everything else are errors, not dangling.
#[test]
fn f43_handles_outlive_session_and_driver() {
    let world = World::new();
    let (near, _far) = pipe(1000);
    let (session, driver) =
        Session::from_halves(Side::Server, near.read, near.write, &Config::default(), world.clone());
    let mut stream = session.try_open().unwrap();
    let (mut open, mut accept, mut closed) = (session.open(), session.accept(), session.closed());
    assert!(poll(&mut accept, Waker::noop()).is_pending());
    drop(session);
    drop(driver);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut stream).poll_write(&mut cx, b"x"), Poll::Ready(Err(_))));
    assert!(matches!(Pin::new(&mut stream).poll_flush(&mut cx), Poll::Ready(Ok(()))));
    assert!(matches!(poll(&mut open, Waker::noop()), Poll::Ready(Err(_))));
    assert!(matches!(poll(&mut accept, Waker::noop()), Poll::Ready(Err(_))));
    assert!(poll(&mut closed, Waker::noop()).is_ready());
    assert!(stream.reset(ErrorCode::STREAM_CANCELLED).is_ok());
    assert!(stream.refuse().is_err());
}

/// F48: what is leaked never comes back, and still the session can be closed and ends with its transport.
#[test]
fn f48_leaked_handles_do_not_keep_a_session_open() {
    for what in ["session", "stream", "halves", "accept", "open", "closed", "read"] {
        for close in [false, true] {
            let world = World::new();
            let one = alone(&world, Side::Client, &Config::default());
            let mut stream = one.session.try_open().unwrap();
            world.block_on(stream.write_all(b"hi")).unwrap();
            match what {
                "session" => std::mem::forget(one.session.clone()),
                "stream" => std::mem::forget(one.session.try_open()),
                "halves" => std::mem::forget(one.session.try_open().unwrap().into_split().0),
                "accept" => {
                    let mut accept = one.session.accept();
                    assert!(poll(&mut accept, Waker::noop()).is_pending());
                    std::mem::forget(accept);
                }
                "open" => std::mem::forget(one.session.open()),
                "closed" => {
                    let mut closed = one.session.closed();
                    assert!(poll(&mut closed, Waker::noop()).is_pending());
                    std::mem::forget(closed);
                }
                _ => assert!(poll(&mut stream.read_chunk(9), Waker::noop()).is_pending()),
            }
            match close {
                true => drop(one.session.close(ErrorCode::NO_ERROR, "")),
                false => one.from_peer.cut(),
            }
            world.block_on(one.session.closed());
            over(&one.session, &mut stream);
            assert_eq!(world.tasks(), 0, "{what}");
        }
    }
}

/// F49: the runtime goes away in the middle of a transfer: its tasks are dropped, and its timers never fire.
#[test]
fn f49_a_runtime_that_goes_away_takes_the_session_with_it() {
    for settled in [false, true] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = one.session.try_open().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_write(&mut cx, &[0; 50_000]).is_ready());
        if settled {
            world.settle();
        }
        let (told, waker) = counter();
        assert!(poll(&mut stream.read_chunk(9), &waker).is_pending());
        world.shut_down();
        assert_eq!(told.count(), 1);
        let end = over(&one.session, &mut stream);
        assert!(matches!(end.cause(), EndCause::DriverDropped));
    }
}

#[test]
fn f55_everything_held_may_be_dropped_by_a_panic() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&[wire::syn(3, b"question"), wire::syn(5, b"other")].concat());
    world.settle();
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _clone = one.session.clone();
        let mut held = world.block_on(one.session.accept()).unwrap();
        let (_send, _recv) = world.block_on(one.session.accept()).unwrap().into_split();
        let mut accept = one.session.accept();
        let mut closed = one.session.closed();
        assert!(poll(&mut accept, Waker::noop()).is_pending());
        assert!(poll(&mut closed, Waker::noop()).is_pending());
        world.block_on(held.write_all(b"half an ans")).unwrap();
        count.fetch_add(1, Ordering::SeqCst);
        panic!("the application");
    }));
    assert!(caught.is_err() && told.load(Ordering::SeqCst) == 1);
    world.settle();
    let sent = one.to_peer.take();
    assert_eq!(sent, [wire::rst(5, 6), wire::rst(3, 6)].concat());
    assert_eq!(one.session.stats().streams, 0);
    // And the session goes on.
    one.from_peer.inject(&wire::syn(7, b""));
    assert!(world.block_on(one.session.accept()).is_ok());
}
