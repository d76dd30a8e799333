//! Recorded sessions of the two other implementations: is every frame found, and is what is said to be wrong in them
//! what is wrong in them.

use std::collections::BTreeMap;

use muxado_testkit::recordings;
use muxado_tokio::core::Side;

use crate::capture::{Connection, Turn};
use crate::frames::said;
use crate::tshark::Tshark;

/// Which rules are broken in which recordings, besides those that break none.
const BROKEN: &[(&str, &[&str])] = &[
    ("data_after_fin", &["broken.after_fin", "broken.after_fin"]),
    ("duplicate_syn", &["broken.syn_live"]),
    ("empty_stream", &["odd.syn_fin"]),
    ("error_data_stream_zero", &["malformed.stream"]),
    ("error_goaway_length", &["malformed.length"]),
    ("error_goaway_stream_nonzero", &["malformed.stream"]),
    ("error_rst_length", &["malformed.length"]),
    ("error_wndinc_zero", &["malformed.increment"]),
    ("goaway_refused_syn_with_data", &["broken.never_opened"]),
    // The eight bytes that the Rust peer leaves behind its GOAWAY.
    ("ngrok_client_close", &["odd.after_goaway"]),
    ("ngrok_client_empty_shutdown", &["odd.stray"]),
    ("ngrok_client_hello", &["odd.after_goaway"]),
    ("ngrok_server_close", &["odd.after_goaway"]),
    ("ngrok_server_duplicate_syn", &["broken.syn_live"]),
    ("ngrok_server_empty_stream", &["odd.syn_fin"]),
    ("ngrok_server_even_id", &["malformed.reserved_bit", "odd.stray", "broken.never_opened"]),
    ("ngrok_server_goaway_bad_length", &["malformed.length"]),
    ("ngrok_server_heartbeat_eof", &["odd.unasked_echo", "odd.empty"]),
    (
        "ngrok_server_rst_bad_length",
        &[
            "malformed.length",
            "malformed.length",
            "malformed.increment",
            "broken.after_reset",
            "broken.after_reset",
        ],
    ),
    (
        "ngrok_server_stray_frames",
        &[
            "odd.stray",
            "odd.stray",
            "odd.stray",
            "broken.never_opened",
            "broken.never_opened",
            "broken.never_opened",
        ],
    ),
    ("ngrok_server_syn_flag_on_wndinc", &["odd.flags", "odd.stray", "broken.never_opened"]),
    ("ngrok_server_unknown_frame", &["odd.unknown_type", "odd.after_goaway"]),
    ("reserved_bit_in_stream_id", &["malformed.reserved_bit"]),
    (
        "stray_frames",
        &[
            "odd.stray",
            "odd.stray",
            "odd.stray",
            "odd.stray",
            "odd.stray",
            "broken.never_opened",
            "broken.never_opened",
            "broken.never_opened",
            "broken.never_opened",
        ],
    ),
    ("syn_fin_with_data", &["odd.syn_fin"]),
    ("unknown_frame_type", &["odd.unknown_type", "odd.unknown_type", "odd.unknown_type"]),
    ("write_empty_loses_syn", &["broken.never_opened"]),
    ("wrong_parity_open_stream", &["broken.parity", "broken.syn_live"]),
];

/// The frames in the order in which they were recorded, each a turn of its own, and in the end what is no whole frame.
fn turns(name: &str) -> Vec<Turn> {
    let recorded = &recordings()[name];
    let mut rest = [&recorded.client[..], &recorded.server[..]];
    let mut turns = Vec::new();
    let mut take = |from: Side, whole: bool| {
        let rest = &mut rest[usize::from(from == Side::Server)];
        let len = match rest {
            [a, b, c, ..] if whole => 8 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
            _ => rest.len(),
        };
        let (bytes, after) = rest.split_at(len);
        *rest = after;
        turns.push(Turn { from, bytes: bytes.to_vec() });
    };
    for &(from, frames) in &recorded.turns {
        (0..frames).for_each(|_| take(from, true));
    }
    take(Side::Client, false);
    take(Side::Server, false);
    turns
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn recorded_sessions_hold_what_is_known_of_them() {
    let recordings: Vec<(u16, String, Vec<Turn>)> = (20_000..)
        .zip(recordings().into_keys())
        .map(|(port, name)| (port, name.clone(), turns(&name)))
        .collect();
    for piece in [1460, 60_000] {
        let connections: Vec<_> =
            recordings.iter().map(|(port, _, turns)| Connection::new(*port, turns, piece)).collect();
        let tshark = Tshark::plain(&connections);
        let found = tshark.found();
        let mut broken = BTreeMap::<u16, Vec<String>>::new();
        for (port, rule) in tshark.broken() {
            broken.entry(port).or_default().push(rule);
        }
        let mut seen = Vec::new();
        for (port, name, turns) in &recordings {
            for side in [Side::Client, Side::Server] {
                let expected = said(turns, side);
                let found = found.get(&(*port, side == Side::Client));
                let none = Vec::new();
                assert_eq!(found.map_or(&none, |found| &found.frames), &expected.frames, "{name}, {side:?}");
                assert!(found.is_none_or(|found| found.payload == expected.payload), "{name}, {side:?}");
            }
            if let Some(rules) = broken.get(port) {
                seen.push((name.as_str(), rules.iter().map(String::as_str).collect::<Vec<_>>()));
            }
        }
        let known: Vec<_> = BROKEN.iter().map(|(name, rules)| (*name, rules.to_vec())).collect();
        assert_eq!(seen, known, "{seen:#?}");
    }
}
