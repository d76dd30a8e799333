//! Attacks that want us to hold much: unread data, unsent data, everything at once.

use std::time::Duration;

use futures_util::AsyncWriteExt;
use muxado_core::{Config, Side};
use muxado_testkit::catalog::App;
use muxado_testkit::wire::{data, syn, wndinc};
use muxado_testkit::{Host, World, alone as alone_with};

use super::{flood, play};
use crate::alone;
use crate::bounds::Watch;

const MIB: usize = 1024 * 1024;

/// A huge window, and a transport that is not read: what waits to be sent is bounded by us, and ends by a limit of time.
#[test]
fn v07_credit_does_not_size_what_we_queue() {
    let _turn = alone();
    let world = World::new();
    let watch = Watch::new();
    let one = alone_with(&world, Side::Server, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    for id in (3..3 + 2 * 64).step_by(2) {
        one.from_peer.inject(&[syn(id, b""), wndinc(id, 0x7FFF_FFFF)].concat());
    }
    world.block_on(async {
        for _ in 0..64 {
            let mut stream = one.session.accept().await.unwrap();
            muxado_core::rt::Runtime::spawn(&world, async move {
                let _ = stream.write_all(&vec![7; MIB]).await;
            });
        }
        muxado_core::rt::Runtime::sleep(&world, Duration::from_millis(10)).await;
        // A MiB in each task is the test's own.
        let held = watch.held() - 64 * MIB;
        // 512 KiB ready to go, 16 KiB for each stream, a batch of 256 KiB with its copies, a read buffer.
        let bound = 512 * 1024 + 64 * 16 * 1024 + 3 * 256 * 1024 + 256 * 1024 + 256 * 1024;
        assert!(held <= bound, "{held} bytes held, {bound} allowed");
        let polls = world.polls();
        one.session.closed().await;
        assert!(world.polls() - polls <= 300, "{} polls to wait", world.polls() - polls);
    });
    assert!(world.elapsed() < Duration::from_secs(31), "{:?}", world.elapsed());
}

/// Much overhead for little payload: of all that floods leave unread, we hold twice as much and our fixed part.
#[test]
fn v17_many_small_pieces_are_not_amplified() {
    let _turn = alone();
    for name in [
        "s51_flood_of_bytes",
        "s51_flood_of_bytes_over_all_streams",
        "s51_flood_of_bytes_not_accepted",
        "s51_flood_of_two_kibibytes",
        "s22_churn_with_data_held",
    ] {
        let attack = flood(name);
        let cost = play(&attack, &Config::default(), 600);
        let payload = attack.bytes(attack.rounds).len();
        assert!(cost.held <= 2 * payload + 160 * 1024, "{name}: {cost:?}");
    }
}

/// Everything a peer can fill, filled: as many streams as it may have, each with a full window.
#[test]
fn f84_v18_everything_at_once_is_what_the_table_says() {
    let _turn = alone();
    let watch = Watch::new();
    let mut host = Host::new(Side::Server, &Config::default(), App::Holds, 256);
    let frames = 16;
    for number in 0..300 {
        host.feed(&syn(3 + 2 * number, b""));
        let payload = data(3 + 2 * number, &[7; 16 * 1024]);
        (0..frames).for_each(|_| host.feed(&payload));
        // And as much on a stream of ours.
        let payload = data(2 + 2 * number.min(255), &[7; 1000]);
        host.feed(&payload);
    }
    let unread = host.mux.unread();
    assert!(host.mux.end().is_none());
    assert!(unread >= 64 * MIB, "{unread}");
    let held = watch.held();
    assert!(held <= unread + unread / 16 + MIB, "{held} bytes held for {unread} unread");
    host.drop_all();
    let held = watch.held();
    assert!(held <= MIB, "{held} bytes held for nothing");
}
