//! S01 to S18: frames that are cut, impossible, unknown or oddly flagged.

use muxado_core::proto::StreamKey;
use muxado_core::{EndCause, Initiator, Retry};
use muxado_frame::Side;
use muxado_testkit::wire::{
    DATA, FIN, GOAWAY, RST, SYN, WNDINC, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc,
};
use muxado_testkit::{Ending, Outcome, Peer, every_split};
use proptest::prelude::*;

const LOST: Ending = Ending::Failed(15, Initiator::Remote, Retry::Unknown);

fn server() -> (Peer, Vec<StreamKey>) {
    (Peer::new(Side::Server), Vec::new())
}

fn look(peer: &mut Peer, opened: &[StreamKey]) -> Outcome {
    peer.outcome(opened)
}

/// Accepts what came, ends the transport, and looks.
fn look_after_eof(peer: &mut Peer, _: &[StreamKey]) -> Outcome {
    let accepted = peer.accept_all();
    peer.mux.handle_eof();
    peer.outcome(&accepted)
}

/// A server that has two streams of the peer's, 3 unfinished and 5 finished, after `bytes` and the transport's end.
fn cut_after(bytes: &[u8]) -> Outcome {
    let bytes = [&syn(3, b"three")[..], &syn_fin(5, b"five"), bytes].concat();
    every_split(&bytes, server, look_after_eof)
}

fn assert_cut(outcome: &Outcome, three: &[u8]) {
    let expected = vec![(three.to_vec(), LOST), (b"five".to_vec(), Ending::Fin)];
    assert_eq!(outcome.streams, expected);
    let end = outcome.end.as_ref().unwrap();
    assert!(matches!(end.cause(), EndCause::PeerEof), "{end}");
    assert_eq!((end.code().get(), end.initiator()), (15, Initiator::Remote));
    assert!(!end.is_clean());
    assert_eq!((&outcome.sent[..], &outcome.sent_after[..]), (&b""[..], &b""[..]));
}

/// The session ends with GOAWAY `code` on `bytes`, and nothing else is sent.
fn assert_session_error(bytes: &[u8], code: u32, text: &str) {
    // A stream that the application has, one that only waits in the backlog, and frames behind the error.
    let make = || {
        let (mut peer, mut opened) = server();
        peer.feed(syn(9, b"x"));
        opened.append(&mut peer.accept_all());
        peer.feed(syn(11, b"y"));
        (peer, opened)
    };
    let outcome = every_split(&[bytes, &syn(13, b"z")[..]].concat(), make, look);
    assert_eq!(outcome.sent, go_away(11, code, text.as_bytes()), "{bytes:x?}");
    let failed = Ending::Failed(code, Initiator::Remote, Retry::Unknown);
    assert_eq!(outcome.streams, [(b"x".to_vec(), failed), (b"y".to_vec(), failed)]);
    assert_eq!(outcome.sent_after, b"", "GOAWAY is the last frame");
    assert_eq!(outcome.end.unwrap().code().get(), code);
}

#[test]
fn s01_eof_in_a_header_is_no_clean_end() {
    for len in 1..8 {
        assert_cut(&cut_after(&data(3, b"more")[..len]), b"three");
    }
}

#[test]
fn s02_eof_between_frames_is_no_clean_end() {
    assert_cut(&cut_after(b""), b"three");
    assert_cut(&cut_after(&data(3, b"more")), b"threemore");
}

#[test]
fn s03_eof_in_a_body_delivers_what_came_and_then_fails() {
    for len in 0..4 {
        assert_cut(
            &cut_after(&data(3, b"more")[..8 + len]),
            [&b"three"[..], &b"more"[..len]].concat().as_slice(),
        );
    }
}

#[test]
fn s04_fin_counts_after_the_last_byte_only() {
    let last = frame(DATA, FIN, 3, b"more");
    for len in 0..4 {
        assert_cut(&cut_after(&last[..8 + len]), [&b"three"[..], &b"more"[..len]].concat().as_slice());
    }
    let whole = cut_after(&last);
    assert_eq!(whole.streams[0], (b"threemore".to_vec(), Ending::Fin));
}

#[test]
fn s05_an_unfinished_control_frame_has_no_effect() {
    for control in [rst(3, 6), wndinc(3, 5), go_away(0, 7, b""), go_away(0, 7, b"some text")] {
        for len in 8..control.len() {
            assert_cut(&cut_after(&control[..len]), b"three");
        }
    }
}

#[test]
fn s06_s07_unknown_frames_are_skipped_and_cost_a_glitch() {
    for kind in 4..=15 {
        for (flags, id) in [(0, 0), (15, 3), (SYN | FIN, 2), (0, u32::MAX)] {
            for body in [0, 1, 5, 3000] {
                let unknown = frame(kind, flags, id, &vec![0xEE; body]);
                let bytes = [&syn(3, b"a")[..], &unknown, &data(3, b"b")].concat();
                let (outcome, glitches) = every_split(&bytes, server, |peer, opened| {
                    let glitches = peer.mux.stats().glitches;
                    (peer.outcome(opened), glitches)
                });
                assert_eq!(outcome.streams, [(b"ab".to_vec(), Ending::Open)]);
                assert_eq!((outcome.sent, outcome.end, glitches), (vec![], None, 1));
            }
        }
    }
}

#[test]
fn s07_the_largest_unknown_frame_is_streamed_through() {
    let (mut peer, _) = server();
    peer.feed(header(4, 0, 0xFF_FFFF, 0));
    let mut left = 0xFF_FFFF;
    while left > 0 {
        let piece = left.min(100_000);
        peer.feed(vec![0; piece]);
        left -= piece;
    }
    peer.feed(syn(3, b"a"));
    let outcome = peer.outcome(&[]);
    assert_eq!(outcome.streams, [(b"a".to_vec(), Ending::Open)]);
    assert_eq!(peer.mux.stats().glitches, 1);
}

#[test]
fn s08_reserved_flags_of_data_are_ignored() {
    for reserved in [4, 8, 12] {
        let bytes = [
            frame(DATA, reserved | SYN, 3, b"a"),
            frame(DATA, reserved, 3, b"b"),
            frame(DATA, reserved | FIN, 3, b"c"),
        ];
        let outcome = every_split(&bytes.concat(), server, look);
        assert_eq!(outcome.streams, [(b"abc".to_vec(), Ending::Fin)]);
        assert_eq!((outcome.sent, outcome.end), (vec![], None));
    }
}

#[test]
fn s09_flags_count_on_data_only() {
    for flags in 1..=15 {
        let bytes = [
            syn(3, b"a"),
            frame(WNDINC, flags, 3, &5_u32.to_be_bytes()),
            frame(RST, flags, 5, &6_u32.to_be_bytes()),
            data(3, b"b"),
            frame(GOAWAY, flags, 0, &[0; 8]),
            data(3, b"c"),
        ];
        let outcome = every_split(&bytes.concat(), server, look);
        assert_eq!(outcome.streams, [(b"abc".to_vec(), Ending::Open)], "flags {flags}");
        assert_eq!((outcome.sent, outcome.end), (vec![], None));
    }
}

#[test]
fn s10_s11_the_reserved_bit_of_an_id_ends_the_session() {
    let text = "reserved bit set in a stream id";
    for id in [0x8000_0000, 0x8000_0001, 0x8000_0009, 0x8000_0002, u32::MAX] {
        for bytes in [syn(id, b""), syn(id, b"abc"), data(id, b"abc"), fin(id), rst(id, 6), wndinc(id, 1)] {
            assert_session_error(&bytes, 1, text);
        }
    }
    assert_session_error(&frame(GOAWAY, 0, 0x8000_0000, &[0; 8]), 1, "bad frame");
}

#[test]
fn s12_s13_stream_zero_is_no_stream() {
    for bytes in [data(0, b""), data(0, b"abc"), syn(0, b"abc"), fin(0), rst(0, 6), wndinc(0, 1)] {
        assert_session_error(&bytes, 1, "bad frame");
    }
}

#[test]
fn s14_a_goaway_belongs_to_no_stream() {
    for id in [1, 2, 9, 0x7FFF_FFFF] {
        assert_session_error(&frame(GOAWAY, 0, id, &[0; 8]), 1, "bad frame");
    }
}

#[test]
fn s15_s16_s17_impossible_lengths_are_judged_on_the_header() {
    for (kind, lengths) in [
        (RST, &[0, 1, 3, 5, 0xFF_FFFF][..]),
        (WNDINC, &[0, 1, 3, 5, 0xFF_FFFF][..]),
        (GOAWAY, &[0, 1, 7][..]),
    ] {
        for length in lengths {
            let id = if kind == GOAWAY { 0 } else { 9 };
            assert_session_error(&header(kind, 0, *length, id), 8, "bad frame length");
        }
    }
}

/// A frame that some row is about, allowed or not.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![8 => 1_u32..12, 1 => Just(0), 1 => any::<u32>()];
    let body = prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (2000_usize..70_000).prop_map(|len| vec![7; len]),
    ];
    prop_oneof![
        4 => (id.clone(), body.clone(), 0_u8..16).prop_map(|(id, body, flags)| frame(DATA, flags, id, &body)),
        4 => (1_u32..12, body.clone()).prop_map(|(id, body)| syn(id | 1, &body)),
        4 => (1_u32..12, body.clone()).prop_map(|(id, body)| data(id | 1, &body)),
        2 => (1_u32..12).prop_map(|id| fin(id | 1)),
        2 => (1_u32..12, any::<u32>()).prop_map(|(id, code)| rst(id | 1, code)),
        2 => (id.clone(), 0_u32..1000).prop_map(|(id, by)| wndinc(id, by)),
        1 => (any::<u32>(), any::<u32>(), body.clone()).prop_map(|(last, code, text)| go_away(last, code, &text)),
        1 => (0_u8..16, 0_u8..16, id, body).prop_map(|(kind, flags, id, body)| frame(kind, flags, id, &body)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s18_any_frames_come_to_the_same_for_any_split(
        frames in prop::collection::vec(any_frame(), 1..24),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        eof: bool,
    ) {
        let bytes = frames.concat();
        let look = |peer: &mut Peer| {
            let accepted = peer.accept_all();
            if eof {
                peer.mux.handle_eof();
            }
            (peer.outcome(&accepted), peer.mux.stats())
        };
        let mut whole = Peer::new(Side::Server);
        whole.feed(&bytes);
        let whole = look(&mut whole);
        let mut cut = Peer::new(Side::Server);
        cuts.sort_by_key(|cut| cut.index(bytes.len()));
        cut.feed_cut(&bytes, cuts.iter().map(|cut| cut.index(bytes.len())));
        prop_assert_eq!(look(&mut cut), whole);
    }
}
