//! Wakers that panic or call back into the session (F50 to F53). A waker that panics when it is cloned cannot be made
//! without unsafe code; clones are made outside the lock, before anything has changed.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{AsyncRead, AsyncWrite, AsyncWriteExt};
use muxado_core::{Closed, Config, EndCause, ErrorCode, Session, Side, Stream};
use muxado_testkit::{Alone, World, alone, counter, pipe, poll, wire};

/// Panics when it is woken.
struct Bang;

impl Wake for Bang {
    fn wake(self: Arc<Self>) {
        panic!("bang");
    }
}

/// Panics when it is dropped, once.
struct Booby(Mutex<bool>);

impl Wake for Booby {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Booby {
    fn drop(&mut self) {
        if !std::thread::panicking() && !std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            panic!("booby");
        }
    }
}

fn bang() -> Waker {
    Waker::from(Arc::new(Bang))
}

fn booby() -> Waker {
    Waker::from(Arc::new(Booby(Mutex::new(false))))
}

/// What `act` gives, or none if it panicked.
fn caught<T>(act: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act)).ok()
}

fn read(
    stream: &mut Stream,
    waker: &Waker,
) -> Poll<Result<Option<muxado_core::Bytes>, muxado_core::ReadError>> {
    poll(&mut stream.read_chunk(9), waker)
}

#[test]
fn f50_wakers_that_panic_cost_nobody_else_a_wake_up() {
    let close: fn(&Session) = |session| drop(session.close(ErrorCode::NO_ERROR, ""));
    for bad in [vec![0], vec![5], vec![0, 1, 2], vec![0, 2, 4], vec![0, 1, 2, 3, 4, 5]] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut streams: Vec<Stream> = (0..6).map(|_| one.session.try_open().unwrap()).collect();
        let (told, good) = counter();
        for (number, stream) in streams.iter_mut().enumerate() {
            let waker = if bad.contains(&number) { bang() } else { good.clone() };
            assert!(read(stream, &waker).is_pending());
        }
        assert!(caught(|| close(&one.session)).is_none(), "the panic is not swallowed");
        assert_eq!(told.count(), 6 - bad.len(), "{bad:?}");
        world.settle();
        assert_eq!(one.session.audit(), Ok(()));
    }
}

/// The first in line was told of what it waited for, and gives up; telling the second panics. What it was is not lost in between.
#[test]
fn f50_a_panic_while_the_next_in_line_is_told_loses_no_stream() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    let (mut first, mut second) = (one.session.accept(), one.session.accept());
    assert!(poll(&mut first, Waker::noop()).is_pending());
    assert!(poll(&mut second, &bang()).is_pending());
    one.from_peer.inject(&wire::syn(2, b""));
    world.settle();
    assert!(caught(|| drop(first)).is_none());
    assert!(matches!(poll(&mut one.session.accept(), Waker::noop()), Poll::Ready(Ok(_))));

    let held = one.session.try_open().unwrap();
    let (mut first, mut second) = (one.session.open(), one.session.open());
    assert!(poll(&mut first, Waker::noop()).is_pending());
    assert!(poll(&mut second, &bang()).is_pending());
    drop(held);
    assert!(caught(|| drop(first)).is_none());
    assert!(one.session.try_open().is_ok(), "its place is free");
    assert_eq!(one.session.audit(), Ok(()));
}

#[test]
fn f50_a_waker_that_panics_when_it_is_dropped_takes_nothing_with_it() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let (told, good) = counter();
    let (mut first, mut second) = (one.session.accept(), one.session.accept());
    assert!(poll(&mut first, &good).is_pending());
    assert!(poll(&mut second, &booby()).is_pending());
    one.from_peer.inject(&wire::syn(3, b""));
    world.settle();

    // No longer needed: what the poll had got is reset, as any stream in a panic.
    assert!(caught(|| poll(&mut second, Waker::noop())).is_none());
    world.settle();
    assert_eq!(one.to_peer.take(), wire::rst(3, 6));
    one.from_peer.inject(&wire::syn(5, b""));
    world.settle();
    let Poll::Ready(Ok(mut stream)) = poll(&mut first, &good) else { panic!("no stream") };

    // Replaced: the poll panics, and the new waker counts.
    let waker = booby();
    assert!(read(&mut stream, &waker).is_pending());
    drop(waker);
    assert!(caught(|| read(&mut stream, &good)).is_none());
    one.from_peer.inject(&wire::data(5, b"hi"));
    world.settle();
    assert_eq!(told.count(), 2);
    assert!(matches!(read(&mut stream, &good), Poll::Ready(Ok(Some(chunk))) if chunk == "hi"));

    // Dropped with its stream: the stream is let go all the same.
    let waker = booby();
    assert!(read(&mut stream, &waker).is_pending());
    drop(waker);
    assert!(caught(|| drop(stream)).is_none());
    world.settle();
    assert_eq!(one.to_peer.take(), wire::rst(5, 6));
    assert_eq!(one.session.stats().streams, 0);
    assert_eq!(one.session.audit(), Ok(()));
}

#[test]
fn f50_f13_panics_on_both_sides_of_a_driver_do_not_abort() {
    let world = World::new();
    let (near, _far) = pipe(1000);
    let to_peer = near.write.lane();
    let (session, driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let mut streams: Vec<Stream> = (0..3).map(|_| session.try_open().unwrap()).collect();
    let (told, good) = counter();
    assert!(read(&mut streams[0], &bang()).is_pending());
    assert!(read(&mut streams[1], &bang()).is_pending());
    assert!(read(&mut streams[2], &good).is_pending());
    let (mut closed, mut other): (Closed, Closed) = (session.closed(), session.closed());
    assert!(poll(&mut closed, &bang()).is_pending());
    assert!(poll(&mut other, &good).is_pending());
    // The driver is dropped by the panic of whoever owns it.
    let owner = || {
        let _driver = driver;
        panic!("the task that owns the driver");
    };
    assert!(caught(owner).is_none());
    assert_eq!(told.count(), 2);
    let Poll::Ready(end) = poll(&mut closed, &good) else { panic!("the end is not known") };
    assert!(matches!(end.cause(), EndCause::DriverDropped));
    assert!(to_peer.is_closed());
}

/// A panic out of a poll of the driver leaves nobody knows what half done: the next poll ends the session.
#[test]
fn f50_a_driver_whose_poll_has_panicked_ends_its_session() {
    let world = World::new();
    let (near, far) = pipe(1000);
    let (session, mut driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let mut stream = session.try_open().unwrap();
    assert!(read(&mut stream, &bang()).is_pending());
    assert!(poll(&mut driver, Waker::noop()).is_pending());
    far.write.lane().inject(&[wire::data(3, b"one"), wire::data(3, b"two"), wire::fin(3)].concat());
    assert!(caught(|| poll(&mut driver, Waker::noop())).is_none());
    for _ in 0..3 {
        let Poll::Ready(end) = poll(&mut driver, Waker::noop()) else { panic!("it goes on") };
        assert!(matches!(end.cause(), EndCause::DriverDropped));
    }
    assert!(poll(&mut session.closed(), Waker::noop()).is_ready());
    assert_eq!(session.audit(), Ok(()));
}

/// What a waker does with the session and the stream it belongs to.
type Deed = fn(&Session, &Mutex<Option<Stream>>);

struct Meddler {
    session: Session,
    stream: Arc<Mutex<Option<Stream>>>,
    deed: Deed,
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        (self.deed)(&self.session, &self.stream);
    }
}

fn with(stream: &Mutex<Option<Stream>>, act: impl FnMut(&mut Stream)) {
    // Whoever wakes may hold it.
    if let Ok(mut stream) = stream.try_lock() {
        stream.as_mut().into_iter().for_each(act);
    }
}

const DEEDS: [(&str, Deed); 9] = [
    ("reads", |_, stream| with(stream, |stream| drop(read(stream, Waker::noop())))),
    ("writes", |_, stream| {
        with(stream, |stream| {
            drop(Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), &[1; 9000]));
        });
    }),
    ("resets", |_, stream| with(stream, |stream| _ = stream.reset(ErrorCode::STREAM_CANCELLED))),
    ("drops", |_, stream| drop(stream.try_lock().ok().and_then(|mut stream| stream.take()))),
    ("opens", |session, _| drop(session.try_open())),
    ("accepts", |session, _| drop(poll(&mut session.accept(), Waker::noop()))),
    ("drains", |session, _| drop(session.drain(std::time::Duration::ZERO))),
    ("closes", |session, _| drop(session.close(ErrorCode::INTERNAL_ERROR, "from a waker"))),
    ("clones", |session, _| drop((session.clone(), session.stats(), session.audit().unwrap()))),
];

/// What makes somebody be woken.
type Cause = fn(&Alone);

const CAUSES: [(&str, Cause); 7] = [
    ("data", |one| one.from_peer.inject(&wire::data(3, b"hi"))),
    ("credit", |one| one.from_peer.inject(&wire::wndinc(3, 100_000))),
    ("SYN", |one| one.from_peer.inject(&wire::syn(2, b""))),
    ("RST", |one| one.from_peer.inject(&wire::rst(3, 7))),
    ("GOAWAY", |one| one.from_peer.inject(&wire::go_away(0, 0, b""))),
    ("EOF", |one| one.from_peer.cut()),
    ("close", |one| drop(one.session.close(ErrorCode::NO_ERROR, ""))),
];

#[test]
fn f47_f51_wakers_may_do_anything_with_the_session_when_they_are_woken() {
    for (what, deed) in DEEDS {
        for (why, cause) in CAUSES {
            let world = World::new();
            let config = Config::builder().max_outbound_streams(1).build().unwrap();
            let one = alone(&world, Side::Client, &config);
            let mut stream = world.block_on(one.session.open()).unwrap();
            let fill = 256 * 1024 + 16 * 1024;
            world.block_on(stream.write_all(&vec![0; fill])).unwrap();
            world.settle();
            let stream = Arc::new(Mutex::new(Some(stream)));
            let meddler = Meddler { session: one.session.clone(), stream: stream.clone(), deed };
            let waker = Waker::from(Arc::new(meddler));
            let mut cx = Context::from_waker(&waker);
            {
                let mut held = stream.lock().unwrap();
                let stream = held.as_mut().unwrap();
                assert!(Pin::new(&mut *stream).poll_read(&mut cx, &mut [0; 9]).is_pending());
                assert!(Pin::new(&mut *stream).poll_write(&mut cx, b"more").is_pending());
            }
            let (mut open, mut accept, mut closed) =
                (one.session.open(), one.session.accept(), one.session.closed());
            let waiting = (poll(&mut open, &waker), poll(&mut accept, &waker), poll(&mut closed, &waker));
            assert!(matches!(waiting, (Poll::Pending, Poll::Pending, Poll::Pending)));
            cause(&one);
            world.settle();
            assert_eq!(one.session.audit(), Ok(()), "{what} at {why}");
            // And it can still be ended, with everybody told.
            one.from_peer.cut();
            world.settle();
            drop(waker);
            let left = stream.lock().unwrap().take();
            if let Some(mut stream) = left {
                let last = loop {
                    match read(&mut stream, Waker::noop()) {
                        Poll::Ready(Ok(Some(_))) => {}
                        last => break last,
                    }
                };
                assert!(matches!(last, Poll::Ready(Err(_))), "{what} at {why}: {last:?}");
            }
            assert!(poll(&mut closed, Waker::noop()).is_ready(), "{what} at {why}");
            assert!(world.polls() < 100, "{what} at {why}: {} polls", world.polls());
        }
    }
}

#[test]
fn f53_of_two_wakers_in_turn_the_last_is_woken_and_the_other_let_go() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(&vec![0; 256 * 1024 + 16 * 1024])).unwrap();
    let (mut send, mut recv) = stream.into_split();
    let mut open = one.session.open();
    let mut accept = one.session.accept();
    let mut closed = one.session.closed();
    let mut wait = |waker: &Waker| {
        let mut cx = Context::from_waker(waker);
        assert!(Pin::new(&mut recv).poll_read(&mut cx, &mut [0; 9]).is_pending());
        assert!(Pin::new(&mut send).poll_write(&mut cx, b"x").is_pending());
        assert!(Pin::new(&mut open).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut accept).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut closed).poll(&mut cx).is_pending());
    };
    let ((old, first), (new, second)) = (counter(), counter());
    for _ in 0..10 {
        wait(&first);
        wait(&second);
    }
    drop(first);
    assert_eq!(Arc::strong_count(&old), 1, "nothing of the session holds the old one");
    one.from_peer.cut();
    world.settle();
    assert_eq!((old.count(), new.count()), (0, 5), "each of the five is told once");
}

/// A new deadline is news for the driver, whose waker panics. Whoever reads is told all the same.
#[test]
fn f50_a_driver_with_a_bad_waker_costs_no_reader_the_news_of_a_deadline() {
    let world = World::new();
    let (near, _far) = pipe(1000);
    let (session, mut driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let mut stream = session.try_open().unwrap();
    let (told, good) = counter();
    assert!(read(&mut stream, &good).is_pending());
    assert!(poll(&mut driver, &bang()).is_pending());
    assert!(caught(|| stream.set_read_deadline(Some(std::time::Instant::now()))).is_none());
    assert_eq!(told.count(), 1);
    // The transport lets go of the bad one.
    assert!(poll(&mut driver, Waker::noop()).is_pending());
}
