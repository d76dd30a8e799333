//! Streams that come and go: bytes both ways, half-close, many at once, back-pressure, halves, giving up.

use std::pin::pin;
use std::task::{Poll, Waker};

use futures_lite::future::{yield_now, zip};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use muxado_core::{Config, ErrorCode, ReadError, Retry, Session, Stream, WriteError};

use super::{Case, Ends, bytes, in_a_task};
use crate::watch::poll;

pub(super) const CASES: &[Case] = &[
    ("echo", Config::default, |ends| Box::pin(echo(ends))),
    ("half-close", Config::default, |ends| Box::pin(half_close(ends))),
    ("a thousand streams", Config::default, |ends| Box::pin(a_thousand_streams(ends))),
    ("ten thousand channels", many, |ends| Box::pin(ten_thousand_channels(ends))),
    ("back-pressure", Config::default, |ends| Box::pin(back_pressure(ends))),
    ("split halves", Config::default, |ends| Box::pin(split_halves(ends))),
    ("giving up", one_at_a_time, |ends| Box::pin(giving_up(ends))),
    ("reset", Config::default, |ends| Box::pin(reset(ends))),
    ("stopped", Config::default, |ends| Box::pin(stopped(ends))),
    ("drops", Config::default, |ends| Box::pin(drops(ends))),
];

fn many() -> Config {
    let streams = 10_000;
    let config = Config::builder().max_inbound_streams(streams).max_outbound_streams(streams);
    config.accept_backlog(streams).build().unwrap_or_default()
}

fn one_at_a_time() -> Config {
    Config::builder().max_outbound_streams(1).build().unwrap_or_default()
}

pub(super) async fn read_all(stream: &mut Stream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

/// Answers a stream with all that it says.
pub(super) async fn answer(mut stream: Stream) {
    let said = read_all(&mut stream).await;
    stream.write_all(&said).await.unwrap();
    stream.close().await.unwrap();
}

/// Answers every stream with what it says, until the session ends.
pub(super) async fn serve_echo(session: Session) {
    while let Ok(stream) = session.accept().await {
        answer(stream).await;
    }
}

async fn echo(Ends { client, server, spawn }: Ends) {
    for (from, to) in [(client.clone(), server.clone()), (server, client)] {
        let serving = in_a_task(spawn, async move { answer(to.accept().await.unwrap()).await });
        let serving = serving.await;
        let said = bytes(1, 1_000_000);
        let mut stream = from.open().await.unwrap();
        stream.write_all(&said).await.unwrap();
        stream.close().await.unwrap();
        assert!(read_all(&mut stream).await == said, "the same bytes");
        serving.await;
    }
}

async fn half_close(Ends { client, server, .. }: Ends) {
    let mut ours = client.open().await.unwrap();
    ours.write_all(b"question").await.unwrap();
    ours.close().await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    assert_eq!(read_all(&mut theirs).await, b"question");
    let error = ours.write(b"more").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    for part in [&b"an "[..], b"answer"] {
        theirs.write_all(part).await.unwrap();
        let mut got = vec![0; part.len()];
        ours.read_exact(&mut got).await.unwrap();
        assert_eq!(got, part);
    }
    theirs.close().await.unwrap();
    assert_eq!(read_all(&mut ours).await, b"");
}

async fn a_thousand_streams(Ends { client, server, spawn }: Ends) {
    let serving = in_a_task(spawn, serve_echo(server.clone())).await;
    let mut tasks = Vec::new();
    for seed in 0..1000 {
        let client = client.clone();
        let task = in_a_task(spawn, async move {
            let said = bytes(seed, seed * 7);
            let mut stream = client.open().await.unwrap();
            stream.write_all(&said).await.unwrap();
            stream.close().await.unwrap();
            read_all(&mut stream).await == said
        });
        tasks.push(task.await);
    }
    for task in tasks {
        assert!(task.await, "the same bytes");
    }
    client.close(ErrorCode::NO_ERROR, "").await;
    serving.await;
    assert_eq!((client.stats().streams, server.stats().streams), (0, 0));
}

/// Ten thousand channels open at once, each of which says hello.
async fn ten_thousand_channels(Ends { client, server, .. }: Ends) {
    let mut ours = Vec::new();
    for _ in 0..10_000 {
        let mut stream = client.open().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        ours.push(stream);
    }
    let mut theirs = Vec::new();
    for _ in 0..10_000 {
        let mut stream = server.accept().await.unwrap();
        let mut said = [0; 5];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"hello");
        theirs.push(stream);
    }
    assert_eq!((client.stats().streams, server.stats().streams), (10_000, 10_000));
}

/// Nobody reads: the writer stops at the window, another stream does not, and all of it arrives in the end.
async fn back_pressure(Ends { client, server, .. }: Ends) {
    let said = bytes(3, 5_000_000);
    let mut stuck = client.open().await.unwrap();
    let mut written = 0;
    loop {
        match poll(&mut stuck.write(&said[written..]), Waker::noop()) {
            Poll::Ready(more) => written += more.unwrap(),
            // The window is full, and nobody reads: it cannot go on.
            Poll::Pending if written >= 256 * 1024 => break,
            Poll::Pending => yield_now().await,
        }
    }
    assert!(written <= 2 * 256 * 1024, "{written} bytes were taken");
    let mut theirs = server.accept().await.unwrap();
    let mut other = client.open().await.unwrap();
    other.write_all(b"free").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(read_all(&mut server.accept().await.unwrap()).await, b"free");
    let rest = async {
        stuck.write_all(&said[written..]).await.unwrap();
        stuck.close().await.unwrap();
    };
    let ((), read) = zip(rest, read_all(&mut theirs)).await;
    assert!(read == said, "{} bytes of {}", read.len(), said.len());
}

async fn split_halves(Ends { client, server, spawn }: Ends) {
    let serving = in_a_task(spawn, async move {
        let (mut send, mut recv) = server.accept().await.unwrap().into_split();
        while let Some(chunk) = recv.read_chunk(usize::MAX).await.unwrap() {
            send.write_chunk(chunk).await.unwrap();
        }
        send.finish().unwrap();
    })
    .await;
    let said = bytes(4, 3_000_000);
    let (mut send, mut recv) = client.open().await.unwrap().into_split();
    let (sent, expected) = (said.clone(), said);
    let sending = in_a_task(spawn, async move {
        send.write_all(&sent).await.unwrap();
        send.close().await.unwrap();
    })
    .await;
    let receiving = in_a_task(spawn, async move {
        let mut all = Vec::new();
        recv.read_to_end(&mut all).await.unwrap();
        all
    })
    .await;
    sending.await;
    assert!(receiving.await == expected, "the same bytes");
    serving.await;
}

/// Reads, writes and opens that are given up lose nothing and take nobody's place.
async fn giving_up(Ends { client, server, .. }: Ends) {
    let mut ours = client.open().await.unwrap();
    ours.flush().await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    assert!(poll(&mut pin!(ours.read(&mut [0; 4])), Waker::noop()).is_pending());
    assert!(poll(&mut pin!(ours.read_chunk(4)), Waker::noop()).is_pending());
    theirs.write_all(b"kept").await.unwrap();
    let mut kept = [0; 4];
    ours.read_exact(&mut kept).await.unwrap();
    assert_eq!(&kept, b"kept");
    let mut second = pin!(client.open());
    {
        let mut first = pin!(client.open());
        assert!(poll(&mut first, Waker::noop()).is_pending());
        assert!(poll(&mut second, Waker::noop()).is_pending());
    }
    drop((ours, theirs));
    second.await.unwrap();
}

async fn reset(Ends { client, server, .. }: Ends) {
    let mut ours = client.open().await.unwrap();
    ours.write_all(b"x").await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    assert_eq!(theirs.read_chunk(9).await.unwrap().unwrap(), "x");
    theirs.reset(ErrorCode::new(4711)).unwrap();
    let Err(ReadError::Reset(reset)) = ours.read_chunk(9).await else { panic!("not a reset") };
    assert_eq!((reset.code(), reset.retry()), (ErrorCode::new(4711), Retry::Unknown));
    let written = ours.write_chunk("y".into()).await;
    assert!(matches!(written, Err(WriteError::Reset(reset)) if reset.code() == ErrorCode::new(4711)));
    let mut refused = client.open().await.unwrap();
    refused.write_all(b"x").await.unwrap();
    server.accept().await.unwrap().refuse().unwrap();
    assert_eq!(refused.read_chunk(9).await.unwrap_err().retry(), Retry::NotProcessed);
}

/// Who computes an answer learns, without a read or a write, that nobody wants it any more; and of a clean end too.
async fn stopped(Ends { client, server, spawn }: Ends) {
    for code in [Some(4711), None] {
        let mut ours = client.open().await.unwrap();
        ours.close().await.unwrap();
        let mut theirs = server.accept().await.unwrap();
        assert_eq!(read_all(&mut theirs).await, b"");
        let computing = in_a_task(spawn, theirs.stopped()).await;
        let expected = if let Some(code) = code {
            ours.reset(ErrorCode::new(code)).unwrap();
            Err(ErrorCode::new(code))
        } else {
            theirs.close().await.unwrap();
            Ok(())
        };
        assert_eq!(computing.await.map_err(|error| error.code().unwrap()), expected);
    }
}

/// A stream that is dropped unfinished never looks like one that ended; a finished one does.
async fn drops(Ends { client, server, .. }: Ends) {
    for finished in [false, true] {
        let mut ours = client.open().await.unwrap();
        ours.write_all(b"all there is").await.unwrap();
        // One that is reset before it is accepted is never seen.
        let mut theirs = server.accept().await.unwrap();
        if finished {
            ours.close().await.unwrap();
        }
        drop(ours);
        let mut all = Vec::new();
        let ended = theirs.read_to_end(&mut all).await;
        assert_eq!((all.as_slice(), ended.is_ok()), (&b"all there is"[..], finished));
    }
    let (mut send, recv) = client.open().await.unwrap().into_split();
    send.write_all(b"x").await.unwrap();
    drop(recv);
    let mut theirs = server.accept().await.unwrap();
    // Nobody reads it: it is thrown away, and its sender is not held up.
    theirs.write_all(&bytes(5, 2_000_000)).await.unwrap();
    drop(send);
}
