//! A peer that misbehaves in every way there is makes no noise: nothing is louder than debug.

use futures_util::AsyncWriteExt;
use muxado_core::Config;
use muxado_testkit::catalog::{floods, rows};
use muxado_testkit::{World, alone};
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::listener::Heard;

/// A session that is told `bytes`, with `opens` streams of its own; then the transport ends.
fn play(heard: &Heard, name: &str, side: muxado_core::Side, opens: usize, bytes: &[u8]) {
    let world = World::new();
    heard.while_doing(LevelFilter::DEBUG, || {
        let one = alone(&world, side, &Config::default());
        let mut streams = Vec::new();
        for _ in 0..opens {
            let mut stream = world.block_on(one.session.open()).unwrap();
            world.block_on(stream.flush()).unwrap();
            streams.push(stream);
        }
        one.from_peer.inject(bytes);
        world.settle();
        // Whatever can be accepted is.
        while let Some(Ok(stream)) =
            world.block_on(async { futures_util::future::FutureExt::now_or_never(one.session.accept()) })
        {
            streams.push(stream);
        }
        drop(one.to_peer.take());
        world.settle();
        one.from_peer.cut();
        world.block_on(one.session.closed());
        world.settle();
        drop(streams);
    });
    world.shut_down();
    let summaries = heard.events().iter().filter(|event| event.fields.contains("session ended")).count();
    assert_eq!(summaries, 1, "{name}: {:?}", heard.events());
    assert!(heard.open().is_empty(), "{name}: {:?}", heard.open());
    assert_eq!(heard.loudest(), Some(Level::DEBUG), "{name}");
}

#[test]
fn no_row_of_the_catalog_is_louder_than_debug() {
    for row in rows() {
        play(&Heard::default(), row.name, row.side, row.opens, &row.bytes());
    }
}

#[test]
fn no_flood_is_louder_than_debug() {
    for flood in floods() {
        play(&Heard::default(), flood.name, flood.side, flood.opens, &flood.bytes(400));
    }
}
