//! Typed streams: the four bytes of the type, read and written by their wrapper. Ours writes them by hand.

use crate_muxado::typed::{StreamType, Typed, TypedAccept as _, TypedOpenClose as _};
use tokio::io::AsyncWriteExt;

use crate::exchange::{expect, read_all, write_last};
use crate::roles::in_both_roles;

const TYPE: u32 = 0x0102_A0FF;

/// W13: type and data in the first frame.
#[tokio::test]
async fn w13_they_read_the_type_and_the_data_behind_it() {
    in_both_roles(async |ours, theirs| {
        let mut theirs = Typed::new(theirs);
        let mut here = ours.open().await.unwrap();
        let mut first = TYPE.to_be_bytes().to_vec();
        first.extend_from_slice(b"data");
        here.write_all(&first).await.unwrap();
        let mut there = theirs.accept_typed().await.unwrap();
        assert_eq!(*there.typ(), TYPE);
        expect(&mut *there, b"data").await;
        write_last(&mut *there, b"answer").await;
        assert_eq!(read_all(&mut here).await, b"answer");
    })
    .await;
}

#[tokio::test]
async fn they_read_a_type_that_comes_alone() {
    in_both_roles(async |ours, theirs| {
        let mut theirs = Typed::new(theirs);
        let mut here = ours.open().await.unwrap();
        here.write_all(&TYPE.to_be_bytes()).await.unwrap();
        let mut there = theirs.accept_typed().await.unwrap();
        assert_eq!(*there.typ(), TYPE);
        write_last(&mut here, b"later").await;
        assert_eq!(read_all(&mut *there).await, b"later");
    })
    .await;
}

#[tokio::test]
async fn ours_reads_the_type_that_their_opener_wrote() {
    in_both_roles(async |ours, theirs| {
        let mut theirs = Typed::new(theirs);
        let mut there = theirs.open_typed(StreamType::clamp(TYPE)).await.unwrap();
        let mut here = ours.accept().await.unwrap();
        expect(&mut here, &TYPE.to_be_bytes()).await;
        write_last(&mut *there, b"data").await;
        assert_eq!(read_all(&mut here).await, b"data");
    })
    .await;
}
