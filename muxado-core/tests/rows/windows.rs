//! S63 to S71: credit in both directions, and receipts.

use muxado_core::proto::StreamKey;
use muxado_core::{Config, ConfigError, Initiator, Retry};
use muxado_frame::Side;
use muxado_testkit::wire::{data, fin, go_away, rst, syn, wndinc};
use muxado_testkit::{Ending, Pair, Peer, every_split};

const WINDOW: usize = 256 * 1024;

fn small(window: u32) -> Config {
    Config::builder().window(window).window_agreed_out_of_band().build().unwrap()
}

/// A client with its stream 3 open, which has sent `payload`.
fn client_after(config: &Config, payload: &[u8]) -> (Peer, StreamKey) {
    let mut peer = Peer::with(Side::Client, config);
    let stream = peer.mux.open().unwrap();
    assert_eq!(peer.mux.write(stream, payload), Ok(payload.len()));
    assert_eq!(peer.sent(), syn(3, payload));
    (peer, stream)
}

#[test]
fn s63_an_increment_of_nothing_ends_the_session_for_any_id() {
    for id in [2, 3, 5, 7, 0x7FFF_FFFF] {
        for increment in [0, 0x8000_0000] {
            let make = || {
                let (peer, stream) = client_after(&Config::default(), b"x");
                (peer, vec![stream])
            };
            let outcome = every_split(&wndinc(id, increment), make, Peer::outcome);
            assert_eq!(outcome.sent, go_away(0, 1, b"bad frame"));
            let failed = Ending::Failed(1, Initiator::Remote, Retry::Unknown);
            assert_eq!(outcome.streams, [(vec![], failed)]);
        }
    }
}

#[test]
fn s64_credit_without_end_is_no_error_and_memory_stays_bounded() {
    let (mut peer, stream) = client_after(&Config::default(), b"x");
    for _ in 0..100 {
        peer.feed(wndinc(3, 0x7FFF_FFFF));
    }
    assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 0));
    let mut queued = 0;
    loop {
        match peer.mux.write(stream, &[0; 100_000]).unwrap() {
            0 => break,
            taken => queued += taken,
        }
    }
    assert_eq!(queued, WINDOW, "B14: the queue is bounded by its own limit, not by credit");
}

#[test]
fn s65_credit_above_the_initial_window_is_honoured() {
    let config = small(10);
    let (mut peer, stream) = client_after(&config, &[1; 10]);
    peer.mux.write(stream, &[2; 100]).unwrap();
    assert_eq!(peer.sent(), b"");
    peer.feed(wndinc(3, 60));
    assert_eq!(peer.sent(), data(3, &[2; 60]));
    peer.feed([wndinc(3, 39), wndinc(3, 500)].concat());
    assert_eq!(peer.sent(), data(3, &[2; 40]));
}

#[test]
fn s66_wndinc_for_a_forgotten_stream_is_free_and_for_a_never_seen_one_a_glitch() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn(9, b""), wndinc(7, 5), wndinc(9, 5)].concat());
    assert_eq!(peer.mux.stats().glitches, 0);
    peer.feed(wndinc(11, 5));
    assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 1));
    let stream = peer.accept_all()[0];
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), rst(9, 6));
    peer.feed(wndinc(9, 5));
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 1));
}

#[test]
fn s67_wndinc_after_our_fin_only_counts_as_a_receipt() {
    let (mut peer, stream) = client_after(&Config::default(), b"12345");
    peer.mux.finish(stream).unwrap();
    assert_eq!(peer.sent(), fin(3));
    peer.feed(wndinc(3, 5));
    assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 0));
    assert_eq!(peer.mux.consumed(stream), 5);
}

#[test]
fn s68_a_million_increments_of_one_are_free_while_they_return_what_was_sent() {
    let config = small(1 << 20);
    let mut peer = Peer::with(Side::Client, &config);
    let stream = peer.mux.open().unwrap();
    for _ in 0..4 {
        let chunk = vec![0; 256 * 1024];
        assert_eq!(peer.mux.write(stream, &chunk), Ok(chunk.len()));
        peer.sent();
    }
    peer.feed(wndinc(3, 1).repeat(1 << 20));
    assert_eq!((peer.mux.end(), peer.mux.stats().glitches), (None, 0));
    assert_eq!(peer.mux.consumed(stream), 1 << 20);
    peer.feed(wndinc(3, 1).repeat(64));
    assert_eq!(peer.mux.stats().glitches, 0, "64 in excess are free");
    peer.feed(wndinc(3, 1).repeat(10));
    assert_eq!(peer.mux.stats().glitches, 10);
    peer.feed(wndinc(3, 1).repeat(9990));
    assert_eq!(peer.mux.end(), None);
    peer.feed(wndinc(3, 1));
    assert_eq!(peer.sent(), go_away(0, 10, b"too many useless frames"));
}

#[test]
fn s69_w06_credit_is_returned_at_half_a_window_at_once() {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn(3, &vec![0; WINDOW]));
    let stream = peer.accept_all()[0];
    let half = WINDOW / 2;
    let mut read = 0;
    while read < half - 1 {
        let muxado_core::proto::Read::Chunk(chunk) = peer.mux.read(stream, half - 1 - read).unwrap() else {
            panic!("there are bytes");
        };
        read += chunk.len();
    }
    assert_eq!(peer.sent(), b"", "one byte short of half");
    assert!(!peer.mux.has_lazy_credit(), "bytes are unread: the peer is not waiting for us");
    peer.mux.handle_credit_due();
    assert_eq!(peer.sent(), b"");
    peer.mux.read(stream, 1).unwrap();
    assert_eq!(peer.sent(), wndinc(3, half as u32));
    peer.read_all(stream);
    assert_eq!(peer.sent(), wndinc(3, half as u32));
}

#[test]
fn s69_small_credit_goes_lazily_once_nothing_is_unread() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn(3, b"hello"), syn(5, b"other")].concat());
    let streams = peer.accept_all();
    assert!(!peer.mux.has_lazy_credit());
    peer.read_all(streams[0]);
    assert!(peer.mux.has_lazy_credit());
    assert_eq!(peer.sent(), b"", "not at once");
    peer.mux.handle_credit_due();
    assert_eq!(peer.sent(), wndinc(3, 5), "and not for the stream that was not read");
    assert!(!peer.mux.has_lazy_credit());
    peer.mux.handle_credit_due();
    assert_eq!(peer.sent(), b"");
}

#[test]
fn s69_no_credit_for_a_direction_that_has_ended() {
    for ending in [fin(3), rst(3, 6)] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(syn(3, &vec![0; WINDOW - 1]));
        let stream = peer.accept_all()[0];
        peer.mux.read(stream, 10).unwrap();
        peer.feed(&ending);
        peer.read_all(stream);
        assert!(!peer.mux.has_lazy_credit());
        peer.mux.handle_credit_due();
        assert_eq!(peer.sent(), b"");
    }
    // It was owed already when the end came.
    for ending in [fin(3), rst(3, 6)] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(syn(3, b"abc"));
        let stream = peer.accept_all()[0];
        peer.read_all(stream);
        assert!(peer.mux.has_lazy_credit());
        peer.feed(&ending);
        assert!(!peer.mux.has_lazy_credit());
        peer.mux.handle_credit_due();
        assert_eq!(peer.sent(), b"");
    }
}

#[test]
fn s70_a_peer_that_believes_in_a_smaller_window_is_not_stuck() {
    let mut pair = Pair::with(&small(64 * 1024), &Config::default());
    let stream = pair.client.mux.open().unwrap();
    let mut left = 1 << 20;
    let mut got = 0;
    let mut accepted = None;
    for _ in 0..64 {
        left -= pair.client.mux.write(stream, &vec![0; left]).unwrap();
        pair.run();
        accepted = accepted.or_else(|| pair.server.accept_all().pop());
        got += pair.server.read_all(accepted.unwrap()).0.len();
        pair.settle();
        if left == 0 && got == 1 << 20 {
            return;
        }
    }
    panic!("stuck with {left} bytes unwritten and {got} read");
}

#[test]
fn s71_another_window_needs_an_agreement() {
    let refused = Config::builder().window(65_536).build();
    assert!(matches!(refused, Err(ConfigError::WindowNotAgreed { bytes: 65_536, .. })));
    assert_eq!(small(65_536).window(), 65_536);
}

#[test]
fn receipts_are_a_lower_bound_that_extra_credit_does_not_raise() {
    let (mut peer, stream) = client_after(&small(10), b"12345");
    assert_eq!(peer.mux.consumed(stream), 0);
    peer.feed(wndinc(3, 11));
    assert_eq!(peer.mux.consumed(stream), 0, "W05: larger than the window, so no receipt");
    peer.feed(wndinc(3, 3));
    assert_eq!(peer.mux.consumed(stream), 3);
    peer.feed(wndinc(3, 10));
    assert_eq!(peer.mux.consumed(stream), 5, "never more than was sent");
}

#[test]
fn receipts_end_to_end() {
    let mut pair = Pair::new(&Config::default());
    let stream = pair.client.mux.open().unwrap();
    pair.client.mux.write(stream, &[0; 1000]).unwrap();
    pair.settle();
    assert_eq!(pair.client.mux.consumed(stream), 0, "arrived, not read");
    let accepted = pair.server.accept_all()[0];
    pair.server.read_all(accepted);
    pair.settle();
    assert_eq!(pair.client.mux.consumed(stream), 1000);
}
