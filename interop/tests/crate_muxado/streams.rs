//! Streams: one, many at once, many after each other, opened from either end.

use std::collections::HashSet;

use crate_muxado::{Accept as _, OpenClose as _, Session as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::exchange::{Duplex, answer, ask, expect, read_all, write_last};
use crate::roles::in_both_roles;

const MANY: u8 = 100;

#[tokio::test]
async fn they_answer_on_a_stream_of_ours() {
    in_both_roles(async |ours, mut theirs| {
        let answering = tokio::spawn(async move {
            answer(theirs.accept().await.unwrap()).await;
            theirs
        });
        assert_eq!(ask(ours.open().await.unwrap(), b"request").await, b"tseuqer");
        answering.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ours_answers_on_a_stream_of_theirs() {
    in_both_roles(async |ours, mut theirs| {
        let answering = tokio::spawn(async move {
            answer(ours.accept().await.unwrap()).await;
            ours
        });
        assert_eq!(ask(theirs.open().await.unwrap(), b"request").await, b"tseuqer");
        answering.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_hundred_streams_of_ours_at_once() {
    in_both_roles(async |ours, mut theirs| {
        let mut opened = Vec::new();
        for number in 0..MANY {
            let mut stream = ours.open().await.unwrap();
            stream.write_all(&[number]).await.unwrap();
            opened.push(stream);
        }
        let mut accepted = Vec::new();
        for _ in 0..MANY {
            accepted.push(theirs.accept().await.unwrap());
        }
        all_live(opened, accepted).await;
        assert_eq!((ours.stats().opened, ours.stats().streams), (u64::from(MANY), 0));
    })
    .await;
}

#[tokio::test]
async fn a_hundred_streams_of_theirs_at_once() {
    in_both_roles(async |ours, mut theirs| {
        let mut opened = Vec::new();
        for number in 0..MANY {
            let mut stream = theirs.open().await.unwrap();
            stream.write_all(&[number]).await.unwrap();
            opened.push(stream);
        }
        let mut accepted = Vec::new();
        for _ in 0..MANY {
            accepted.push(ours.accept().await.unwrap());
        }
        all_live(opened, accepted).await;
        assert_eq!(ours.stats().accepted, u64::from(MANY));
    })
    .await;
}

/// Each of `opened` has written its number, and none has ended. They are answered, and then both ends finish.
async fn all_live(opened: Vec<impl Duplex>, accepted: Vec<impl Duplex>) {
    let mut answered = Vec::new();
    let mut seen = HashSet::new();
    for mut stream in accepted {
        let number = stream.read_u8().await.unwrap();
        assert!(seen.insert(number), "{number} came twice");
        write_last(&mut stream, &[number]).await;
        answered.push(stream);
    }
    for (number, mut stream) in opened.into_iter().enumerate() {
        assert_eq!(read_all(&mut stream).await, [number as u8]);
        stream.shutdown().await.unwrap();
    }
    for mut stream in answered {
        assert_eq!(read_all(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn both_open_at_the_same_time() {
    in_both_roles(async |ours, theirs| {
        let (mut open, mut accept) = theirs.split();
        let mut tasks = JoinSet::new();
        {
            let ours = ours.clone();
            tasks.spawn(async move {
                for _ in 0..MANY {
                    tokio::spawn(answer(ours.accept().await.unwrap()));
                }
            });
        }
        tasks.spawn(async move {
            for _ in 0..MANY {
                tokio::spawn(answer(accept.accept().await.unwrap()));
            }
        });
        for number in 0..MANY {
            let request = number.to_string().into_bytes();
            let reversed: Vec<u8> = request.iter().rev().copied().collect();
            let (our_stream, their_stream) = (ours.open().await.unwrap(), open.open().await.unwrap());
            tasks.spawn(async move {
                let answers = tokio::join!(ask(our_stream, &request), ask(their_stream, &request));
                assert_eq!(answers, (reversed.clone(), reversed));
            });
        }
        tasks.join_all().await;
    })
    .await;
}

#[tokio::test]
async fn two_thousand_streams_after_each_other_leave_nothing_behind() {
    in_both_roles(async |ours, mut theirs| {
        let answering = tokio::spawn(async move {
            for _ in 0..2000 {
                answer(theirs.accept().await.unwrap()).await;
            }
            theirs
        });
        for _ in 0..2000 {
            assert_eq!(ask(ours.open().await.unwrap(), b"ab").await, b"ba");
        }
        answering.await.unwrap();
        assert_eq!((ours.stats().streams, ours.stats().finished), (0, 2000));
        assert_eq!(ours.stats().resets_received, 0);
    })
    .await;
}

/// W01: their acceptor is given the ids in the order in which our SYNs went out, whatever was opened first.
#[tokio::test]
async fn w01_a_stream_opened_first_and_written_last_has_the_highest_id() {
    in_both_roles(async |ours, mut theirs| {
        let mut first = ours.open().await.unwrap();
        let mut second = ours.open().await.unwrap();
        second.write_all(b"second").await.unwrap();
        expect(&mut theirs.accept().await.unwrap(), b"second").await;
        first.write_all(b"first").await.unwrap();
        expect(&mut theirs.accept().await.unwrap(), b"first").await;
        assert!(first.id() > second.id(), "{first:?} {second:?}");
    })
    .await;
}

/// S25: the peer takes the id when it opens, and sends SYN with the first write.
#[tokio::test]
async fn s25_their_streams_arrive_out_of_id_order() {
    in_both_roles(async |ours, mut theirs| {
        let mut low = theirs.open().await.unwrap();
        let mut high = theirs.open().await.unwrap();
        high.write_all(b"high").await.unwrap();
        let mut first = ours.accept().await.unwrap();
        expect(&mut first, b"high").await;
        low.write_all(b"low").await.unwrap();
        let mut second = ours.accept().await.unwrap();
        expect(&mut second, b"low").await;
        assert!(first.id() > second.id(), "{first:?} {second:?}");
    })
    .await;
}
