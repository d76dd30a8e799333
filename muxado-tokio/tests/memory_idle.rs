//! What an open stream costs while nothing happens on it. Alone in its process, so that nothing else is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::alloc::System;

use muxado_tokio::{Bytes, Config, Listener, Session, connect_with};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// As many as the tables have room for when they have just grown: nothing else would tell what a stream costs from what a
/// larger table has to spare.
const STREAMS: usize = 1 << 14;

fn live() -> usize {
    let stats = COUNTED.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

/// More than the pools of buffers keep: they belong to the process, and are full from here on.
const WARMS: usize = 4 << 20;

/// Lets `WARMS` bytes be held on the way at once, and then go.
async fn fill_the_pools(client: &Session, server: &Session) {
    let mut ours = client.open().await.unwrap();
    let writing = tokio::spawn(async move {
        ours.write_all(&vec![0; WARMS]).await.unwrap();
        ours.shutdown().await.unwrap();
    });
    let mut theirs = server.accept().await.unwrap();
    let mut held = Vec::new();
    while let Some(chunk) = theirs.read_chunk(WARMS).await.unwrap() {
        held.push(chunk);
    }
    writing.await.unwrap();
}

/// An idle stream stays under 248 bytes on each side, and a closed one leaves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b08_an_idle_stream_costs_little() {
    let config =
        Config::builder().max_inbound_streams(STREAMS).max_outbound_streams(STREAMS).build().unwrap();
    let listener = Listener::bind_with("127.0.0.1:0", &config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(connect_with(address, &config), listener.accept());
    let (client, server) = (client.unwrap(), server.unwrap().0);
    fill_the_pools(&client, &server).await;
    let mut ours = Vec::with_capacity(STREAMS);
    let mut theirs = Vec::with_capacity(STREAMS);
    let before = live();
    for number in 0..STREAMS {
        let mut stream = client.open().await.unwrap();
        match number % 2 {
            0 => stream.write_all(b"x").await.unwrap(),
            _ => stream.write_chunk(Bytes::from_static(b"x")).await.unwrap(),
        }
        ours.push(stream);
        let mut stream = server.accept().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        theirs.push(stream);
    }
    let each = live().saturating_sub(before) / STREAMS;
    println!("{each} bytes a stream, both ends together");
    assert!(each < 496, "{each} bytes a stream");

    for mut stream in ours.drain(..) {
        stream.shutdown().await.unwrap();
    }
    for mut stream in theirs.drain(..) {
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    }
    while client.stats().streams + server.stats().streams > 0 {
        tokio::task::yield_now().await;
    }
    let left = live().saturating_sub(before) / STREAMS;
    println!("{left} bytes a stream once closed");
    assert!(left <= 50, "{left} bytes a closed stream");
}
