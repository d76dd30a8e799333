//! Small messages of many streams share a write; those of few streams wait for nobody.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncRead, AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side, Stream};
use muxado_testkit::{World, alone, counter, pipe, poll, wire};

/// Writes of the transport for 100 messages, each on the next of `streams` streams, where the driver has a turn after each
/// message, as with a runtime that runs first what was woken last.
fn writes_for(streams: usize) -> u64 {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut open: Vec<_> = world.block_on(async {
        let mut open = Vec::new();
        for _ in 0..streams {
            open.push(one.session.open().await.unwrap());
        }
        open
    });
    world.settle();
    let before = one.to_peer.write_calls();
    for message in 0..100 {
        let written = open[message % streams].write_all(b"message").now_or_never();
        written.expect("there is room").unwrap();
        world.turn();
    }
    world.settle();
    assert_eq!(one.to_peer.take().len(), 100 * 15);
    one.to_peer.write_calls() - before
}

/// The same for streams of which each is opened, used and let go before the next.
fn writes_one_by_one() -> u64 {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    for _ in 0..100 {
        let mut stream = world.block_on(one.session.open()).unwrap();
        stream.write_all(b"message").now_or_never().expect("there is room").unwrap();
        world.turn();
        assert_eq!(one.to_peer.take().len(), 15, "at once");
        drop(stream);
        world.settle();
        let _delivered = one.to_peer.take();
    }
    one.to_peer.write_calls()
}

#[test]
fn streams_that_come_one_after_the_other_wait_for_nobody() {
    assert_eq!(writes_one_by_one(), 2 * 100, "a message, and the RST of a dropped stream");
}

#[test]
fn messages_of_many_streams_share_a_write_and_those_of_few_go_out_at_once() {
    for streams in [1, 2, 7] {
        assert_eq!(writes_for(streams), 100, "{streams}");
    }
    for streams in [16, 100] {
        let writes = writes_for(streams);
        assert!(
            writes <= 60,
            "two messages in each once it is known that there are many: {writes} for {streams}"
        );
    }
}

/// A transport with another frame at each read, while a thread beside the driver writes on the next of many streams.
struct Busy {
    streams: Arc<Mutex<Vec<Stream>>>,
    reads: usize,
}

impl AsyncRead for Busy {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reads += 1;
        let mut streams = self.streams.lock().unwrap();
        let len = streams.len().max(1);
        let Some(stream) = streams.get_mut(self.reads % len) else { return Poll::Pending };
        stream.write_all(b"message").now_or_never().expect("there is room").unwrap();
        let frame = wire::frame(9, 0, 0, b"");
        buf[..frame.len()].copy_from_slice(&frame);
        Poll::Ready(Ok(frame.len()))
    }
}

/// A driver that is never idle, because messages are held back in each poll, keeps its time limits.
#[test]
fn b25_time_limits_pass_though_messages_are_held_back_all_the_time() {
    let world = World::new();
    let (near, far) = pipe(1 << 20);
    let streams = Arc::new(Mutex::new(Vec::new()));
    let read = Busy { streams: streams.clone(), reads: 0 };
    let (session, mut driver) =
        Session::from_halves(Side::Client, read, near.write, &Config::default(), world.clone());
    let mut drive = |polls: usize| {
        for _ in 0..polls {
            assert!(poll(&mut driver, Waker::noop()).is_pending());
            let _sent = far.read.lane().take();
        }
    };
    let mut quiet = session.try_open().unwrap();
    quiet.set_read_deadline(Some(world.now() + Duration::from_secs(1)));
    let (count, waker) = counter();
    assert!(poll(&mut quiet.read_chunk(1), &waker).is_pending());
    drive(1);
    streams.lock().unwrap().extend((0..64).map(|_| session.try_open().unwrap()));
    drive(100);
    assert_eq!(count.count(), 0);
    world.block_on(world.sleep(Duration::from_secs(1)));
    drive(10);
    assert_eq!(count.count(), 1);
}
