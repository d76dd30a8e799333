//! Typed streams in virtual time, byte by byte and between two sessions.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::io::IoSlice;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, OpenError, Retry, Side, Stream, StreamId, WriteError, code_of};
use muxado_testkit::{Faced, Lane, Meanwhile, Sleep, World, alone, connected, counter, poll, wire};
use muxado_typed::{OpenTypedError, Queue, Router, StreamType, Typed, TypedStream};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn s90_w13_the_type_goes_out_in_one_frame_with_the_syn() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut stream = world.block_on(typed.open(0x0102_0304)).unwrap();
    assert_eq!(stream.stream_type().get(), 0x0102_0304);
    world.settle();
    assert_eq!(one.to_peer.take(), wire::syn(3, &[1, 2, 3, 4]));
    world.block_on(stream.write_all(b"x")).unwrap();
    world.settle();
    assert_eq!(one.to_peer.take(), wire::data(3, b"x"));
    let slices = [IoSlice::new(b"an"), IoSlice::new(b"other")];
    assert_eq!(world.block_on(stream.write_vectored(&slices)).unwrap(), 7);
    world.settle();
    assert_eq!(one.to_peer.take(), wire::data(3, b"another"));
}

#[test]
fn w13_a_session_that_would_split_the_type_opens_no_typed_stream() {
    let small = [
        Config::builder().max_frame(3),
        Config::builder().send_queue(3),
        Config::builder().window(3).window_agreed_out_of_band(),
    ];
    for config in small.map(|config| config.build().unwrap()) {
        let world = World::new();
        let one = alone(&world, Side::Client, &config);
        let typed = Typed::new(Faced::new(&one.session, &world));
        let error = world.block_on(typed.open(1)).unwrap_err();
        assert_eq!((error.clone(), error.retry()), (OpenTypedError::WouldSplit, Retry::NotProcessed));
        world.settle();
        assert_eq!((one.to_peer.take(), one.session.stats().streams), (Vec::new(), 0));
    }
}

#[test]
fn what_the_error_inside_says_is_found() {
    for open in [OpenError::Busy, OpenError::Draining] {
        assert_eq!(Retry::of(&OpenTypedError::Open(open)), Retry::NotProcessed);
    }
    let finished = OpenTypedError::Write(WriteError::Finished);
    assert_eq!((Retry::of(&finished), code_of(&finished)), (Retry::Unknown, Some(ErrorCode::STREAM_CLOSED)));
    assert_eq!(Retry::of(&OpenTypedError::WouldSplit), Retry::Unknown);
}

#[test]
fn s90_a_type_in_pieces_is_put_together() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut accept = pin!(typed.accept());
    assert!(poll(&mut accept, Waker::noop()).is_pending());
    for piece in [&b"\x11"[..], b"\0\0", b"\x07and more"] {
        let first = piece == b"\x11";
        one.from_peer.inject(&if first { wire::syn(3, piece) } else { wire::data(3, piece) });
        world.settle();
    }
    let mut stream = world.block_on(accept).unwrap();
    assert_eq!(stream.stream_type(), StreamType::new(0x1100_0007));
    let mut more = [0; 8];
    world.block_on(stream.read_exact(&mut more)).unwrap();
    assert_eq!(&more, b"and more");
}

#[test]
fn s90_b28_whoever_does_not_say_a_type_holds_up_nobody_and_is_reset_after_ten_seconds() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    one.from_peer.inject(
        &[
            wire::syn(3, b""),
            wire::syn(5, b"\0\0\0"),
            wire::syn_fin(7, b"\0\0"),
            wire::syn(9, b""),
            wire::rst(9, 6),
            wire::syn(11, b"\0\0\0\x01fine"),
        ]
        .concat(),
    );
    let stream = world.block_on(typed.accept()).unwrap();
    assert_eq!((stream.stream_type().get(), world.elapsed()), (1, Duration::ZERO));
    world.settle();
    assert_eq!(one.to_peer.take(), wire::rst(7, 6), "one that ended without a type");
    let mut next = pin!(typed.accept());
    assert!(poll(&mut next, Waker::noop()).is_pending());
    world.block_on(async {
        futures_util::future::select(next, pin!(world.sleep(secs(10) + Duration::from_millis(1)))).await;
    });
    let sent = one.to_peer.take();
    // The three bytes of a type were read, and their credit came first.
    assert_eq!(sent, [wire::wndinc(5, 3), wire::rst(3, 6), wire::rst(5, 6)].concat());
}

#[test]
fn b28_one_more_than_may_wait_takes_the_place_of_the_oldest() {
    let world = World::new();
    let config = Config::builder().accept_backlog(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut accept = pin!(typed.accept());
    for id in [3, 5, 7, 9] {
        one.from_peer.inject(&wire::syn(id, b"\0"));
        world.settle();
        assert!(poll(&mut accept, Waker::noop()).is_pending());
    }
    world.settle();
    assert_eq!(one.to_peer.take(), [wire::rst(3, 6), wire::rst(5, 6)].concat());
    one.from_peer.inject(&wire::data(7, b"\0\0\x02"));
    assert_eq!(world.block_on(accept).unwrap().stream_type().get(), 2);
}

#[test]
fn an_accept_that_is_given_up_loses_no_stream_and_no_byte_of_a_type() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    one.from_peer.inject(&wire::syn(3, b"\0\0"));
    world.settle();
    for _ in 0..3 {
        assert!(poll(&mut pin!(typed.accept()), Waker::noop()).is_pending());
    }
    let (mut first, mut second) = (Box::pin(typed.accept()), Box::pin(typed.accept()));
    assert!(poll(&mut first, Waker::noop()).is_pending());
    assert!(poll(&mut second, Waker::noop()).is_pending());
    drop(first);
    one.from_peer.inject(&wire::data(3, b"\x01\x02"));
    assert_eq!(world.block_on(second).unwrap().stream_type().get(), 0x102);
}

#[test]
fn an_accept_that_is_kept_and_not_polled_holds_up_no_other() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut kept: Vec<_> = (0..2).map(|_| Box::pin(typed.accept())).collect();
    assert!(kept.iter_mut().all(|accept| poll(accept, Waker::noop()).is_pending()));
    // The type comes at once, later, and with other streams.
    let two = [wire::syn(7, b"\0\0\0\x07"), wire::syn(9, b"\0\0\0\x09")].concat();
    let steps = [wire::syn(3, b"\0\0\0\x03"), wire::syn(5, b"\0\0"), wire::data(5, b"\0\x05"), two];
    let mut given = Vec::new();
    for step in steps {
        let (told, waker) = counter();
        let mut accept = Box::pin(typed.accept());
        assert!(poll(&mut accept, &waker).is_pending());
        one.from_peer.inject(&step);
        world.settle();
        assert!(told.count() > 0);
        while let Poll::Ready(stream) = poll(&mut accept, Waker::noop()) {
            given.push(stream.unwrap().stream_type().get());
            accept = Box::pin(typed.accept());
        }
    }
    assert_eq!(given, [3, 5, 7, 9]);
    one.from_peer.cut();
    world.settle();
    world.block_on(typed.accept()).unwrap_err();
}

#[test]
fn an_accept_that_is_given_up_leaves_the_session_to_others() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut given_up = [Box::pin(typed.accept()), Box::pin(typed.accept())].map(Some);
    for accept in given_up.iter_mut().flatten() {
        assert!(poll(accept, Waker::noop()).is_pending());
    }
    let (told, waker) = counter();
    let mut other = one.session.accept();
    assert!(poll(&mut other, &waker).is_pending());
    given_up[0] = None;
    one.from_peer.inject(&wire::syn(3, b"\0\0\0\x03"));
    world.settle();
    assert_eq!(told.count(), 0, "the one that is left has it");
    given_up[1] = None;
    assert!(told.count() == 1 && poll(&mut other, &waker).is_ready());
}

#[test]
fn streams_that_come_at_once_are_for_all_who_wait() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let wakers = [counter(), counter()];
    let mut waiting = [Box::pin(typed.accept()), Box::pin(typed.accept())];
    for (accept, (_, waker)) in waiting.iter_mut().zip(&wakers) {
        assert!(poll(accept, waker).is_pending());
    }
    one.from_peer.inject(&[wire::syn(3, b"\0\0\0\x03"), wire::syn(5, b"\0\0\0\x05")].concat());
    world.settle();
    for (accept, (told, waker)) in waiting.iter_mut().zip(&wakers).rev() {
        assert!(told.count() > 0);
        assert!(poll(accept, waker).is_ready());
    }
}

#[test]
fn who_comes_while_somebody_looks_is_told_when_that_is_over() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let runtime = Meanwhile::new(&world);
    let typed = Typed::new(Faced::new(&one.session, &runtime));
    let other = typed.clone();
    let mut late = Box::pin(async move { other.accept().await.unwrap().stream_type().get() });
    let (told, waker) = counter();
    let (tell, come) = std::sync::mpsc::channel();
    runtime.set(move || {
        assert!(poll(&mut late, &waker).is_pending());
        tell.send((late, waker)).unwrap();
    });
    // One that says nothing yet, so that nobody is told because of it.
    one.from_peer.inject(&wire::syn(3, b""));
    world.settle();
    assert!(poll(&mut Box::pin(typed.accept()), Waker::noop()).is_pending());
    let (mut late, waker) = come.try_recv().unwrap();
    assert_eq!(told.count(), 1);
    assert!(poll(&mut late, &waker).is_pending());
    one.from_peer.inject(&wire::data(3, b"\0\0\0\x03"));
    world.settle();
    assert_eq!((told.count(), poll(&mut late, &waker)), (2, Poll::Ready(3)));
}

#[test]
fn what_was_there_when_the_session_ended_is_given_first() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    one.from_peer.inject(&[wire::syn(3, b"\0\0"), wire::syn_fin(5, b"\0\0\0\x05")].concat());
    one.from_peer.cut();
    world.settle();
    assert_eq!(world.block_on(typed.accept()).unwrap().stream_type().get(), 5);
    world.block_on(typed.accept()).unwrap_err();
    assert_eq!(world.elapsed(), Duration::ZERO);
}

#[test]
fn a_stream_whose_type_nobody_wants_is_refused_and_safe_to_retry() {
    let world = World::new();
    let pair = connected(&world, 1 << 16, &Config::default());
    let client = Typed::new(Faced::new(&pair.client, &world));
    let server = Typed::new(Faced::new(&pair.server, &world));
    world.block_on(async {
        let mut ours = client.open(77).await.unwrap();
        let theirs = server.accept().await.unwrap();
        theirs.into_inner().refuse_after_header().unwrap();
        let error = ours.get_mut().read_chunk(9).await.unwrap_err();
        assert_eq!(error.retry(), Retry::NotProcessed);
    });
}

/// All that the session had to accept was taken over with the first: the application takes longer for that than a type may.
#[test]
fn s90_a_type_that_came_in_time_counts_however_late_the_stream_is_accepted() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    one.from_peer.inject(
        &[wire::syn(3, b"\0\0\0\x03"), wire::syn(5, b"\0\0\0\x05more"), wire::syn(7, b"\0\0\0")].concat(),
    );
    assert_eq!(world.block_on(typed.accept()).unwrap().stream_type().get(), 3);
    world.block_on(world.sleep(secs(60)));
    let mut second = world.block_on(typed.accept()).unwrap();
    assert_eq!(second.stream_type().get(), 5);
    let mut more = [0; 4];
    world.block_on(second.read_exact(&mut more)).unwrap();
    assert_eq!(&more, b"more");
    drop(one.to_peer.take());
    assert!(poll(&mut pin!(typed.accept()), Waker::noop()).is_pending());
    world.settle();
    // The credit of what was read goes along.
    assert_eq!(one.to_peer.take(), [wire::rst(7, 6), wire::wndinc(5, 8)].concat());
}

#[test]
fn b28_a_stream_whose_type_has_come_gives_way_to_nobody() {
    let world = World::new();
    let config = Config::builder().accept_backlog(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let typed = Typed::new(Faced::new(&one.session, &world));
    let mut accept = Box::pin(typed.accept());
    one.from_peer.inject(&[wire::syn(3, b"\0\0\0"), wire::syn(5, b"\0\0\0")].concat());
    world.settle();
    assert!(poll(&mut accept, Waker::noop()).is_pending());
    one.from_peer.inject(&[wire::data(3, b"\x03"), wire::data(5, b"\x05")].concat());
    one.from_peer.inject(&[wire::syn(7, b"\0\0\0\x07"), wire::syn(9, b"\0\0\0\x09")].concat());
    world.settle();
    for stream_type in [3, 5, 7, 9] {
        assert_eq!(world.block_on(accept).unwrap().stream_type().get(), stream_type);
        accept = Box::pin(typed.accept());
    }
}

/// The session keeps the waker of whoever looks at a stream in vain: a look at them all would leave it there as often.
#[test]
fn b28_of_many_that_wait_for_their_type_only_those_that_say_something_are_looked_at() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    for id in 0..100 {
        one.from_peer.inject(&wire::syn(2 * id + 3, b"\0"));
    }
    world.settle();
    for id in [7, 201, 3] {
        let (told, waker) = counter();
        let mut accept = pin!(typed.accept());
        assert!(poll(&mut accept, &waker).is_pending());
        assert!(Arc::strong_count(&told) < 10, "{} looks", Arc::strong_count(&told));
        one.from_peer.inject(&wire::data(id, b"\0\0\x01"));
        world.settle();
        assert_eq!(told.count(), 1);
        let accepted = poll(&mut accept, &waker).map(|stream| stream.unwrap().get_ref().id());
        assert_eq!(accepted, Poll::Ready(StreamId::new(id)));
    }
}

#[test]
fn s90_those_that_wait_for_their_type_are_refused_when_nobody_waits_for_them_any_more() {
    for dropped in [true, false] {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        let typed = Typed::new(Faced::new(&one.session, &world));
        one.from_peer.inject(&[wire::syn(3, b""), wire::syn(5, b"\0\0\0")].concat());
        world.settle();
        assert!(poll(&mut pin!(typed.accept()), Waker::noop()).is_pending());
        let clone = typed.clone();
        drop(typed);
        world.settle();
        assert_eq!(one.to_peer.take(), b"", "a clone waits on");
        if dropped {
            drop(clone);
        } else {
            drop(clone.into_inner());
        }
        world.settle();
        assert_eq!(one.to_peer.take(), [wire::rst(3, 5), wire::rst(5, 5)].concat());
    }
}

/// A runtime on which the next stream is there whenever one was accepted.
#[derive(Clone)]
struct Flooded {
    world: World,
    from_peer: Lane,
    next: Arc<AtomicU32>,
    /// What each sends.
    says: &'static [u8],
}

impl Flooded {
    fn come(&self) {
        let id = self.next.fetch_add(2, Ordering::SeqCst);
        assert!(id < 1000, "it takes in whatever comes");
        self.from_peer.inject(&wire::syn(id, self.says));
        self.world.settle();
    }
}

impl Runtime for Flooded {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future);
    }

    fn now(&self) -> Instant {
        // Asked once for each.
        self.come();
        self.world.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.world.sleep(duration)
    }
}

#[test]
fn b28_streams_without_a_type_that_come_without_end_leave_others_their_turn() {
    let world = World::new();
    let config = Config::builder().accept_backlog(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let next = Arc::new(AtomicU32::new(3));
    let runtime = Flooded { world, from_peer: one.from_peer, next: next.clone(), says: b"" };
    runtime.come();
    let typed = Typed::new(Faced { session: one.session, runtime });
    let (told, waker) = counter();
    let mut accept = pin!(typed.accept());
    for polls in 1..=3 {
        assert!(poll(&mut accept, &waker).is_pending());
        assert_eq!(next.load(Ordering::SeqCst), 5 + 2 * 2 * polls, "two at a time");
        assert!(told.count() > 0, "it goes on");
    }
}

#[test]
fn streams_that_come_without_end_leave_who_accepts_them_other_work() {
    let world = World::new();
    let config = Config::builder().accept_backlog(2).build().unwrap();
    let one = alone(&world, Side::Server, &config);
    let next = Arc::new(AtomicU32::new(3));
    let says = b"\0\0\0\x01";
    let runtime = Flooded { world, from_peer: one.from_peer, next: next.clone(), says };
    runtime.come();
    let typed = Typed::new(Faced { session: one.session, runtime });
    let router = Router::new(typed).handle(1, 1, |_| async {});
    let (told, waker) = counter();
    let mut run = pin!(router.run());
    for _ in 0..3 {
        let before = (next.load(Ordering::SeqCst), told.count());
        assert!(poll(&mut run, &waker).is_pending());
        assert!(next.load(Ordering::SeqCst) > before.0 && told.count() > before.1, "it goes on");
    }
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    shared::<Typed<Faced>>();
    shared::<Router<Faced>>();
    shared::<Queue<Stream>>();
    shared::<TypedStream<Stream>>();
    shared::<StreamType>();
    shared::<OpenTypedError>();
    let _ = |typed: &Typed<Faced>, router: &Router<Faced>, queue: &Queue<Stream>| {
        sent((typed.open(1), typed.accept(), router.run(), queue.accept()));
    };
}

/// It may be about to accept again.
#[test]
fn s90_who_holds_a_session_and_has_stopped_accepting_holds_up_its_drain_for_as_long_as_may_be() {
    for lets_go in [true, false] {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        let typed = Typed::new(Faced::new(&one.session, &world));
        one.from_peer.inject(&wire::syn(3, b"no"));
        world.settle();
        assert!(poll(&mut pin!(typed.accept()), Waker::noop()).is_pending());
        let drained = one.session.drain(secs(20));
        world.block_on(world.sleep(secs(15)));
        assert!(one.session.end().is_none());
        drop(one.to_peer.take());
        let held = (!lets_go).then_some(typed);
        let end = world.block_on(drained);
        assert_eq!((end.is_clean(), end.cut().streams), (true, u64::from(!lets_go)));
        assert_eq!(one.to_peer.take().starts_with(&wire::rst(3, 5)), lets_go, "safe to retry");
        assert_eq!(world.elapsed().as_secs(), if lets_go { 15 } else { 20 });
        drop(held);
    }
}
