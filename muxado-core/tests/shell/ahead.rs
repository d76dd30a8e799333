//! What small reads take out beyond what was asked for: how much, when nothing, and that no byte is lost or read twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, ReadError, Side, Stream};
use muxado_testkit::{Alone, World, alone, wire};

use crate::reads::bytes;

const AHEAD: usize = 4096;

/// A session with one stream, for which so many bytes have come.
fn with_unread(world: &World, config: &Config, len: usize) -> (Alone, Stream) {
    let one = alone(world, Side::Server, config);
    one.from_peer.inject(&wire::syn(3, &bytes(len)));
    let stream = world.block_on(one.session.accept()).unwrap();
    world.settle();
    assert_eq!(one.session.stats().unread_bytes, len);
    (one, stream)
}

fn read(world: &World, stream: &mut Stream, len: usize) -> Vec<u8> {
    let mut read = vec![0; len];
    world.block_on(stream.read_exact(&mut read)).unwrap();
    read
}

#[test]
fn b38_a_small_read_takes_out_4_kib_and_a_large_one_what_was_asked_for() {
    for (asked, taken) in [(1, AHEAD), (10, AHEAD), (AHEAD - 1, AHEAD), (AHEAD, AHEAD), (5000, 5000)] {
        let world = World::new();
        let (one, mut stream) = with_unread(&world, &Config::default(), 20_000);
        assert_eq!(read(&world, &mut stream, asked), bytes(20_000)[..asked]);
        assert_eq!(one.session.stats().unread_bytes, 20_000 - taken, "asked for {asked}");
        assert_eq!(read(&world, &mut stream, 20_000 - asked), bytes(20_000)[asked..]);
    }
}

#[test]
fn a_message_of_less_is_taken_out_whole_and_nothing_behind_it() {
    let world = World::new();
    let (one, mut stream) = with_unread(&world, &Config::default(), 1000);
    assert_eq!(read(&world, &mut stream, 8), bytes(1000)[..8]);
    assert_eq!(one.session.stats().unread_bytes, 0);
    one.from_peer.inject(&wire::data(3, b"next"));
    world.settle();
    assert_eq!(one.session.stats().unread_bytes, 4);
    assert_eq!(read(&world, &mut stream, 992), bytes(1000)[8..]);
    assert_eq!(read(&world, &mut stream, 4), b"next");
}

#[test]
fn chunks_come_after_what_was_taken_out() {
    let world = World::new();
    let (_one, mut stream) = with_unread(&world, &Config::default(), 10_000);
    let mut all = read(&world, &mut stream, 3);
    for len in [2, 4000, AHEAD - 3 - 2 - 4000, 10_000 - AHEAD] {
        let chunk = world.block_on(stream.read_chunk(len)).unwrap().unwrap();
        assert_eq!(chunk.len(), len);
        all.extend_from_slice(&chunk);
    }
    assert_eq!(all, bytes(10_000));
}

#[test]
fn nothing_is_taken_out_unasked_for_while_there_is_a_deadline_or_somebody_looks() {
    let world = World::new();
    let (one, mut stream) = with_unread(&world, &Config::default(), 10_000);
    stream.set_read_deadline(Some(world.now() + Duration::from_secs(1)));
    read(&world, &mut stream, 10);
    assert_eq!(one.session.stats().unread_bytes, 9990);
    world.block_on(world.sleep(Duration::from_secs(2)));
    assert_eq!(world.block_on(stream.read_chunk(9)), Err(ReadError::TimedOut));

    let config = Config::builder().inspection(true).build().unwrap();
    let (one, mut stream) = with_unread(&world, &config, 10_000);
    read(&world, &mut stream, 10);
    assert_eq!(one.session.stats().unread_bytes, 9990);
}

#[test]
fn what_was_taken_out_is_read_before_a_failure_and_before_the_end() {
    for (end, code) in
        [(wire::rst(3, 77), Some(77)), (wire::go_away(0, 6, b""), Some(6)), (wire::fin(3), None)]
    {
        let world = World::new();
        let (one, mut stream) = with_unread(&world, &Config::default(), 100);
        read(&world, &mut stream, 10);
        one.from_peer.inject(&end);
        one.from_peer.cut();
        world.settle();
        let mut rest = Vec::new();
        let ended = world.block_on(stream.read_to_end(&mut rest));
        assert_eq!(rest, bytes(100)[10..]);
        assert_eq!(ended.is_ok(), code.is_none(), "{ended:?}");
    }
}

#[test]
fn what_was_taken_out_can_be_read_after_a_reset_of_ours() {
    for (end, is_clean) in [(wire::data(3, b"more"), false), (wire::fin(3), true)] {
        let world = World::new();
        let (one, mut stream) = with_unread(&world, &Config::default(), 100);
        read(&world, &mut stream, 10);
        one.from_peer.inject(&end);
        world.settle();
        stream.reset(ErrorCode::STREAM_CANCELLED).unwrap();
        assert_eq!(read(&world, &mut stream, 90), bytes(100)[10..]);
        let then = world.block_on(stream.read_chunk(9));
        assert_eq!(then == Ok(None), is_clean, "{then:?}");
        assert_eq!(then.is_err(), !is_clean, "{then:?}");
    }
}

#[test]
fn s53_dropped_after_finish_with_bytes_taken_out_and_not_read_fin_then_rst_6() {
    for read_all in [false, true] {
        let world = World::new();
        let (one, mut stream) = with_unread(&world, &Config::default(), 100);
        read(&world, &mut stream, if read_all { 100 } else { 10 });
        world.block_on(stream.close()).unwrap();
        let _ = one.to_peer.take();
        drop(stream);
        world.settle();
        let expected = if read_all { wire::fin(3) } else { [wire::fin(3), wire::rst(3, 6)].concat() };
        assert_eq!(one.to_peer.take(), expected);
    }
}

#[test]
fn who_prints_a_stream_is_not_shown_what_it_carries() {
    let world = World::new();
    let (_one, mut stream) = with_unread(&world, &Config::default(), 10_000);
    let before = format!("{stream:?}");
    read(&world, &mut stream, 10);
    assert_eq!(format!("{stream:?}"), before.replace("Ahead(0)", "Ahead(4086)"));
}

#[test]
fn f54_whoever_panics_over_bytes_that_were_taken_out_has_read_them() {
    let world = World::new();
    let (_one, mut stream) = with_unread(&world, &Config::default(), 100);
    let mut cx = Context::from_waker(Waker::noop());
    for at in [0, 7] {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = stream.halves().1.poll_read_with(&mut cx, 7, |piece| {
                assert_eq!(piece, &bytes(100)[at..at + 7]);
                panic!("the reader");
            });
        }));
        assert!(panicked.is_err());
    }
    assert!(matches!(
        stream.poll_read_chunk(&mut cx, 100),
        Poll::Ready(Ok(Some(rest))) if rest == bytes(100)[14..]
    ));
}
