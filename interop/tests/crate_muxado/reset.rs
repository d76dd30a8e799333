//! Streams that end in another way than by FIN, from either end.

use std::io;

use crate_muxado::{Accept as _, Error, MuxadoSession};
use muxado_tokio::{ErrorCode, Initiator, Session, Stream, WriteError};
use tokio::io::AsyncWriteExt;

use crate::exchange::{expect, read_all, round_trip, their_code};
use crate::roles::in_both_roles;

/// A stream of ours on which both have spoken.
async fn live(ours: &Session, theirs: &mut MuxadoSession) -> (Stream, crate_muxado::Stream) {
    let mut here = ours.open().await.unwrap();
    here.write_all(b"hello").await.unwrap();
    let mut there = theirs.accept().await.unwrap();
    expect(&mut there, b"hello").await;
    (here, there)
}

/// What a write of theirs fails with, once the reset of ours has arrived. It wakes nobody there, so this asks again
/// after each round trip on another stream of the session.
async fn their_write_error(
    broken: &mut crate_muxado::Stream,
    other: (&mut Stream, &mut crate_muxado::Stream),
) -> io::Error {
    loop {
        round_trip(other.0, other.1).await;
        if let Err(error) = broken.write(b"more").await {
            return error;
        }
    }
}

#[tokio::test]
async fn they_learn_the_code_of_a_reset() {
    let codes = [
        (ErrorCode::INTERNAL_ERROR, Error::Internal),
        (ErrorCode::STREAM_CANCELLED, Error::StreamCancelled),
        (ErrorCode::ENHANCE_YOUR_CALM, Error::EnhanceYourCalm),
        // It has one name for all that it does not know.
        (ErrorCode::new(1000), Error::ErrorUnknown),
    ];
    in_both_roles(async |ours, mut theirs| {
        let mut other = live(&ours, &mut theirs).await;
        for (code, theirs_is) in codes {
            let (mut here, mut there) = live(&ours, &mut theirs).await;
            here.reset(code).unwrap();
            let error = their_write_error(&mut there, (&mut other.0, &mut other.1)).await;
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert_eq!(their_code(&error), Some(theirs_is));
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_ours_dropped_before_it_is_finished_is_cancelled() {
    in_both_roles(async |ours, mut theirs| {
        let mut other = live(&ours, &mut theirs).await;
        let (mut here, mut there) = live(&ours, &mut theirs).await;
        here.write_all(b"written before the drop").await.unwrap();
        drop(here);
        // What was accepted still arrives.
        expect(&mut there, b"written before the drop").await;
        let error = their_write_error(&mut there, (&mut other.0, &mut other.1)).await;
        assert_eq!(their_code(&error), Some(Error::StreamCancelled));
    })
    .await;
}

/// The peer ends a dropped stream with FIN, as if it had been finished: nothing in the protocol tells the two apart.
#[tokio::test]
async fn a_stream_that_they_drop_ends_cleanly_and_then_refuses_what_ours_writes() {
    in_both_roles(async |ours, mut theirs| {
        let (mut here, mut there) = live(&ours, &mut theirs).await;
        there.write_all(b"last words").await.unwrap();
        drop(there);
        assert_eq!(read_all(&mut here).await, b"last words");
        let error = loop {
            if let Err(error) = here.write_chunk(vec![0; 1000].into()).await {
                break error;
            }
        };
        match error {
            WriteError::Reset(reset) => {
                assert_eq!((reset.code(), reset.initiator()), (ErrorCode::STREAM_CLOSED, Initiator::Remote));
            }
            other => panic!("{other}"),
        }
        assert!(ours.end().is_none());
        live(&ours, &mut theirs).await;
    })
    .await;
}
