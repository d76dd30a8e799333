//! Much data through the windows of 256 KiB, both ways at once on one stream.

use std::sync::LazyLock;

use crate_muxado::{Accept as _, OpenClose as _};
use muxado_tokio::{Bytes, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::exchange::Duplex;
use crate::roles::in_both_roles;

const SIZE: usize = 16 << 20;

/// What ours sends, and what they send.
static OURS: LazyLock<Bytes> = LazyLock::new(|| noise(1));
static THEIRS: LazyLock<Bytes> = LazyLock::new(|| noise(2));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_mib_each_way_on_a_stream_of_ours() {
    in_both_roles(async |ours, mut theirs| {
        let there = tokio::spawn(async move {
            assert_same(&swap(theirs.accept().await.unwrap(), &THEIRS).await, &OURS);
            theirs
        });
        assert_same(&swap(ours.open().await.unwrap(), &OURS).await, &THEIRS);
        there.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_mib_each_way_on_a_stream_of_theirs() {
    in_both_roles(async |ours, mut theirs| {
        let there = tokio::spawn(async move {
            assert_same(&swap(theirs.open().await.unwrap(), &THEIRS).await, &OURS);
            theirs
        });
        assert_same(&swap(ours.accept().await.unwrap(), &OURS).await, &THEIRS);
        there.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_mib_each_way_in_chunks() {
    in_both_roles(async |ours, mut theirs| {
        let there = tokio::spawn(async move {
            assert_same(&swap(theirs.accept().await.unwrap(), &THEIRS).await, &OURS);
            theirs
        });
        assert_same(&swap_chunks(ours.open().await.unwrap(), OURS.clone()).await, &THEIRS);
        there.await.unwrap();
    })
    .await;
}

/// The peer returns credit for each read, ahead of what it writes afterwards.
#[tokio::test]
async fn what_they_have_read_is_receipted() {
    in_both_roles(async |ours, mut theirs| {
        let mut here = ours.open().await.unwrap();
        here.write_all(&OURS[..100_000]).await.unwrap();
        let mut there = theirs.accept().await.unwrap();
        there.read_exact(&mut [0; 60_000]).await.unwrap();
        there.write_all(b"read").await.unwrap();
        here.read_exact(&mut [0; 4]).await.unwrap();
        assert_eq!(here.consumed(), 60_000);
    })
    .await;
}

/// Writes `bytes` and reads to the end at the same time, in pieces of odd sizes. All in one task: where two tasks share
/// a stream of the peer's, one of them can miss its wake-up and wait for ever.
async fn swap(stream: impl Duplex, bytes: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(stream);
    let writing = async {
        for piece in bytes.chunks(70_001) {
            write.write_all(piece).await.unwrap();
        }
        write.shutdown().await.unwrap();
    };
    let reading = async {
        let (mut came, mut room) = (Vec::with_capacity(SIZE), vec![0; 50_021]);
        loop {
            match read.read(&mut room).await.unwrap() {
                0 => return came,
                count => came.extend_from_slice(&room[..count]),
            }
        }
    };
    tokio::join!(writing, reading).1
}

/// As [`swap`], without copies in the session, and with a task for each half.
async fn swap_chunks(stream: Stream, mut bytes: Bytes) -> Vec<u8> {
    let (mut send, mut recv) = stream.into_split();
    let writing = tokio::spawn(async move {
        while !bytes.is_empty() {
            send.write_chunk(bytes.split_to(bytes.len().min(300_007))).await.unwrap();
        }
        send.shutdown().await.unwrap();
    });
    let mut came = Vec::with_capacity(SIZE);
    while let Some(chunk) = recv.read_chunk(usize::MAX).await.unwrap() {
        came.extend_from_slice(&chunk);
    }
    writing.await.unwrap();
    came
}

fn assert_same(came: &[u8], sent: &[u8]) {
    assert_eq!(came.len(), sent.len());
    // Without the macro's habit of printing both.
    assert!(came == sent, "as many bytes, but not the same");
}

/// Bytes without a pattern that a misplaced piece could fit into.
fn noise(seed: u32) -> Bytes {
    let mut state = seed;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).take(SIZE / 4).flatten().collect()
}
