//! Both heartbeats at once, each answered by the other side; and our typed sessions with theirs.

use std::time::Duration;

use crate_muxado::heartbeat::{Heartbeat as TheirHeartbeat, HeartbeatConfig as TheirConfig};
use crate_muxado::typed::{StreamType, Typed as TheirTyped, TypedAccept as _, TypedOpenClose as _};
use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_typed::Typed;
use tokio::io::AsyncWriteExt;

use crate::exchange::{expect, read_all, write_last};
use crate::roles::in_both_roles;

#[tokio::test]
async fn each_side_answers_the_beats_of_the_other() {
    in_both_roles(async |ours, theirs| {
        let ours = Heartbeat::start(Typed::new(ours), HeartbeatConfig::default()).await.unwrap();
        let (mut theirs, control) =
            TheirHeartbeat::start(TheirTyped::new(theirs), TheirConfig::default()).await.unwrap();
        let answering = ours.clone();
        tokio::spawn(async move { while answering.accept().await.is_ok() {} });
        tokio::spawn(async move { while theirs.accept_typed().await.is_ok() {} });
        for _ in 0..3 {
            ours.beat(Duration::from_secs(10)).await.unwrap();
            control.beat().await.unwrap();
        }
        assert!(ours.rtt().is_some());
    })
    .await;
}

#[tokio::test]
async fn typed_streams_are_opened_and_accepted_by_either_side() {
    in_both_roles(async |ours, theirs| {
        let (ours, mut theirs) = (Typed::new(ours), TheirTyped::new(theirs));
        let mut here = ours.open(77).await.unwrap().into_inner();
        here.write_all(b"data").await.unwrap();
        let mut there = theirs.accept_typed().await.unwrap();
        assert_eq!(*there.typ(), 77);
        expect(&mut *there, b"data").await;
        write_last(&mut *there, b"answer").await;
        assert_eq!(read_all(&mut here).await, b"answer");

        let mut there = theirs.open_typed(StreamType::clamp(78)).await.unwrap();
        let here = ours.accept().await.unwrap();
        assert_eq!(here.stream_type().get(), 78);
        write_last(&mut *there, b"data").await;
        assert_eq!(read_all(&mut here.into_inner()).await, b"data");
    })
    .await;
}
