//! Small messages of many streams share a write; those of few streams wait for nobody.

use futures_util::AsyncWriteExt;
use muxado_core::rt::Runtime;
use muxado_core::{Config, Side};
use muxado_testkit::{World, alone};

/// Writes of the transport for a message on each of `streams` streams, each written by a task of its own; and how many polls
/// of all tasks that took.
fn writes_for(streams: usize) -> (u64, u64) {
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
    let before = (one.to_peer.write_calls(), world.polls());
    for mut stream in open.drain(..) {
        world.spawn(async move {
            stream.write_all(b"message").await.unwrap();
            // Held: a dropped stream has more to say.
            std::future::pending::<()>().await;
        });
    }
    world.settle();
    assert_eq!(one.to_peer.take().len(), streams * 15);
    (one.to_peer.write_calls() - before.0, world.polls() - before.1)
}

#[test]
fn many_messages_go_out_in_one_write_and_few_at_once() {
    assert_eq!(writes_for(100).0, 1);
    assert_eq!(writes_for(16).0, 1);
    let (writes, polls) = writes_for(1);
    assert_eq!((writes, polls), (1, 2), "the writer's and the driver's: the driver waits for nobody");
}
