//! Limits: those of ours refuse single streams, those of the peer are kept away from.

use std::io;

use crate_muxado::{Accept as _, Error, MuxadoSession, OpenClose as _, Session as _};
use muxado_tokio::{Config, OpenError, Session};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::exchange::{answer, ask, expect, round_trip, their_code};
use crate::roles::{Setup, in_both_roles, in_both_roles_with};

/// The peer's session dies of stream 513. By default each side of ours has 256.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_defaults_both_sides_can_use_all_their_streams_at_once() {
    const EACH: usize = 256;
    in_both_roles(async |ours, theirs| {
        let (mut open, mut accept) = theirs.split();
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for _ in 0..EACH {
            let (mut our_stream, mut their_stream) = (ours.open().await.unwrap(), open.open().await.unwrap());
            our_stream.write_all(b"ours").await.unwrap();
            their_stream.write_all(b"theirs").await.unwrap();
            here.push((our_stream, accept.accept().await.unwrap()));
            there.push((their_stream, ours.accept().await.unwrap()));
        }
        assert_eq!(ours.stats().streams, 2 * EACH);
        assert!(matches!(ours.try_open(), Err(OpenError::Busy)));
        for (opened, accepted) in &mut here {
            expect(accepted, b"ours").await;
            round_trip(opened, accepted).await;
        }
        for (opened, accepted) in &mut there {
            expect(accepted, b"theirs").await;
            round_trip(opened, accepted).await;
        }
    })
    .await;
}

#[tokio::test]
async fn our_open_waits_for_a_free_place() {
    let ours = Config::builder().max_outbound_streams(4).build().unwrap();
    in_both_roles_with(Setup { ours, ..Setup::default() }, async |ours, mut theirs| {
        let answering = tokio::spawn(async move {
            for _ in 0..100 {
                tokio::spawn(answer(theirs.accept().await.unwrap()));
            }
            theirs
        });
        let mut askers = JoinSet::new();
        for _ in 0..100 {
            let ours = ours.clone();
            askers.spawn(async move { ask(ours.open().await.unwrap(), b"ab").await });
        }
        assert_eq!(askers.join_all().await, vec![b"ba".to_vec(); 100]);
        answering.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn s30_a_stream_of_theirs_beyond_our_limit_is_refused_alone() {
    let ours = Config::builder().max_inbound_streams(2).build().unwrap();
    in_both_roles_with(Setup { ours, ..Setup::default() }, async |ours, theirs| {
        assert_eq!(their_third_stream(ours, theirs).await, Some(Error::StreamRefused));
    })
    .await;
}

#[tokio::test]
async fn s29_a_stream_of_theirs_beyond_our_backlog_is_refused_alone() {
    let ours = Config::builder().accept_backlog(1).build().unwrap();
    in_both_roles_with(Setup { ours, ..Setup::default() }, async |ours, theirs| {
        assert_eq!(their_third_stream(ours, theirs).await, Some(Error::AcceptQueueFull));
    })
    .await;
}

/// Ours accepts the first stream, the second waits, and for the third there is no room. Returns what a write on it
/// fails with. The first works on and the second can still be accepted.
async fn their_third_stream(ours: Session, mut theirs: MuxadoSession) -> Option<Error> {
    let mut first = theirs.open().await.unwrap();
    first.write_all(b"first").await.unwrap();
    let mut accepted = ours.accept().await.unwrap();
    expect(&mut accepted, b"first").await;
    let mut second = theirs.open().await.unwrap();
    second.write_all(b"second").await.unwrap();
    // Frames of different streams may change places on their side: the third must not come before the second.
    while ours.stats().backlog == 0 {
        round_trip(&mut first, &mut accepted).await;
    }
    let mut third = theirs.open().await.unwrap();
    let error: io::Error = loop {
        if let Err(error) = third.write(b"third").await {
            break error;
        }
        round_trip(&mut first, &mut accepted).await;
    };
    expect(&mut ours.accept().await.unwrap(), b"second").await;
    assert_eq!(ours.stats().refused, 1);
    their_code(&error)
}

/// With a full accept queue the peer stops reading. Ours waits, and goes on when it does.
#[tokio::test]
async fn a_peer_that_accepts_late_gets_everything() {
    const STREAMS: u8 = 50;
    let setup = Setup { their_accept_queue: Some(1), ..Setup::default() };
    in_both_roles_with(setup, async |ours, mut theirs| {
        let mut opened = Vec::new();
        for number in 0..STREAMS {
            let mut stream = ours.open().await.unwrap();
            stream.write_all(&[number; 10_000]).await.unwrap();
            opened.push(stream);
        }
        // Each write above was accepted by ours, whether or not the peer reads.
        for number in 0..STREAMS {
            let mut stream = theirs.accept().await.unwrap();
            expect(&mut stream, &[number; 10_000]).await;
            stream.write_all(b"read").await.unwrap();
            expect(&mut opened[usize::from(number)], b"read").await;
        }
    })
    .await;
}
