//! One direction ends and the other goes on, from either end; streams that begin with nothing.

use crate_muxado::{Accept as _, OpenClose as _};
use tokio::io::AsyncWriteExt;

use crate::exchange::{Duplex, ask, expect, read_all, write_last};
use crate::roles::in_both_roles;

#[tokio::test]
async fn ours_opens_and_finishes_first() {
    in_both_roles(async |ours, mut theirs| {
        let mut here = ours.open().await.unwrap();
        here.write_all(b"request").await.unwrap();
        finishes_first(here, theirs.accept().await.unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn ours_opens_and_they_finish_first() {
    in_both_roles(async |ours, mut theirs| {
        let mut here = ours.open().await.unwrap();
        here.write_all(b"request").await.unwrap();
        let mut there = theirs.accept().await.unwrap();
        expect(&mut there, b"request").await;
        there.write_all(b"request").await.unwrap();
        finishes_first(there, here).await;
    })
    .await;
}

#[tokio::test]
async fn they_open_and_finish_first() {
    in_both_roles(async |ours, mut theirs| {
        let mut there = theirs.open().await.unwrap();
        there.write_all(b"request").await.unwrap();
        finishes_first(there, ours.accept().await.unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn they_open_and_ours_finishes_first() {
    in_both_roles(async |ours, mut theirs| {
        let mut there = theirs.open().await.unwrap();
        there.write_all(b"request").await.unwrap();
        let mut here = ours.accept().await.unwrap();
        expect(&mut here, b"request").await;
        here.write_all(b"request").await.unwrap();
        finishes_first(here, there).await;
    })
    .await;
}

/// `first` has written "request". The other end sees it end, and only then begins with its own.
async fn finishes_first(mut first: impl Duplex, mut second: impl Duplex) {
    first.shutdown().await.unwrap();
    assert_eq!(read_all(&mut second).await, b"request");
    for part in ["after ", "the end ", "of the other"] {
        second.write_all(part.as_bytes()).await.unwrap();
        expect(&mut first, part.as_bytes()).await;
    }
    second.shutdown().await.unwrap();
    assert_eq!(read_all(&mut first).await, b"");
}

/// W02: SYN and FIN go in two frames, and the acceptor can answer.
#[tokio::test]
async fn w02_they_answer_a_stream_that_ours_finished_without_data() {
    in_both_roles(async |ours, mut theirs| {
        let answering = tokio::spawn(async move {
            let mut there = theirs.accept().await.unwrap();
            assert_eq!(read_all(&mut there).await, b"");
            write_last(&mut there, b"answer to nothing").await;
            theirs
        });
        assert_eq!(ask(ours.open().await.unwrap(), b"").await, b"answer to nothing");
        answering.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_read_opens_a_stream_on_which_they_speak_first() {
    in_both_roles(async |ours, mut theirs| {
        let speaking = tokio::spawn(async move {
            let mut there = theirs.accept().await.unwrap();
            there.write_all(b"welcome").await.unwrap();
            (there, theirs)
        });
        expect(&mut ours.open().await.unwrap(), b"welcome").await;
        speaking.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_empty_write_of_theirs_opens_a_stream_on_which_ours_speaks_first() {
    in_both_roles(async |ours, mut theirs| {
        let mut there = theirs.open().await.unwrap();
        assert_eq!(there.write(b"").await.unwrap(), 0);
        let mut here = ours.accept().await.unwrap();
        here.write_all(b"welcome").await.unwrap();
        expect(&mut there, b"welcome").await;
    })
    .await;
}

/// The peer sends FIN for an id that had no SYN. Nothing comes of it, and the session goes on.
#[tokio::test]
async fn s40_a_stream_of_theirs_that_ends_before_it_begins_is_never_seen() {
    in_both_roles(async |ours, mut theirs| {
        let mut never = theirs.open().await.unwrap();
        never.shutdown().await.unwrap();
        let mut there = theirs.open().await.unwrap();
        there.write_all(b"hello").await.unwrap();
        let mut here = ours.accept().await.unwrap();
        expect(&mut here, b"hello").await;
        let id = here.id().unwrap();
        let first = if ours.side() == muxado_tokio::Side::Client { 2 } else { 3 };
        assert_eq!(id.get(), first + 2);
        assert_eq!((ours.stats().accepted, ours.stats().resets_sent), (1, 0));
    })
    .await;
}
