//! How sessions end, and what everybody is told.

use std::time::{Duration, Instant};

use futures_lite::future::zip;
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use muxado_core::{Config, ErrorCode, Initiator, OpenError, Retry};

use super::streams::serve_echo;
use super::{Case, Ends, in_a_task};

pub(super) const CASES: &[Case] = &[
    ("close reasons", Config::default, |ends| Box::pin(close_reasons(ends))),
    ("a drain", Config::default, |ends| Box::pin(drain(ends))),
    ("the last handle", Config::default, |ends| Box::pin(last_handle(ends))),
    ("the transport", Config::default, |ends| Box::pin(transport_is_closed(ends))),
];

/// An end that takes longer than this has waited for a limit of time.
const SOON: Duration = Duration::from_secs(4);

async fn close_reasons(Ends { client, server, .. }: Ends) {
    let mut stream = client.open().await.unwrap();
    stream.flush().await.unwrap();
    let _theirs = server.accept().await.unwrap();
    let told = server.closed();
    let end = client.close(ErrorCode::new(99), "enough").await;
    assert_eq!((end.code(), end.initiator()), (ErrorCode::new(99), Initiator::Local));
    let told = told.await;
    assert_eq!((told.code(), told.text()), (ErrorCode::new(99), &b"enough"[..]));
    assert_eq!(told.initiator(), Initiator::Remote);
    assert!(stream.read(&mut [0; 1]).await.is_err() && stream.write(b"x").await.is_err());
    assert!(matches!(client.open().await, Err(OpenError::Session(_))));
    assert!(server.accept().await.is_err());
}

async fn drain(Ends { client, server, spawn }: Ends) {
    let serving = in_a_task(spawn, serve_echo(server.clone())).await;
    let mut stream = client.open().await.unwrap();
    stream.write_all(b"under way").await.unwrap();
    while server.stats().streams == 0 {
        futures_lite::future::yield_now().await;
    }
    let drained = server.drain(Duration::from_secs(30));
    let mut late = client.open().await.unwrap();
    late.write_all(b"too late").await.unwrap();
    assert_eq!(late.read_chunk(9).await.unwrap_err().retry(), Retry::NotProcessed);
    stream.close().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"under way");
    let (ours, theirs) = zip(drained, client.closed()).await;
    assert!(ours.is_clean() && ours.cut().is_nothing() && theirs.is_clean(), "{ours}; {theirs}");
    serving.await;
}

async fn last_handle(Ends { client, server, .. }: Ends) {
    let mut stream = client.open().await.unwrap();
    let (ours, told) = (client.closed(), server.closed());
    drop(client);
    stream.write_all(b"still").await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    theirs.read_exact(&mut [0; 5]).await.unwrap();
    drop((stream, theirs));
    let (ours, told) = zip(ours, told).await;
    assert!(ours.is_clean() && told.is_clean(), "{ours}; {told}");
}

/// Both sides learn of the end from the transport, and wait for no limit of time.
async fn transport_is_closed(Ends { client, server, .. }: Ends) {
    let start = Instant::now();
    zip(client.close(ErrorCode::NO_ERROR, ""), server.closed()).await;
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
