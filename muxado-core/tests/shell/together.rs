//! Small messages of many streams share a write; those of few streams wait for nobody.

use futures_util::{AsyncWriteExt, FutureExt};
use muxado_core::{Config, Side};
use muxado_testkit::{World, alone};

/// Writes of the transport for 100 messages, each on the next of `streams` streams, where the driver has a turn after each
/// message, as with a runtime that runs first what was woken last.
fn writes_for(streams: usize) -> u64 {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut open: Vec<_> = world.block_on(async {
        let mut open = Vec::new();
        for _ in 0..streams {
            open.push(one.session.open().await.unwrap());
        }
        open
    });
    world.settle();
    let before = one.to_peer.write_calls();
    for message in 0..100 {
        let written = open[message % streams].write_all(b"message").now_or_never();
        written.expect("there is room").unwrap();
        world.turn();
    }
    world.settle();
    assert_eq!(one.to_peer.take().len(), 100 * 15);
    one.to_peer.write_calls() - before
}

/// The same for streams of which each is opened, used and let go before the next.
fn writes_one_by_one() -> u64 {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    for _ in 0..100 {
        let mut stream = world.block_on(one.session.open()).unwrap();
        stream.write_all(b"message").now_or_never().expect("there is room").unwrap();
        world.turn();
        assert_eq!(one.to_peer.take().len(), 15, "at once");
        drop(stream);
        world.settle();
        let _delivered = one.to_peer.take();
    }
    one.to_peer.write_calls()
}

#[test]
fn streams_that_come_one_after_the_other_wait_for_nobody() {
    assert_eq!(writes_one_by_one(), 2 * 100, "a message, and the RST of a dropped stream");
}

#[test]
fn messages_of_many_streams_share_a_write_and_those_of_few_go_out_at_once() {
    for streams in [1, 2, 7] {
        assert_eq!(writes_for(streams), 100, "{streams}");
    }
    for streams in [16, 100] {
        let writes = writes_for(streams);
        assert!(
            writes <= 60,
            "two messages in each once it is known that there are many: {writes} for {streams}"
        );
    }
}
