//! Turns among tokio's tasks: whoever always finds something gives way, and goes on where it was.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use muxado_tokio::{Bytes, Session, Stream};
use muxado_typed::Typed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::coop::poll_proceed;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

/// More than tokio lets a task do before it is others' turn, and less than there is or has room.
const MANY: usize = 1000;

fn pair() -> (Session, Session) {
    let (near, far) = tokio::io::duplex(1 << 16);
    (Session::client(near), Session::server(far))
}

/// A stream with this many bytes to read, all of them there, and the one that they came from.
async fn full(len: usize) -> (Stream, Stream) {
    let (client, server) = pair();
    let mut sending = client.open().await.unwrap();
    sending.write_all(&vec![7; len + 1]).await.unwrap();
    let mut stream = server.accept().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 7); // one frame brought all
    (sending, stream)
}

/// How often `step` is ready in one turn of the task.
async fn in_one_turn<T>(mut step: impl FnMut(&mut Context<'_>) -> Poll<T>) -> usize {
    yield_now().await; // a turn of its own
    poll_fn(|cx| {
        let steps = (0..=MANY).find(|_| step(cx).is_pending());
        Poll::Ready(steps.expect("a turn without end"))
    })
    .await
}

#[tokio::test]
async fn who_always_finds_data_gives_way_and_loses_none() {
    let (_sending, mut stream) = full(MANY).await;
    let bytes = in_one_turn(|cx| pin!(stream.read_u8()).poll(cx)).await;
    let chunks = in_one_turn(|cx| stream.poll_read_chunk(cx, 1)).await;
    let awaited = in_one_turn(|cx| pin!(stream.read_chunk(1)).poll(cx)).await;
    assert!(bytes > 1 && chunks > 1 && awaited > 1, "{bytes} {chunks} {awaited}");
    let mut rest = vec![0; MANY - bytes - chunks - awaited];
    stream.read_exact(&mut rest).await.unwrap();
}

#[tokio::test]
async fn who_always_finds_room_gives_way_and_what_was_taken_arrives() {
    let (client, server) = pair();
    let mut stream = client.open().await.unwrap();
    let bytes = in_one_turn(|cx| pin!(stream.write_u8(1)).poll(cx)).await;
    let chunk = || Bytes::from_static(&[1]);
    let chunks = in_one_turn(|cx| stream.poll_write_chunk(cx, &mut chunk())).await;
    let awaited = in_one_turn(|cx| pin!(stream.write_chunk(chunk())).poll(cx)).await;
    let slices = in_one_turn(|cx| pin!(stream.write_vectored(&[])).poll(cx)).await;
    assert!(bytes > 1 && chunks > 1 && awaited > 1 && slices > 1, "{bytes} {chunks} {awaited} {slices}");
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    server.accept().await.unwrap().read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), bytes + chunks + awaited);
}

#[tokio::test]
async fn who_always_finds_a_stream_gives_way_and_loses_none() {
    const STREAMS: usize = 200;
    let (client, server) = pair();
    let mut opened = Vec::new();
    let at_once =
        in_one_turn(|cx| pin!(client.open()).poll(cx).map(|stream| opened.push(stream.unwrap()))).await;
    while opened.len() < STREAMS {
        opened.push(client.open().await.unwrap());
    }
    for stream in &mut opened {
        stream.flush().await.unwrap();
    }
    while server.inspect().streams.len() < STREAMS {
        yield_now().await;
    }
    let mut accepted = Vec::new();
    let _ =
        in_one_turn(|cx| pin!(server.accept()).poll(cx).map(|stream| accepted.push(stream.unwrap()))).await;
    assert!(at_once < STREAMS && accepted.len() < STREAMS, "{at_once} {}", accepted.len());
    while accepted.len() < STREAMS {
        accepted.push(server.accept().await.unwrap());
    }
}

#[tokio::test]
async fn typed_streams_are_opened_and_accepted_in_turn_too() {
    let (client, server) = pair();
    let (client, server) = (Typed::new(client), Typed::new(server));
    let mut opened = Vec::new();
    let at_once =
        in_one_turn(|cx| pin!(client.open(1)).poll(cx).map(|stream| opened.push(stream.unwrap()))).await;
    assert!(at_once > 1 && at_once < 200, "{at_once}");
    while server.get_ref().inspect().streams.is_empty() {
        yield_now().await;
    }
    // A turn of which nothing is left.
    let accepted = poll_fn(|cx| {
        while let Poll::Ready(turn) = poll_proceed(cx) {
            turn.made_progress();
        }
        Poll::Ready(pin!(server.accept()).poll(cx).is_ready())
    });
    assert!(!accepted.await);
    server.accept().await.unwrap();
}

#[tokio::test]
async fn a_time_limit_ends_a_loop_that_never_has_to_wait() {
    let (_sending, mut stream) = full(MANY).await;
    let all = async {
        for _ in 0..MANY {
            stream.read_u8().await.unwrap();
        }
    };
    // One that is over: tokio counts in milliseconds, in which all of it could be read.
    assert!(timeout_at(Instant::now() - Duration::from_secs(1), all).await.is_err());
}
