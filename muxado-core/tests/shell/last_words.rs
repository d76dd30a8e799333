//! A peer that says its last words and closes makes our writes fail before those words are read. They still count.

use std::io;
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::{Config, EndCause, ErrorCode, Initiator, Side};
use muxado_testkit::{World, alone, wire};

#[test]
fn f22_a_failed_write_does_not_lose_what_the_peer_said_before() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"question").await.unwrap();
        world.settle();
        let goodbye = wire::frame(wire::GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\0done");
        one.from_peer.set(|mood| mood.read_max = 1);
        one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
        stream.write_all(b"more").await.unwrap();
        one.from_peer.inject(&[wire::data(3, b"answer"), wire::fin(3), goodbye].concat());
        one.from_peer.cut();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer", "and a clean end");
        let end = one.session.closed().await;
        assert_eq!(
            (end.code(), end.text(), end.initiator()),
            (ErrorCode::NO_ERROR, &b"done"[..], Initiator::Remote)
        );
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
}

/// What ends the reading comes later, within the moment in which the peer's last words are waited for.
#[test]
fn s81_a_write_that_failed_is_the_cause_whatever_ends_the_reading() {
    for reset in [false, true] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
        let end = world.block_on(async {
            let mut stream = one.session.open().await.unwrap();
            stream.write_all(b"question").await.unwrap();
            world.settle();
            assert_eq!(one.session.end(), None, "it reads on");
            match reset {
                true => one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset)),
                false => one.from_peer.cut(),
            }
            one.session.closed().await
        });
        assert!(
            matches!(end.cause(), EndCause::Transport(error) if error.kind() == io::ErrorKind::BrokenPipe),
            "{end}"
        );
        assert_eq!(world.elapsed(), Duration::ZERO);
    }
}

#[test]
fn s81_b10_answers_that_nothing_can_carry_are_not_counted_against_the_peer() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::builder().max_inbound_streams(1).build().unwrap());
    one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
    let end = world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"question").await.unwrap();
        world.settle();
        let syns: Vec<u8> = (1..=600).flat_map(|n| wire::syn(2 * n, b"")).collect();
        one.from_peer.inject(&syns);
        one.session.closed().await
    });
    assert!(
        matches!(end.cause(), EndCause::Transport(error) if error.kind() == io::ErrorKind::BrokenPipe),
        "{end}"
    );
    assert_eq!(one.session.stats().refused, 599);
}

#[test]
fn f22_a_peer_that_says_nothing_more_is_given_up_after_a_moment() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
    let end = world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"question").await.unwrap();
        stream.read(&mut [0; 9]).await.unwrap_err();
        one.session.closed().await
    });
    assert!(
        matches!(end.cause(), EndCause::Transport(error) if error.kind() == io::ErrorKind::BrokenPipe),
        "{end}"
    );
    assert_eq!(world.elapsed(), Duration::from_millis(250));
}
