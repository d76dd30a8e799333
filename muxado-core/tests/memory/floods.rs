//! B32 and the whole table under floods, on the machine: after each piece of each.

use muxado_core::Config;
use muxado_testkit::catalog::{APPS, Flood, floods};

use crate::alone;
use crate::bounds::Watch;

/// Plays a flood in pieces of about `chunk` bytes. The most it made us hold.
fn watch(flood: &Flood, rounds: u32, chunk: usize) -> usize {
    let what = format!("{} with {:?} in pieces of {chunk}", flood.name, flood.app);
    let mut watch = Watch::new();
    let mut host = flood.host(&Config::default());
    let (mut next, mut fed) = (0, flood.first.len());
    while next < rounds.min(flood.rounds) {
        let (bytes, after) = flood.rounds_from(next, chunk);
        bytes.chunks(chunk).for_each(|piece| host.feed(piece));
        fed += bytes.len();
        next = after;
        drop(bytes);
        watch.look(&what, fed, &host);
    }
    watch.peak
}

#[test]
fn f80_b32_no_flood_holds_more_than_it_may() {
    let _turn = alone();
    for flood in floods() {
        watch(&flood, u32::MAX, 4096);
        watch(&flood, 400, 13);
    }
}

#[test]
fn b32_no_flood_holds_more_whatever_the_application_does() {
    let _turn = alone();
    for mut flood in floods() {
        for app in APPS {
            for listens in [true, false] {
                flood.app = app;
                flood.listens = listens;
                watch(&flood, 300, 700);
            }
        }
    }
}

/// What a flood leaves behind is the same after more of it.
#[test]
fn b09_b31_nothing_grows_with_the_number_of_streams_that_were() {
    let _turn = alone();
    // The table of dead ids may grow once more, as tables do that are full and change.
    for (name, once_more) in
        [("s20_churn_answered", 0), ("s20_churn_read", 0), ("s53_churn_of_unread_data", 36 * 1024)]
    {
        let flood = floods().into_iter().find(|flood| flood.name == name).unwrap();
        let (short, long) = (watch(&flood, 2000, 512), watch(&flood, 6000, 512));
        assert!(long <= short + 16 * 1024 + once_more, "{name}: {short} bytes held, then {long}");
    }
}
