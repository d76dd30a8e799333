//! Code that is not ours runs where it can do no harm: wakers and the owners of `Bytes` may call back into the session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use muxado_core::{Bytes, Config, ErrorCode, Session, Side};
use muxado_testkit::{World, alone};

/// Bytes whose owner looks at the session when they are dropped. Under the session's lock that would hang.
struct Nosy {
    bytes: Vec<u8>,
    session: Session,
    dropped: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Nosy {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        let _ = self.session.stats();
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// How the queued bytes come to be dropped.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Sent,
    Reset,
    ResetByPeer,
    Close,
    TransportLost,
}

#[test]
fn f51_the_owner_of_bytes_may_call_the_session_when_they_are_dropped() {
    for fate in [Fate::Sent, Fate::Reset, Fate::ResetByPeer, Fate::Close, Fate::TransportLost] {
        for len in [10, 100_000] {
            let world = World::new();
            let one = alone(&world, Side::Client, &Config::default());
            let dropped = Arc::new(AtomicUsize::new(0));
            world.block_on(async {
                let mut stream = one.session.open().await.unwrap();
                stream.write_chunk(Bytes::from_static(b"SYN")).await.unwrap();
                world.settle();
                if !matches!(fate, Fate::Sent) {
                    one.to_peer.set(|mood| mood.stuck = true);
                    // This one is in the batch by then, so that the next stays in the queue.
                    stream.write_chunk(Bytes::from_static(b"stuck")).await.unwrap();
                    world.settle();
                }
                let owner =
                    Nosy { bytes: vec![7; len], session: one.session.clone(), dropped: dropped.clone() };
                stream.write_chunk(Bytes::from_owner(owner)).await.unwrap();
                match fate {
                    Fate::Sent => {}
                    Fate::Reset => stream.reset(ErrorCode::STREAM_CANCELLED).unwrap(),
                    Fate::ResetByPeer => one.from_peer.inject(b"\0\0\x04\0\0\0\0\x03\0\0\0\x07"),
                    Fate::Close => drop(one.session.close(ErrorCode::NO_ERROR, "")),
                    Fate::TransportLost => one.from_peer.cut(),
                }
                world.settle();
            });
            assert_eq!(dropped.load(Ordering::SeqCst), 1, "{fate:?}, {len} bytes");
        }
    }
}

/// A waker that looks at the session when it is woken, and when it is dropped.
struct NosyWaker(Session);

impl Wake for NosyWaker {
    fn wake(self: Arc<Self>) {
        let _ = self.0.stats();
    }
}

impl Drop for NosyWaker {
    fn drop(&mut self) {
        let _ = self.0.stats();
    }
}

#[test]
fn f51_f52_wakers_may_call_the_session_when_they_are_woken_or_dropped() {
    let world = World::new();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    let nosy = || Waker::from(Arc::new(NosyWaker(one.session.clone())));
    let mut stream = world.block_on(one.session.open()).unwrap();
    let read = |stream: &mut muxado_core::Stream| {
        let waker = nosy();
        let mut read = stream.read_chunk(9);
        assert!(Pin::new(&mut read).poll(&mut Context::from_waker(&waker)).is_pending());
    };
    let poll_all = || {
        let waker = nosy();
        let mut cx = Context::from_waker(&waker);
        let (mut open, mut accept, mut closed) =
            (one.session.open(), one.session.accept(), one.session.closed());
        assert!(Pin::new(&mut open).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut accept).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut closed).poll(&mut cx).is_pending());
        (open, accept, closed)
    };
    // Registered and replaced; registered and given up; registered and woken.
    read(&mut stream);
    read(&mut stream);
    drop(poll_all());
    let (mut open, accept, closed) = poll_all();
    let waker = nosy();
    assert!(Pin::new(&mut open).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    one.from_peer.cut();
    world.settle();
    drop((open, accept, closed, stream));
    world.settle();
}

#[test]
fn f50_a_waker_that_panics_costs_nobody_else_a_wake_up() {
    struct Bang;
    impl Wake for Bang {
        fn wake(self: Arc<Self>) {
            panic!("bang");
        }
    }
    #[derive(Default)]
    struct Told(AtomicUsize);
    impl Wake for Told {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut streams: Vec<_> = (0..4).map(|_| one.session.try_open().unwrap()).collect();
    let told = Arc::new(Told::default());
    let waker = Waker::from(told.clone());
    let bang = Waker::from(Arc::new(Bang));
    for (number, stream) in streams.iter_mut().enumerate() {
        let waker = if number == 1 { &bang } else { &waker };
        assert!(Pin::new(&mut stream.read_chunk(9)).poll(&mut Context::from_waker(waker)).is_pending());
    }
    let close = std::panic::AssertUnwindSafe(|| drop(one.session.close(ErrorCode::NO_ERROR, "")));
    assert!(std::panic::catch_unwind(close).is_err());
    assert_eq!(told.0.load(Ordering::SeqCst), 3);
}
