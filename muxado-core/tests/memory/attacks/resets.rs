//! Attacks with streams that are opened and reset, and with answers that nobody reads.

use muxado_core::{Config, Side};
use muxado_testkit::Peer;
use muxado_testkit::catalog::App;
use muxado_testkit::wire::{data, rst, syn, syn_fin, wndinc};

use super::{Ceiling, flood, play};
use crate::alone;
use crate::bounds::Watch;

/// 256 places for streams, and little else.
const PLACES: Ceiling = Ceiling { held: 200 * 1024, answer: 150, allocations: 50, events: 300 };

/// Nothing to hold.
const NOTHING: Ceiling = Ceiling { held: 16 * 1024, answer: 5, allocations: 50, events: 300 };

/// Rapid reset: the place of a stream that was reset is taken until the application has let go.
#[test]
fn v01_rapid_reset_gets_no_more_places_than_honest_streams() {
    let _turn = alone();
    let attack = flood("s54_reset_and_held");
    // In pieces of a SYN each, so that every stream is accepted before it is reset.
    let cost = play(&attack, &Config::default(), 8);
    assert_eq!((cost.streams, cost.code()), (256, None), "{cost:?}");
    cost.assert_under(&PLACES);
    // An application that answers and lets go has one at a time.
    let mut attack = flood("s33_rapid_reset_answered");
    attack.first.clear();
    let cost = play(&attack, &Config::default(), 8);
    assert!(cost.streams <= 1 && cost.end.is_none(), "{cost:?}");
    cost.assert_under(&Ceiling { allocations: 2000, events: 1100, answer: 120, ..NOTHING });
}

/// The peer makes us reset, again and again: the same places, and a charge for each.
#[test]
fn v02_resets_that_we_are_made_to_send_free_no_place_and_are_charged() {
    let _turn = alone();
    let cost = play(&flood("s47_flood_of_data_after_fin"), &Config::default(), 17);
    assert_eq!(cost.streams, 256, "{cost:?}");
    cost.assert_under(&Ceiling { allocations: 200, ..PLACES });
    let mut attack = flood("s47_flood_of_data_after_fin_dropped");
    attack.app = App::Drops;
    let cost = play(&attack, &Config::default(), 18);
    assert!(cost.streams <= 2, "{cost:?}");
    // Beyond the window: charged a thousand times, whoever lets go of what.
    let mut peer = Peer::with(Side::Server, &small());
    let mut reset = 0;
    // Twice as many as must do, so that a session without a budget fails instead of running on.
    for id in (3..).step_by(2).take(2000) {
        peer.feed([syn(id, b""), data(id, b"seventeen or more")].concat());
        for key in peer.accept_all() {
            peer.drop_stream(key);
        }
        if peer.mux.end().is_some() {
            break;
        }
        reset += 1;
        assert_eq!(peer.sent(), rst(id, 3));
    }
    assert_eq!(reset, 1000);
}

fn small() -> Config {
    Config::builder().window(16).window_agreed_out_of_band().build().unwrap()
}

/// Streams reset before they are accepted leave the queue at once, and are charged.
#[test]
fn v03_resets_faster_than_accepting_do_not_fill_the_queue() {
    let _turn = alone();
    for name in ["s33_rapid_reset", "s33_rapid_reset_with_data"] {
        let cost = play(&flood(name), &Config::default(), usize::MAX);
        assert_eq!((cost.streams, cost.code()), (1, Some(10)), "{name}: {cost:?}");
        assert_eq!(cost.frames, 1 + 2 * 1001, "{name}: a thousand are free");
        cost.assert_under(&Ceiling { allocations: 1100, ..NOTHING });
    }
}

/// Frames that must be answered, from a peer that does not read the answers.
#[test]
fn v04_answers_that_nobody_reads_are_bounded_by_count() {
    let _turn = alone();
    // The frames are few: what the harness allocates meanwhile would show, and does not do so each time.
    let unread = || play(&flood("s85_flood_of_replies_that_nobody_reads"), &Config::default(), 9);
    let cost = (0..4).map(|_| unread()).min_by_key(|cost| cost.allocations).unwrap();
    assert_eq!((cost.frames, cost.code()), (1 + 257, Some(10)), "{cost:?}");
    cost.assert_under(&Ceiling { allocations: 120, held: 24 * 1024, ..NOTHING });
    // One that reads them pays with glitches, and never gets more bytes than a RST for a frame.
    let cost = play(&flood("s39_flood_of_data_for_ids_never_seen"), &Config::default(), 90);
    assert_eq!((cost.frames, cost.code()), (1 + 10_001, Some(10)), "{cost:?}");
    cost.assert_under(&Ceiling { held: 96 * 1024, answer: 134, ..NOTHING });
}

/// Control frames that cannot go out: one of a kind for each stream, whatever the peer and our application do.
#[test]
fn v10_control_frames_that_wait_do_not_pile_up() {
    let _turn = alone();
    let mut peer = Peer::new(Side::Server);
    let ids: Vec<u32> = (3..3 + 2 * 64).step_by(2).collect();
    peer.feed(ids.iter().flat_map(|id| syn(*id, b"")).collect::<Vec<u8>>());
    let keys = peer.accept_all();
    let round: Vec<u8> = ids.iter().flat_map(|id| [data(*id, &[7; 2047]), wndinc(*id, 1)].concat()).collect();
    let once = |peer: &mut Peer| {
        peer.feed(&round);
        for key in &keys {
            let _ = peer.mux.read(*key, usize::MAX);
        }
        peer.mux.handle_credit_due();
        let _ = peer.events();
    };
    once(&mut peer);
    let watch = Watch::new();
    (0..60).for_each(|_| once(&mut peer));
    let grown = watch.held();
    assert!(grown <= 16 * 1024, "{grown} bytes for 3840 reasons to return credit");
    assert_eq!(peer.sent().len(), 64 * 12, "one WNDINC each");
}

/// A peer that keeps our answers from being sent: what waits is counted unsent, so it ends at the same bound.
#[test]
fn v36_a_peer_that_keeps_us_from_answering_is_bounded_like_any_other() {
    let _turn = alone();
    for name in ["s39_flood_of_data_for_ids_never_seen", "s30_flood_of_syns_at_the_limit", "s20_churn_reset"]
    {
        let mut attack = flood(name);
        attack.listens = false;
        let cost = play(&attack, &Config::default(), 8);
        assert!(cost.frames <= 2 * (256 + 257), "{name}: {cost:?}");
        cost.assert_under(&Ceiling { held: 220 * 1024, answer: 0, allocations: 200, events: 600 });
    }
    // Streams of ours that are to be reset wait with one RST each, and keep their places.
    let mut peer = Peer::new(Side::Server);
    for id in (3..3 + 2 * 2000).step_by(2) {
        peer.feed(syn_fin(id, b"x"));
        for key in peer.accept_all() {
            peer.mux.reset(key, muxado_core::ErrorCode::STREAM_RESET).unwrap();
            peer.drop_stream(key);
        }
        assert!(peer.mux.stats().streams <= 256);
        if peer.mux.end().is_some() {
            break;
        }
    }
    assert_eq!(peer.mux.end().unwrap().code().get(), 10, "256 wait as streams, 256 as refusals");
}
