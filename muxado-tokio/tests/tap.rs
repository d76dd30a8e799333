//! A tap on tokio's traits: what is told of a session, and that the session does not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};

use muxado_tokio::tap::{Overheard, Tap};
use muxado_tokio::{ErrorCode, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn every_frame_of_a_session_is_told_and_every_byte_arrives() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = told.clone();
    let client = Session::client(Tap::new(near, move |overheard: Overheard| {
        ear.lock().unwrap().push(overheard.to_string());
    }));
    let server = Session::server(far);
    let payload: Vec<u8> = (0..300_000).map(|byte: u32| (byte % 251) as u8).collect();

    let mut ours = client.open().await.unwrap();
    let sent = payload.clone();
    let writer = tokio::spawn(async move {
        ours.write_all(&sent).await.unwrap();
        ours.shutdown().await.unwrap();
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.unwrap();
        answer
    });
    let mut theirs = server.accept().await.unwrap();
    let mut read = Vec::new();
    theirs.read_to_end(&mut read).await.unwrap();
    theirs.write_all(b"thanks").await.unwrap();
    theirs.shutdown().await.unwrap();
    assert_eq!(writer.await.unwrap(), b"thanks");
    assert!(read == payload);
    client.close(ErrorCode::NO_ERROR, "bye").await;

    let stats = client.stats();
    let told = told.lock().unwrap();
    let count = |direction: &str| told.iter().filter(|line| line.starts_with(direction)).count() as u64;
    // What comes after our goodbye is read and thrown away, and overheard all the same.
    assert!(count("received") >= stats.frames_received, "{told:#?}");
    assert_eq!(count("sent"), stats.frames_sent, "{told:#?}");
    let has = |words: &str| told.iter().any(|line| line.contains(words));
    for words in
        ["length 16384   flags SYN", "flags FIN", "WNDINC  id 3", "received  DATA    id 3       length 6"]
    {
        assert!(has(words), "{words} is not in {told:#?}");
    }
}
