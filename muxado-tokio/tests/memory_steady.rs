//! What is allocated once nothing is new any more: for frames, messages and streams, each way, both ends together. Alone in
//! its process, with one test and one thread, so that nothing else is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::alloc::System;
use std::time::Duration;

use muxado_tokio::{Bytes, Config, Session, Stream};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is written and read at a time in bulk.
const BLOCK: usize = 64 * 1024;

fn calls() -> usize {
    let stats = COUNTED.stats();
    stats.allocations + stats.reallocations
}

/// Over a transport in memory, which gives and takes the same in each run.
fn pair() -> (Session, Session) {
    // How often small credit comes due depends on the time that the test takes: each time a timer is made, and a list.
    let config = Config::builder().credit_delay(Duration::from_secs(3600)).build().unwrap();
    let (near, far) = tokio::io::duplex(1024 * 1024);
    (Session::client_with(near, &config), Session::server_with(far, &config))
}

/// Streams that are open on both sides.
async fn streams(client: &Session, server: &Session, count: usize) -> Vec<(Stream, Stream)> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut near = client.open().await.unwrap();
        near.write_all(b"x").await.unwrap();
        let mut far = server.accept().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
        streams.push((near, far));
    }
    streams
}

/// A message on each stream, then all answers: 10,000 messages or a few more. Allocations for a thousand of them.
async fn messages(streams: &mut [(Stream, Stream)], len: usize) -> usize {
    let (message, mut room) = (vec![7; len], vec![0; len]);
    let (mut count, before) = (0, calls());
    while count < 10_000 {
        for (near, _) in &mut *streams {
            near.write_all(&message).await.unwrap();
        }
        for (_, far) in &mut *streams {
            far.read_exact(&mut room).await.unwrap();
            far.write_all(&message).await.unwrap();
        }
        for (near, _) in &mut *streams {
            near.read_exact(&mut room).await.unwrap();
        }
        count += 2 * streams.len();
    }
    (calls() - before) * 1000 / count
}

/// Half of the streams send one way, the others the other way, until there are 4000 frames. Allocations for a thousand.
async fn bulk(client: &Session, streams: Vec<(Stream, Stream)>, chunks: bool) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for (number, (near, far)) in streams.into_iter().enumerate() {
        let (from, to) = if number % 2 == 0 { (near, far) } else { (far, near) };
        tasks.spawn(send(from, chunks));
        tasks.spawn(receive(to, chunks));
    }
    let frames = || client.stats().frames_sent + client.stats().frames_received;
    let mut figure = 0;
    for _ in 0..2 {
        let (before, begun) = (calls(), frames());
        while frames() < begun + 4000 {
            tokio::task::yield_now().await;
        }
        figure = (calls() - before) * 1000 / (frames() - begun) as usize;
    }
    tasks.shutdown().await;
    figure
}

async fn send(mut stream: Stream, chunks: bool) {
    let block = Bytes::from(vec![7; BLOCK]);
    loop {
        match chunks {
            true => stream.write_chunk(block.clone()).await.unwrap(),
            false => stream.write_all(&block).await.unwrap(),
        }
    }
}

async fn receive(mut stream: Stream, chunks: bool) {
    let mut room = vec![0; BLOCK];
    loop {
        match chunks {
            true => assert!(stream.read_chunk(BLOCK).await.unwrap().is_some()),
            false => assert!(stream.read(&mut room).await.unwrap() > 0),
        }
    }
}

/// Streams, so many at once, with a request and its answer on each: a thousand in all. Allocations for each thousand.
async fn come_and_go(client: &Session, server: &Session, at_once: usize) -> usize {
    let mut open = Vec::with_capacity(at_once);
    let mut room = [0; 65];
    let before = calls();
    for _ in 0..1000 / at_once {
        for _ in 0..at_once {
            let mut near = client.open().await.unwrap();
            near.write_all(&[7; 64]).await.unwrap();
            near.shutdown().await.unwrap();
            open.push(near);
        }
        for _ in 0..at_once {
            let mut far = server.accept().await.unwrap();
            while far.read(&mut room).await.unwrap() > 0 {}
            far.write_all(&[7; 64]).await.unwrap();
            far.shutdown().await.unwrap();
        }
        for mut near in open.drain(..) {
            while near.read(&mut room).await.unwrap() > 0 {}
        }
    }
    (calls() - before) * 1000 / (1000 / at_once * at_once)
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_allocated_for_a_frame_a_message_or_a_stream() {
    let (client, server) = pair();
    // What goes out at once beyond 4 KiB has memory for that time, which is a call or two for all of it.
    for (count, len, most) in [(1, 64, 10), (1, 250, 10), (16, 64, 10), (64, 64, 100)] {
        let mut open = streams(&client, &server, count).await;
        messages(&mut open, len).await;
        let each = messages(&mut open, len).await;
        println!("{each} for a thousand messages of {len} bytes on {count} streams");
        assert!(each < most, "{each} allocations for a thousand messages of {len} bytes on {count} streams");
    }
    for (at_once, most) in [(1, 10), (16, 10), (64, 10)] {
        come_and_go(&client, &server, at_once).await;
        let each = come_and_go(&client, &server, at_once).await;
        println!("{each} for a thousand streams, {at_once} at once");
        assert!(each < most, "{each} allocations for a thousand streams, {at_once} at once");
    }
    // What was copied has a handle for each piece that there was room for, which is up to four frames, and what is read has
    // one for each read of the connection. One for each frame would be a thousand more.
    for (count, chunks, most) in [(1, false, 700), (16, false, 1000), (1, true, 300), (16, true, 300)] {
        let open = streams(&client, &server, count).await;
        let each = bulk(&client, open, chunks).await;
        println!("{each} for a thousand full frames on {count} streams, in chunks: {chunks}");
        assert!(
            each < most,
            "{each} allocations for a thousand frames on {count} streams, in chunks: {chunks}"
        );
    }
}
