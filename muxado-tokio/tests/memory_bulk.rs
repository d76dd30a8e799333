//! What a session holds while a large transfer runs, read from a counting allocator during the run. Alone in its
//! process, so that nothing else is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::alloc::System;

use muxado_tokio::{Config, Listener, Session, connect_with};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const GIB: usize = 1 << 30;
const BLOCK: usize = 64 * 1024;

fn live() -> usize {
    let stats = COUNTED.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

async fn pair(config: Config) -> (Session, Session) {
    let listener = Listener::bind_with("127.0.0.1:0", &config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(connect_with(address, &config), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

fn block(number: usize) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    for (place, byte) in block.chunks_exact_mut(8).zip(0_u64..) {
        place.copy_from_slice(
            &(number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(byte).to_le_bytes(),
        );
    }
    block
}

/// 1 GiB arrives intact on one stream while another, full, is never read. Both ends together stay within the bounds of
/// docs/behaviour.md: for each a read buffer, what shared buffers may pin, the session's send queue and a batch; for the stream that is read, what it was granted beyond its window; for
/// the stream that is not read, a window at the receiver and a queue at the sender.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b03_b14_b15_a_gibibyte_passes_through_a_few_mebibytes() {
    let (client, server) = pair(Config::default()).await;
    let mut stuck = client.open().await.unwrap();
    let filled = tokio::spawn(async move { stuck.write_all(&vec![1; 1 << 20]).await });
    let _never_read = server.accept().await.unwrap();

    let mut stream = client.open().await.unwrap();
    let blocks: Vec<Vec<u8>> = (0..64).map(block).collect();
    let expected = blocks.clone();
    let before = live();
    let calls = COUNTED.stats().allocations;
    let writer = tokio::spawn(async move {
        for number in 0..GIB / BLOCK {
            stream.write_all(&blocks[number % blocks.len()]).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        stream
    });
    let mut stream = server.accept().await.unwrap();
    let mut buffer = vec![0; BLOCK];
    let (mut peak, mut extra) = (0, 0);
    for number in 0..GIB / BLOCK {
        stream.read_exact(&mut buffer).await.unwrap();
        assert!(buffer == expected[number % expected.len()], "block {number} differs");
        peak = peak.max(live().saturating_sub(before));
        extra = extra.max(server.stats().extra_credit);
    }
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 0);
    writer.await.unwrap();
    let calls = COUNTED.stats().allocations - calls;

    let read = 256 * 1024;
    let pinned = (1 << 20) + 2 * (2 * 256 * 1024 + extra);
    let queued = 512 * 1024 + 256 * 1024 + 8 * 1024;
    let bound = 2 * (read + pinned + queued) + 256 * 1024 + BLOCK;
    println!(
        "peak {} of {}, {} KiB of extra credit, {calls} allocations",
        peak >> 10,
        bound >> 10,
        extra >> 10
    );
    assert!(peak <= bound, "{peak} bytes held, {bound} allowed");

    // Nothing is allocated for a frame: there are 65,536 of them, and 16,384 writes that cost a handle each.
    let frames = GIB / (16 * 1024);
    assert!(calls < frames, "{calls} allocations for {frames} frames");
    filled.abort();
}
