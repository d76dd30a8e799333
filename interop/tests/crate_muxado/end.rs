//! The end of a session, from either end: what is delivered, and what each side is told.

use std::io;

use crate_muxado::{Accept as _, Error, MuxadoSession, OpenClose as _};
use muxado_tokio::{EndCause, ErrorCode, OpenError, ReadError, Session, Stream};
use tokio::io::AsyncWriteExt;

use crate::exchange::{expect, read_all, their_code};
use crate::roles::in_both_roles;

/// A stream of theirs in the middle of something: "half" has come, and more would.
async fn unfinished(ours: &Session, theirs: &mut MuxadoSession) -> (Stream, crate_muxado::Stream) {
    let mut here = ours.open().await.unwrap();
    here.write_all(b"request").await.unwrap();
    let mut there = theirs.accept().await.unwrap();
    expect(&mut there, b"request").await;
    there.write_all(b"half").await.unwrap();
    expect(&mut here, b"half").await;
    (here, there)
}

/// What a read of ours says in the middle of a stream. A clean end would be a lie.
async fn read_error(stream: &mut Stream) -> ReadError {
    match stream.read_chunk(100).await {
        Err(error) => error,
        Ok(more) => panic!("{more:?}"),
    }
}

#[tokio::test]
async fn our_close_ends_their_session_and_its_code_reaches_their_writers() {
    in_both_roles(async |ours, mut theirs| {
        let (mut here, mut there) = unfinished(&ours, &mut theirs).await;
        let closed = ours.close(ErrorCode::ENHANCE_YOUR_CALM, "too much");
        // Their accept ends once the GOAWAY has been handled.
        assert!(theirs.accept().await.is_none());
        assert_eq!(read_all(&mut there).await, b"", "it takes any GOAWAY for a clean end");
        let error = there.write(b"more").await.unwrap_err();
        assert_eq!(
            (error.kind(), their_code(&error)),
            (io::ErrorKind::ConnectionReset, Some(Error::EnhanceYourCalm))
        );
        let end = closed.await;
        assert_eq!((end.code(), end.text()), (ErrorCode::ENHANCE_YOUR_CALM, &b"too much"[..]));
        assert!(matches!(end.cause(), EndCause::Closed { .. }), "{end}");
        assert!(matches!(read_error(&mut here).await, ReadError::Session(lost) if *lost.end() == end));
        assert!(matches!(ours.open().await, Err(OpenError::Session(_))));
    })
    .await;
}

#[tokio::test]
async fn s80_what_ours_finished_before_its_close_arrives() {
    const SIZE: usize = 200_000;
    in_both_roles(async |ours, mut theirs| {
        let mut here = ours.open().await.unwrap();
        here.write_all(&[7; SIZE]).await.unwrap();
        here.shutdown().await.unwrap();
        let closed = ours.close(ErrorCode::NO_ERROR, "goodbye");
        let mut there = theirs.accept().await.unwrap();
        assert_eq!(read_all(&mut there).await, [7; SIZE]);
        let end = closed.await;
        assert!(end.is_clean(), "{end}");
    })
    .await;
}

/// S73: the length of their GOAWAY leaves out 8 bytes, and the last 8 of the text come as a frame. Whatever they look
/// like, the code and the rest of the text are what is reported, and the transport need not end for it.
#[tokio::test]
async fn s73_their_close_is_reported_with_its_code_and_what_is_left_of_its_text() {
    let cases = [
        // The fourth byte of what strays holds the type: a letter is unknown, a space WNDINC, a digit GOAWAY.
        (Error::None, "nineteen bytes long", "nineteen by"),
        (Error::Protocol, "your peer broke the rules", "your peer broke t"),
        (Error::Internal, "error number 1234567 here", "error number 1234"),
        (Error::EnhanceYourCalm, "exactly8", ""),
    ];
    in_both_roles_each(&cases, async |ours, mut theirs, (error, text, left)| {
        let (mut here, _there) = unfinished(&ours, &mut theirs).await;
        theirs.close(error, text.into()).await.unwrap();
        let end = ours.closed().await;
        assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{end}");
        assert_eq!((end.code(), end.text()), (ErrorCode::new(error as u32), left.as_bytes()));
        assert_eq!(end.is_clean(), error == Error::None);
        assert!(matches!(read_error(&mut here).await, ReadError::Session(lost) if *lost.end() == end));
        assert_eq!(*ours.accept().await.unwrap_err().end(), end);
    })
    .await;
}

async fn in_both_roles_each<T: Copy>(cases: &[T], run: impl AsyncFn(Session, MuxadoSession, T)) {
    for case in cases.iter().copied() {
        in_both_roles(async |ours, theirs| run(ours, theirs, case).await).await;
    }
}

/// Of a GOAWAY with less than 8 bytes of text nothing is sent. Only the end of the transport tells, with no code.
#[tokio::test]
async fn s82_their_close_with_a_short_text_is_noticed_when_they_let_the_session_go() {
    in_both_roles(async |ours, mut theirs| {
        let (mut here, _there) = unfinished(&ours, &mut theirs).await;
        theirs.close(Error::Protocol, "7 bytes".into()).await.unwrap();
        drop(theirs);
        let end = ours.closed().await;
        assert!(matches!(end.cause(), EndCause::PeerEof), "{end}");
        assert!(matches!(read_error(&mut here).await, ReadError::Session(lost) if *lost.end() == end));
    })
    .await;
}

/// They drop a session while they hold an accepted stream: the transport ends without a word.
#[tokio::test]
async fn s01_a_session_that_they_drop_cuts_its_streams() {
    in_both_roles(async |ours, mut theirs| {
        let (mut here, _there) = unfinished(&ours, &mut theirs).await;
        drop(theirs);
        let error = read_error(&mut here).await;
        let end = ours.closed().await;
        assert!(matches!(end.cause(), EndCause::PeerEof), "{end}");
        assert!(!end.is_clean());
        assert!(matches!(error, ReadError::Session(lost) if *lost.end() == end));
    })
    .await;
}

/// S83: what had ended before stays readable after.
#[tokio::test]
async fn s83_a_stream_that_they_finished_before_their_close_is_read_whole_afterwards() {
    in_both_roles(async |ours, mut theirs| {
        let mut there = theirs.open().await.unwrap();
        there.write_all(b"the whole answer").await.unwrap();
        there.shutdown().await.unwrap();
        let mut here = ours.accept().await.unwrap();
        // Their GOAWAY overtakes what is queued: what was sent must have come before they close.
        while ours.stats().unread_bytes < 16 {
            exchange_hellos(&ours, &mut theirs).await;
        }
        exchange_hellos(&ours, &mut theirs).await;
        theirs.close(Error::Internal, "something went wrong".into()).await.unwrap();
        assert_eq!(ours.closed().await.code(), ErrorCode::INTERNAL_ERROR);
        assert_eq!(read_all(&mut here).await, b"the whole answer");
    })
    .await;
}

/// A stream of its own, there and back.
async fn exchange_hellos(ours: &Session, theirs: &mut MuxadoSession) {
    let (mut here, there) = unfinished(ours, theirs).await;
    here.shutdown().await.unwrap();
    drop(there);
    assert_eq!(read_all(&mut here).await, b"");
}
