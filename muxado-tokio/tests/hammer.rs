//! Many tasks, real threads, real TCP: random use of many streams at once, with every byte checked.
//!
//! What is received is a prefix of what was sent, and all of it if the end was clean. At the end no stream is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::{Config, ErrorCode, Listener, Session, Stream, connect_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

const TASKS: u64 = 16;
const STREAMS_EACH: u64 = 60;

/// How the opener ends its direction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Finish,
    Drop,
    Reset,
}

/// The bytes of a stream, from its seed.
fn content(seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let len = match rng.u8(0..10) {
        0 => 0,
        1..=5 => rng.usize(0..2_000),
        6..=8 => rng.usize(0..100_000),
        _ => rng.usize(0..1_500_000),
    };
    let mut bytes = vec![0; len];
    rng.fill(&mut bytes);
    bytes
}

/// Opens a stream, sends its seed and content in random pieces, and reads it all back.
async fn ask(session: Session, seed: u64) {
    let mut rng = Rng::with_seed(!seed);
    let fate = match rng.u8(0..10) {
        0 => Fate::Drop,
        1 => Fate::Reset,
        _ => Fate::Finish,
    };
    let bytes = content(seed);
    let mut stream = session.open().await.unwrap();
    stream.write_u64(seed).await.unwrap();
    let cut_at = if fate == Fate::Finish { bytes.len() } else { rng.usize(0..=bytes.len()) };
    let (mut send, mut recv) = stream.into_split();
    let sent = bytes.clone();
    let sending = tokio::spawn(async move {
        let mut rest = &sent[..cut_at];
        while !rest.is_empty() {
            let piece = &rest[..rng.usize(1..=rest.len().min(200_000))];
            // A cancelled write has written a part, or nothing, and says how much.
            let Ok(write) =
                tokio::time::timeout(Duration::from_micros(rng.u64(0..2000)), send.write(piece)).await
            else {
                continue;
            };
            let Ok(written) = write else { return };
            rest = &rest[written..];
        }
        match fate {
            Fate::Finish => drop(send.shutdown().await),
            Fate::Drop => drop(send),
            Fate::Reset => send.reset(ErrorCode::STREAM_CANCELLED).unwrap(),
        }
    });
    let mut back = Vec::new();
    let read = recv.read_to_end(&mut back).await;
    assert!(bytes.starts_with(&back), "seed {seed}: the echo differs");
    if read.is_ok() {
        assert_eq!(
            (fate, back.len()),
            (Fate::Finish, bytes.len()),
            "seed {seed}: a clean end, and not all of it"
        );
    }
    sending.await.unwrap();
}

/// Echoes in random pieces, and checks that a clean end comes with everything.
async fn answer(mut stream: Stream) {
    let Ok(seed) = stream.read_u64().await else { return };
    let mut rng = Rng::with_seed(seed.rotate_left(7));
    let (mut send, mut recv) = stream.into_split();
    let expected = content(seed);
    let mut received = 0;
    let mut buffer = vec![0; 100_000];
    loop {
        let room = rng.usize(1..=buffer.len());
        let read = match recv.read(&mut buffer[..room]).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(_) => return,
        };
        assert!(expected[received..].starts_with(&buffer[..read]), "seed {seed}: wrong bytes at {received}");
        received += read;
        if send.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    assert_eq!(received, expected.len(), "seed {seed}: a clean end, and not all of it");
    let _ = send.shutdown().await;
}

async fn hammer(seed: u64) {
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    // Fewer places than tasks, so that opening has to wait.
    let config = Config::builder().max_outbound_streams(10).build().unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(connect_with(address, &config), listener.accept());
    let (client, server) = (client.unwrap(), server.unwrap().0);
    let accepting = tokio::spawn({
        let server = server.clone();
        async move {
            let mut answers = JoinSet::new();
            while let Ok(stream) = server.accept().await {
                answers.spawn(answer(stream));
            }
            answers.join_all().await;
        }
    });
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let client = client.clone();
        tasks.spawn(async move {
            for number in 0..STREAMS_EACH {
                ask(client.clone(), seed ^ (task << 32) ^ (number << 8)).await;
            }
        });
    }
    tasks.join_all().await;
    let end = client.drain(Duration::from_secs(30)).await;
    assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
    accepting.await.unwrap();
    assert_eq!((client.stats().streams, server.stats().streams), (0, 0));
    assert_eq!((client.stats().unread_bytes, server.stats().sendable_bytes), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads() {
    tokio::time::timeout(Duration::from_secs(120), hammer(1)).await.expect("it hangs");
}

#[tokio::test(flavor = "current_thread")]
async fn one_thread() {
    tokio::time::timeout(Duration::from_secs(120), hammer(2)).await.expect("it hangs");
}
