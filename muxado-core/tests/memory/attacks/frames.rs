//! Attacks with frames that mean little, lie about their length, or overflow something.

use std::fs;

use muxado_core::{Config, Side};
use muxado_testkit::catalog::{APPS, App, rows};
use muxado_testkit::wire::{frame, header, syn, wndinc};
use muxado_testkit::{Host, Peer};
use stats_alloc::INSTRUMENTED_SYSTEM;

use super::{Ceiling, flood, play};
use crate::alone;

/// Nothing to hold and nothing to do.
const NOTHING: Ceiling = Ceiling { held: 16 * 1024, answer: 1, allocations: 20, events: 20 };

/// Empty frames are not stored, and cost their sender a token each.
#[test]
fn v05_empty_frames_leave_nothing_behind() {
    let _turn = alone();
    let cost = play(&flood("s49_flood_of_empty_data"), &Config::default(), usize::MAX);
    assert_eq!((cost.frames, cost.code()), (1 + 10_001, Some(10)), "{cost:?}");
    cost.assert_under(&NOTHING);
    let cost = play(&flood("s50_flood_of_empty_data_over_all_streams"), &Config::default(), usize::MAX);
    assert_eq!((cost.frames, cost.code()), (256 + 10_001, Some(10)), "{cost:?}");
    cost.assert_under(&Ceiling { held: 200 * 1024, ..NOTHING });
}

/// A window bounds bytes, not frames: frames of one byte are gathered.
#[test]
fn v06_frames_of_one_byte_cost_a_byte() {
    let _turn = alone();
    let attack = flood("s51_flood_of_bytes");
    let cost = play(&attack, &Config::default(), usize::MAX);
    assert_eq!(cost.end, None);
    assert!(cost.held <= 262_144 + 32 * 1024, "{cost:?}");
    assert!(cost.allocations <= 2, "{cost:?}");
    let cost = play(&flood("s51_flood_of_bytes_over_all_streams"), &Config::default(), usize::MAX);
    assert!(cost.held <= 2 * 262_144 + 160 * 1024, "twice the bytes, and 256 streams: {cost:?}");
    assert!(cost.allocations <= 20, "{cost:?}");
}

/// There is no frame that we must answer: neither a ping nor settings.
#[test]
fn v08_no_frame_must_be_answered() {
    let _turn = alone();
    for name in ["s06_flood_of_unknown_frames", "s07_flood_of_unknown_bodies", "s08_flood_of_odd_flags"] {
        let cost = play(&flood(name), &Config::default(), usize::MAX);
        assert_eq!(cost.answer, 0, "{name}: {cost:?}");
        cost.assert_under(&NOTHING);
    }
}

/// Frames that get nobody anywhere are counted, and a bounded number of them is handled under one lock.
#[test]
fn v09_frames_without_progress_are_counted_and_handled_in_portions() {
    let _turn = alone();
    for name in [
        "s06_flood_of_unknown_frames",
        "s48_flood_of_fins",
        "s57_flood_of_rsts_for_ids_never_seen",
        "s66_flood_of_wndincs_for_ids_never_seen",
        "s68_flood_of_wndincs_of_one",
        "s74_flood_of_goaways",
    ] {
        let cost = play(&flood(name), &Config::default(), usize::MAX);
        assert!(cost.frames <= 10_100 && cost.end.is_some(), "{name}: {cost:?}");
        cost.assert_under(&Ceiling { held: 160 * 1024, ..NOTHING });
    }
    let mut peer = Peer::new(Side::Server);
    let rounds = frame(9, 0, 0, b"").repeat(1000);
    assert_eq!(peer.mux.handle_slice(&rounds), 256 * 8, "256 frames at once (B20)");
    // Of what is free, a frame costs no allocation and no answer.
    for name in [
        "s40_flood_of_fins_for_ids_never_seen",
        "s42_flood_of_data_for_a_stream_we_reset",
        "s57_flood_of_rsts_for_a_stream_that_is_over",
        "s60_flood_of_rsts_for_a_stream_we_reset",
        "s64_flood_of_the_largest_wndincs",
        "s66_flood_of_wndincs_for_a_stream_that_is_over",
    ] {
        let cost = play(&flood(name), &Config::default(), usize::MAX);
        assert_eq!(cost.end, None, "{name}");
        cost.assert_under(&NOTHING);
    }
}

/// Credit is added with saturation, to what was given and to what was never used.
#[test]
fn v11_v13_credit_never_overflows() {
    let _turn = alone();
    for increment in [1, 262_143, 262_144, 262_145, 0x7FFF_FFFE, 0x7FFF_FFFF] {
        let mut host = Host::new(Side::Client, &Config::default(), App::Holds, 2);
        let round = [wndinc(3, increment), wndinc(5, 0x7FFF_FFFF), wndinc(3, 1)].concat();
        (0..3000).for_each(|_| host.feed(&round));
        assert!(host.mux.end().is_none(), "increments of {increment}: {:?}", host.mux.end());
        assert_eq!(host.emitted, 2 * 8, "two SYNs, and nothing in answer");
    }
}

/// A SYN whose payload is beyond the window is judged before there is a stream.
#[test]
fn v12_a_first_frame_beyond_the_window_makes_no_stream() {
    let _turn = alone();
    let cost = play(&flood("s21_flood_of_syns_beyond_the_window"), &Config::default(), 5000);
    assert_eq!(cost.streams, 1, "{cost:?}");
    cost.assert_under(&Ceiling { allocations: 1000, events: 50, ..NOTHING });
}

/// No length that the peer claims sizes anything.
#[test]
fn v14_a_claimed_length_allocates_nothing() {
    let _turn = alone();
    for app in APPS {
        for length in [0xFF_FFFF, 0x7F_FFFF, 262_144] {
            for kind in [1, 3, 4, 15] {
                for id in [0, 3, 5, 7] {
                    let mut host = Host::new(Side::Server, &Config::default(), app, 0);
                    host.feed(&[syn(3, b""), syn(5, b"x")].concat());
                    let head = header(kind, if id == 7 { 2 } else { 0 }, length, id);
                    let before = INSTRUMENTED_SYSTEM.stats().bytes_allocated;
                    host.feed(&head);
                    host.feed(&[0; 100]);
                    let made = INSTRUMENTED_SYSTEM.stats().bytes_allocated - before;
                    assert!(made <= 16 * 1024, "{made} bytes for kind {kind}, length {length}, id {id}");
                }
            }
        }
    }
}

/// The application never sees an id that did not pass every check.
#[test]
fn v15_a_stream_that_was_not_accepted_is_never_shown() {
    let _turn = alone();
    for (name, shown) in [
        ("s10_syn_with_the_reserved_bit", 1),
        ("s21_syn_of_sixteen_mebibytes", 0),
        ("s24_syn_for_a_remembered_id", 0),
        ("s27_syn_with_the_wrong_parity", 0),
        ("s28_syn_for_a_live_id_of_ours", 0),
        ("s29_more_streams_than_are_accepted", 256),
        ("s31_syn_while_draining", 1),
        ("s37_data_whose_syn_was_lost", 0),
        ("s41_data_for_an_id_we_never_opened", 0),
    ] {
        let row = rows().into_iter().find(|row| row.name == name).unwrap();
        let mut host = row.host(&Config::default());
        row.play(&mut host, usize::MAX, |_, _| {});
        while let Ok(Some(_)) = host.mux.accept() {}
        assert_eq!(host.mux.stats().accepted, shown, "{name}");
    }
}

/// Every header there is, on every kind of stream: an answer, an error or nothing, never a panic.
#[test]
fn v16_no_header_breaks_the_machine() {
    let _turn = alone();
    for kind in 0..16 {
        for flags in 0..16 {
            for length in [0, 1, 3, 4, 5, 7, 8, 9, 262_144, 262_145, 0xFF_FFFF] {
                for id in [0, 1, 2, 3, 5, 7, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
                    let mut peer = Peer::new(Side::Client);
                    let key = peer.mux.open().unwrap();
                    peer.mux.write(key, b"x").unwrap();
                    let _ = peer.sent();
                    peer.feed([&syn(2, b"y")[..], &header(kind, flags, length, id), &[0xFF; 20]].concat());
                    let _ = (peer.accept_all(), peer.sent());
                    peer.mux.handle_eof();
                    assert!(peer.mux.end().is_some());
                }
            }
        }
    }
}

/// Whatever is left to parse, a step takes at least a byte, or the session has ended.
#[test]
fn v34_every_step_makes_progress() {
    let _turn = alone();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..3000 {
        let mut peer = Peer::new(Side::Server);
        for _ in 0..8 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let [kind, flags, length, id, body, ..] = seed.to_le_bytes();
            let length = u32::from(length) % 24;
            let mut bytes = header(kind, flags, length, u32::from(id % 8)).to_vec();
            bytes.extend(vec![body; usize::from(body % 32)]);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let taken = peer.mux.handle_slice(rest);
                assert!(taken > 0, "nothing taken of {rest:x?}");
                rest = &rest[taken..];
            }
        }
    }
}

/// A flaw in a dependency is one of ours: `bytes` before 1.11.1 overflows in `reserve` (RUSTSEC-2026-0007).
#[test]
fn v35_bytes_is_recent_enough() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let lock = fs::read_to_string(format!("{root}/Cargo.lock")).unwrap();
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|package| package.contains("name = \"bytes\"\n"))
        .filter_map(|package| package.split("version = \"").nth(1)?.split('"').next())
        .collect();
    assert!(!versions.is_empty());
    for version in versions {
        let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
        assert!(numbers[..] >= [1, 11, 1][..], "bytes {version}");
    }
    let manifest = fs::read_to_string(format!("{root}/Cargo.toml")).unwrap();
    assert!(manifest.lines().any(|line| line == "bytes = \"1.11.1\""), "nor may the manifest ask for less");
}
