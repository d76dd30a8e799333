//! Writers that wait for the session's queue, and come to it out of turn; and what becomes of what they give.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Bytes, Config, ErrorCode, Session, Side, Stream};
use muxado_testkit::{Meanwhile, World, connected, counter, pipe, start};

/// Writes as much of `len` bytes as there is room for.
fn fill(stream: &mut Stream, len: usize) -> usize {
    let mut chunk = Bytes::from(vec![7; len]);
    let mut cx = Context::from_waker(Waker::noop());
    while !chunk.is_empty() && stream.poll_write_chunk(&mut cx, &mut chunk).is_ready() {}
    len - chunk.len()
}

/// A writer comes again with another waker before it was told, finds a little room, and the driver makes more between its first
/// look and its second.
#[test]
fn what_a_writer_out_of_turn_is_told_was_accepted_is_sent() {
    let world = World::new();
    let (near, far) = pipe(1 << 20);
    // With inspection the time is asked for between the two.
    let config = Config::builder().inspection(true).build().unwrap();
    let meanwhile = Meanwhile::new(&world);
    let (client, driver) =
        Session::from_halves(Side::Client, near.read, near.write, &config, meanwhile.clone());
    let server = start(&world, Side::Server, far, &Config::default());
    let driver = Arc::new(Mutex::new(driver));

    let mut streams: Vec<Stream> = (0..5).map(|_| client.try_open().unwrap()).collect();
    // All that the session may queue, and no more than a share of it in the two that wait.
    for (stream, len) in streams.iter_mut().zip([256 * 1024, 100_000, 100_000, 1000, 61_144]) {
        assert_eq!(fill(stream, len), len);
    }
    assert_eq!((fill(&mut streams[1], 1), fill(&mut streams[2], 1)), (0, 0));
    // Too little room to tell anybody.
    streams[3].reset(ErrorCode::STREAM_CANCELLED).unwrap();

    let other_task = driver.clone();
    meanwhile.set(move || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut *other_task.lock().unwrap()).poll(&mut cx).is_pending());
    });
    let (_, waker) = counter();
    let written = Pin::new(&mut streams[1]).poll_write(&mut Context::from_waker(&waker), &[7; 50_000]);
    let Poll::Ready(Ok(written)) = written else { panic!("there was room") };
    assert!(!meanwhile.is_set());

    world.spawn(async move {
        poll_fn(|cx| Pin::new(&mut *driver.lock().unwrap()).poll(cx)).await;
    });
    let read = world.block_on(async {
        streams[1].close().await.unwrap();
        let _first = server.accept().await.unwrap();
        let mut all = Vec::new();
        server.accept().await.unwrap().read_to_end(&mut all).await.unwrap();
        all.len()
    });
    assert_eq!(read, 100_000 + written);
}

/// Small ones are copied, large ones go to the transport from where they lie.
#[test]
fn a_chunk_that_is_sent_is_held_by_nobody() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    let mut stream = pair.client.try_open().unwrap();
    for len in [10, 512, 513, 20_000] {
        let memory: Arc<[u8]> = vec![7; len].into();
        let mut chunk = Bytes::from_owner(memory.clone());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(stream.poll_write_chunk(&mut cx, &mut chunk), Poll::Ready(Ok(len)));
        let copied = len <= 512;
        assert_eq!(Arc::strong_count(&memory), if copied { 1 } else { 2 }, "{len} bytes");
        world.settle();
        assert_eq!((chunk.len(), Arc::strong_count(&memory)), (0, 1), "{len} bytes");
    }
}

#[test]
fn who_prints_a_write_is_not_shown_what_it_carries() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    let mut stream = pair.client.try_open().unwrap();
    let text = format!("{:?}", stream.write_chunk("a secret".into()));
    assert!(text.ends_with(", left: 8 }") && !text.contains("secret"), "{text}");
}
