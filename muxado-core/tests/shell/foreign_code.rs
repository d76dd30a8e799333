//! Code that is not ours runs where it can do no harm: wakers and the owners of `Bytes` may call back into the session.

use std::fmt::{self, Write};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{AsyncRead, AsyncWriteExt};
use muxado_core::{Bytes, Config, ErrorCode, Session, Side};
use muxado_testkit::{World, alone, connected, pipe, wire};

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

/// Looks at the session for each piece of text. Under the session's lock that would hang.
struct NosyWriter(Session, String);

impl Write for NosyWriter {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let _ = self.0.stats();
        self.1.push_str(piece);
        Ok(())
    }
}

#[test]
fn f51_who_prints_a_handle_may_call_the_session_and_sees_nobodys_payload() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    let (_other, stream) = world.block_on(async {
        let mut other = pair.client.open().await.unwrap();
        other.write_all("secret".repeat(1000).as_bytes()).await.unwrap();
        (other, pair.server.accept().await.unwrap())
    });
    let handles: [&dyn fmt::Debug; 5] = [
        &pair.server,
        &pair.server.observer(),
        &pair.server.accept(),
        &pair.server.closed(),
        &(&stream, stream.stopped()),
    ];
    // First without one who calls, so that payload shows as a failure and not as a test that hangs.
    let text = format!("{handles:?}");
    assert!(text.contains("Stopped") && !text.contains("secret"), "{text}");
    let mut writer = NosyWriter(pair.server.clone(), String::new());
    write!(writer, "{handles:?}").unwrap();
    assert_eq!(writer.1, text);
}

/// Gives what there is, then fails with an error whose owner looks at the session.
struct Failing(Vec<u8>, Option<io::Error>);

impl AsyncRead for Failing {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let given = std::mem::take(&mut self.0);
        if given.is_empty() {
            return self.1.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)));
        }
        buf[..given.len()].copy_from_slice(&given);
        Poll::Ready(Ok(given.len()))
    }
}

struct NosyError(Arc<OnceLock<Session>>, Arc<AtomicUsize>);

impl fmt::Debug for NosyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nosy")
    }
}

impl fmt::Display for NosyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nosy")
    }
}

impl std::error::Error for NosyError {}

impl Drop for NosyError {
    fn drop(&mut self) {
        if let Some(session) = self.0.get() {
            let _ = session.stats();
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn f51_the_error_of_a_transport_may_call_the_session_when_it_is_dropped() {
    // Why the session ends is known before its transport fails: by the peer's goodbye, or by a close of ours.
    for said in [wire::go_away(0, 0, b"bye"), Vec::new()] {
        let (world, (near, _far)) = (World::new(), pipe(1 << 20));
        let (place, dropped) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let closes = said.is_empty();
        let error = io::Error::other(NosyError(place.clone(), dropped.clone()));
        let read = Failing(said, Some(error));
        let (session, driver) =
            Session::from_halves(Side::Client, read, near.write, &Config::default(), world.clone());
        place.set(session.clone()).unwrap();
        if closes {
            drop(session.close(ErrorCode::NO_ERROR, ""));
        }
        assert!(world.block_on(driver).is_clean());
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "closed: {closes}");
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
