//! S39 to S52: payload that is stray, too much, too late, empty or in crumbs.

use bytes::Bytes;
use muxado_core::proto::{Read, StreamKey};
use muxado_core::{Config, EndCause, Initiator, PeerMisbehaved, Retry};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{DATA, FIN, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Outcome, Peer, every_split};

const WINDOW: usize = 256 * 1024;

fn server() -> (Peer, Vec<StreamKey>) {
    (Peer::new(Side::Server), Vec::new())
}

/// A server with one accepted stream, id 3, that has received `payload`.
fn server_with_stream(payload: &[u8]) -> (Peer, Vec<StreamKey>) {
    let (mut peer, _) = server();
    peer.feed(syn(3, payload));
    let stream = peer.accept_all();
    (peer, stream)
}

/// A client that has opened stream 3 and sent its SYN.
fn client_with_stream() -> (Peer, Vec<StreamKey>) {
    let mut peer = Peer::new(Side::Client);
    let stream = peer.mux.open().unwrap();
    peer.mux.flush(stream).unwrap();
    assert_eq!(peer.sent(), syn(3, b""));
    (peer, vec![stream])
}

/// The outcome, and the glitches so far.
fn look(peer: &mut Peer, opened: &[StreamKey]) -> (Outcome, u64) {
    let glitches = peer.mux.stats().glitches;
    (peer.outcome(opened), glitches)
}

fn by_peer(code: u32) -> Ending {
    Ending::Failed(code, Initiator::Remote, Retry::Unknown)
}

/// Accepts the only stream there is, which has brought `received` and then `ending`, and lets it go: nothing is left.
fn accept_and_drop(peer: &mut Peer, received: &[u8], ending: Ending) {
    let accepted = peer.accept_all();
    assert_eq!(accepted.len(), 1);
    assert_eq!(peer.read_all(accepted[0]), (received.to_vec(), ending));
    peer.drop_stream(accepted[0]);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (vec![], 0));
}

#[test]
fn s39_data_for_an_id_never_seen_is_answered_once() {
    for first in [data(3, b"abc"), data(3, b""), frame(DATA, FIN, 3, b"abc")] {
        let bytes = [first, data(3, b"more"), data(3, b""), rst(3, 4)].concat();
        let (outcome, glitches) = every_split(&bytes, server, look);
        assert_eq!((outcome.sent, outcome.streams, outcome.end), (rst(3, 4), vec![], None));
        assert_eq!(glitches, 1);
    }
}

#[test]
fn s40_a_bare_fin_for_nothing_is_ignored() {
    // Never seen, of the peer's parity.
    let (outcome, glitches) = every_split(&[fin(3), fin(0x7FFF_FFFF)].concat(), server, look);
    assert_eq!((outcome.sent, outcome.end, glitches), (vec![], None, 0));
    // Closed, of either parity, held or not.
    for held in [true, false] {
        for ours in [true, false] {
            let (mut peer, opened) = if ours { client_with_stream() } else { server_with_stream(b"") };
            peer.feed(fin(3));
            peer.mux.finish(opened[0]).unwrap();
            peer.sent();
            if !held {
                peer.drop_stream(opened[0]);
            }
            peer.feed(fin(3));
            assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 0));
        }
    }
}

#[test]
fn s39_s44_only_a_bare_fin_is_ignored() {
    let (mut peer, opened) = server_with_stream(b"");
    peer.feed(fin(3));
    peer.mux.finish(opened[0]).unwrap();
    peer.sent();
    peer.feed(data(3, b""));
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 1), "nothing, and no end either");
    peer.feed(frame(DATA, FIN, 3, b"x"));
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (rst(3, 4), 2), "bytes that nobody will read");
}

#[test]
fn s41_frames_for_an_id_of_ours_never_opened_end_the_session() {
    for bytes in [data(5, b"x"), data(5, b""), fin(5), rst(5, 6), wndinc(5, 1), data(1, b"x"), rst(1, 6)] {
        let (outcome, _) = every_split(&bytes, client_with_stream, look);
        assert_eq!(outcome.sent, go_away(0, 1, b"frame for a stream that was never opened"));
        assert_eq!(outcome.streams, [(vec![], by_peer(1))]);
    }
    // A stream that is open but has not gone out has no id yet.
    let mut client = Peer::new(Side::Client);
    client.mux.open().unwrap();
    client.feed(data(3, b"x"));
    assert_eq!(client.sent(), go_away(0, 1, b"frame for a stream that was never opened"));
}

/// The peer's stream 3, reset by this side after `received` bytes came, handles kept or not.
fn reset_after(received: usize, held: bool) -> Peer {
    let (mut peer, opened) = server_with_stream(&vec![1; received]);
    peer.mux.reset(opened[0], ErrorCode::STREAM_CANCELLED).unwrap();
    if !held {
        peer.drop_stream(opened[0]);
    }
    peer
}

#[test]
fn s42_s43_data_for_a_stream_we_reset_is_free_within_its_credit() {
    for held in [true, false] {
        for sent_before in [true, false] {
            let mut peer = reset_after(1000, held);
            if sent_before {
                assert_eq!(peer.sent(), rst(3, 6));
            }
            peer.feed(data(3, &vec![0; WINDOW - 1001]));
            peer.feed(data(3, b""));
            peer.feed(data(3, b"x"));
            assert_eq!(peer.mux.stats().glitches, 0, "S42, held: {held}");
            peer.feed(data(3, b"y"));
            assert_eq!(peer.mux.stats().glitches, 1, "S43, held: {held}");
            peer.feed([fin(3), rst(3, 4), wndinc(3, 1)].concat());
            assert_eq!(peer.mux.stats().glitches, 1);
            // A RST of ours that has not gone out is pointless now.
            assert_eq!((peer.sent(), peer.mux.end(), peer.mux.unread()), (vec![], None, 0));
        }
    }
}

#[test]
fn s44_data_after_both_sides_finished_is_answered_once() {
    for held in [true, false] {
        for ours in [true, false] {
            let (mut peer, opened) = if ours { client_with_stream() } else { server_with_stream(b"") };
            peer.feed([data(3, b"all"), fin(3)].concat());
            peer.mux.finish(opened[0]).unwrap();
            assert_eq!(peer.sent(), fin(3));
            if !held {
                peer.drop_stream(opened[0]);
            }
            peer.feed(data(3, b"late"));
            assert_eq!(peer.mux.stats().glitches, 1, "held: {held}");
            assert_eq!(peer.sent(), rst(3, 4), "held: {held}");
            peer.feed([data(3, b"later"), frame(DATA, FIN, 3, b"last")].concat());
            assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 1), "remembered");
            if held {
                assert_eq!(peer.read_all(opened[0]), (b"all".to_vec(), Ending::Fin));
                assert_eq!(peer.write_ending(opened[0]), Ending::Fin);
            }
        }
    }
}

#[test]
fn s45_data_beyond_the_window_by_one() {
    let config = Config::builder().window(10).window_agreed_out_of_band().build().unwrap();
    for last in [frame(DATA, 0, 3, b"78901"), frame(DATA, FIN, 3, b"78901")] {
        let make = || {
            let mut peer = Peer::with(Side::Server, &config);
            peer.feed(syn(3, b"123456"));
            let opened = peer.accept_all();
            (peer, opened)
        };
        let (outcome, write) =
            every_split(&last, make, |peer, opened| (peer.outcome(opened), peer.write_ending(opened[0])));
        assert_eq!(outcome.sent, rst(3, 3));
        assert_eq!(outcome.streams, [(b"123456".to_vec(), by_peer(3))], "nothing of the frame is delivered");
        assert_eq!((outcome.sent_after, outcome.end, write), (vec![], None, by_peer(3)));
    }
}

#[test]
fn s45_exactly_the_window_is_fine() {
    let config = Config::builder().window(10).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b"123456"), data(3, b"7890"), data(3, b""), fin(3)].concat());
    let outcome = peer.outcome(&[]);
    assert_eq!(outcome.streams, [(b"1234567890".to_vec(), Ending::Fin)]);
    assert_eq!((&outcome.sent[..], outcome.end), (&b""[..], None));
}

#[test]
fn s45_s47_a_stream_that_breaks_a_rule_before_it_is_accepted_is_still_given_out() {
    let config = Config::builder().window(10).window_agreed_out_of_band().build().unwrap();
    for (broken, code, received, ending) in [
        ([syn(3, b"123456"), data(3, b"78901")], 3, &b"123456"[..], by_peer(3)),
        ([syn(3, b"123456"), frame(DATA, FIN, 3, b"78901")], 3, b"123456", by_peer(3)),
        ([syn_fin(3, b"all"), data(3, b"late")], 4, b"all", Ending::Fin),
        ([syn_fin(3, b""), data(3, b"late")], 4, b"", Ending::Fin),
    ] {
        let bytes = [broken.concat(), syn(5, b"fine")].concat();
        let make = || (Peer::with(Side::Server, &config), Vec::new());
        let (outcome, writes) = every_split(&bytes, make, |peer, _| {
            let sent = peer.sent();
            let accepted = peer.accept_all();
            let writes: Vec<Ending> = accepted.iter().map(|key| peer.write_ending(*key)).collect();
            (Outcome { sent, ..peer.outcome(&accepted) }, writes)
        });
        assert_eq!(outcome.sent, rst(3, code));
        assert_eq!(outcome.streams, [(received.to_vec(), ending), (b"fine".to_vec(), Ending::Open)]);
        assert_eq!(writes, [by_peer(code), Ending::Open]);
        assert_eq!((outcome.sent_after, outcome.end), (vec![], None));
    }
}

#[test]
fn s45_s62_b06_a_broken_stream_keeps_its_place_until_it_was_accepted_and_dropped() {
    let config =
        Config::builder().window(1).window_agreed_out_of_band().max_inbound_streams(1).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b"x"), data(3, b"y")].concat());
    assert_eq!((peer.sent(), peer.mux.stats().backlog), (rst(3, 3), 1));
    peer.feed(syn(5, b""));
    assert_eq!(peer.sent(), rst(5, 5), "the place is taken by a stream that nobody has seen yet");
    let stream = peer.accept_all()[0];
    peer.feed(syn(7, b""));
    assert_eq!(peer.sent(), rst(7, 5), "and by one that is held");
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams, peer.mux.unread()), (vec![], 0, 0));
    peer.feed(syn(9, b""));
    assert_eq!((peer.sent(), peer.accept_all().len()), (vec![], 1));
}

#[test]
fn s45_costs_a_reset_token() {
    let config = Config::builder().window(1).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    for id in (3..2003).step_by(2) {
        peer.feed([syn(id, b"x"), data(id, b"y")].concat());
        assert_eq!((peer.sent(), peer.mux.stats().streams), (rst(id, 3), 1));
        accept_and_drop(&mut peer, b"x", by_peer(3));
    }
    peer.feed([syn(2003, b"x"), data(2003, b"y")].concat());
    assert_eq!(peer.sent(), go_away(2003, 10, b"too many streams reset"));
    let end = peer.mux.end().unwrap();
    assert!(matches!(end.cause(), EndCause::PeerMisbehaved(PeerMisbehaved::TooManyResets)), "{end}");
    accept_and_drop(&mut peer, b"x", by_peer(3));
    assert!(peer.mux.accept().is_err());
}

#[test]
fn s46_the_largest_frame_is_judged_on_its_header() {
    let (mut peer, opened) = server_with_stream(b"kept");
    peer.feed(header(DATA, 0, 0xFF_FFFF, 3));
    assert_eq!(peer.sent(), rst(3, 3));
    for _ in 0..16 {
        peer.feed(vec![0; 0xF_FFFF]);
        assert_eq!(peer.mux.unread(), 4, "no byte of the body is kept");
    }
    peer.feed(vec![0; 15]);
    peer.feed(syn(5, b"next"));
    let outcome = peer.outcome(&opened);
    assert_eq!(outcome.streams, [(b"kept".to_vec(), by_peer(3)), (b"next".to_vec(), Ending::Open)]);
}

#[test]
fn s47_data_after_fin_costs_the_write_half_only() {
    for late in [data(3, b"late"), frame(DATA, FIN, 3, b"late")] {
        let make = || {
            let (mut peer, opened) = server_with_stream(b"all");
            peer.feed(fin(3));
            (peer, opened)
        };
        // What comes after that is skipped, free within the credit.
        let bytes = [late, data(3, b"later"), data(3, b"")].concat();
        let ((outcome, glitches), write) =
            every_split(&bytes, make, |peer, opened| (look(peer, opened), peer.write_ending(opened[0])));
        assert_eq!(outcome.sent, rst(3, 4));
        assert_eq!(outcome.streams, [(b"all".to_vec(), Ending::Fin)]);
        assert_eq!((write, outcome.end, glitches), (by_peer(4), None, 0));
    }
}

#[test]
fn s47_costs_one_reset_token_a_stream() {
    let mut peer = Peer::new(Side::Server);
    for id in (3..2003).step_by(2) {
        peer.feed([syn_fin(id, b""), data(id, b"y"), data(id, b"z"), data(id, b"z")].concat());
        assert_eq!(peer.sent(), rst(id, 4));
        accept_and_drop(&mut peer, b"", Ending::Fin);
    }
    assert_eq!(peer.mux.end(), None);
    peer.feed([syn_fin(2003, b""), data(2003, b"y")].concat());
    assert_eq!(peer.sent(), go_away(2003, 10, b"too many streams reset"));
}

#[test]
fn s48_a_second_empty_fin_is_a_glitch() {
    let make = || server_with_stream(b"all");
    let (outcome, glitches) = every_split(&[fin(3), fin(3), fin(3)].concat(), make, look);
    assert_eq!((outcome.sent, outcome.end, glitches), (vec![], None, 2));
    assert_eq!(outcome.streams, [(b"all".to_vec(), Ending::Fin)]);
}

#[test]
fn s49_empty_data_is_a_glitch_and_nothing_else() {
    let make = || server_with_stream(b"a");
    let (outcome, glitches) = every_split(&[data(3, b""), data(3, b"b")].concat(), make, look);
    assert_eq!((outcome.sent, outcome.end, glitches), (vec![], None, 1));
    assert_eq!(outcome.streams, [(b"ab".to_vec(), Ending::Open)]);
}

#[test]
fn s50_a_flood_of_empty_data_ends_the_session() {
    let (mut peer, opened) = server_with_stream(b"a");
    peer.feed(data(3, b"").repeat(10_000));
    assert_eq!((peer.sent(), peer.mux.end(), peer.mux.unread()), (vec![], None, 1));
    peer.feed(data(3, b"").repeat(290_000));
    assert_eq!(peer.sent(), go_away(3, 10, b"too many useless frames"));
    assert_eq!(peer.read_all(opened[0]), (b"a".to_vec(), by_peer(10)));
    assert_eq!(peer.mux.stats().glitches, 10_001);
}

#[test]
fn s50_useful_work_earns_glitches_back() {
    let (mut peer, opened) = server_with_stream(b"");
    let mut glitches = 0;
    for _ in 0..100 {
        peer.feed(data(3, &[0; 4096]));
        peer.read_all(opened[0]);
        peer.sent();
        peer.feed(data(3, b"").repeat(100));
        glitches += 100;
        if glitches > 10_000 {
            break;
        }
    }
    assert_eq!(peer.mux.end(), None, "10,000 and one for each 4 KiB read");
    peer.feed(data(3, b"").repeat(101));
    assert_eq!(peer.mux.end().unwrap().code(), ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn s51_a_window_of_single_bytes_arrives() {
    let (mut peer, opened) = server_with_stream(b"");
    let crumbs = data(3, b"x").repeat(WINDOW);
    peer.feed_shared(Bytes::from(crumbs));
    assert_eq!(peer.mux.unread(), WINDOW);
    assert_eq!(peer.mux.stats().glitches, 0);
    assert_eq!(peer.read_all(opened[0]), (vec![b'x'; WINDOW], Ending::Open));
    assert_eq!(peer.sent(), wndinc(3, WINDOW as u32));
}

/// A slice of a read buffer holds all of it in memory, which only a large piece makes up for.
#[test]
fn s51_from_2_kib_on_a_payload_is_a_slice_of_what_was_read() {
    for (len, is_slice) in [(2047, false), (2048, true)] {
        let mut peer = Peer::new(Side::Server);
        let wire = Bytes::from(syn(3, &vec![7; len]));
        peer.feed_shared(wire.clone());
        let stream = peer.accept_all()[0];
        let Ok(Read::Chunk(chunk)) = peer.mux.read(stream, len) else { panic!("{len} bytes came") };
        assert_eq!(chunk, wire[8..]);
        assert_eq!(wire.as_ptr_range().contains(&chunk.as_ptr()), is_slice, "{len} bytes");
    }
}

#[test]
fn s52_a_frame_is_delivered_before_it_is_whole() {
    let config = Config::builder().window(1 << 20).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed(header(DATA, 2, 1 << 20, 3));
    let stream = peer.accept_all()[0];
    for n in 0..16_u8 {
        peer.feed_shared(vec![n; 1 << 16].into());
        assert_eq!(peer.read_all(stream), (vec![n; 1 << 16], Ending::Open));
    }
    assert_eq!(peer.sent(), wndinc(3, 1 << 20), "returned when half of it was read, sent when asked for");
    assert_eq!(peer.mux.end(), None);
}

#[test]
fn b04_the_stream_that_crosses_the_cap_on_unread_bytes_is_reset() {
    let config = Config::builder().max_session_recv(10).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b"123456"), syn(5, b"7890"), data(3, b""), data(5, b"x"), syn(7, b"y")].concat());
    let outcome = peer.outcome(&[]);
    assert_eq!(outcome.sent, [rst(5, 10), rst(7, 10)].concat());
    let [kept, crossed, late] = &outcome.streams[..] else { panic!("{:?}", outcome.streams) };
    assert_eq!(*kept, (b"123456".to_vec(), Ending::Open));
    assert_eq!(*crossed, (b"7890".to_vec(), by_peer(10)), "what had come before may be read");
    assert_eq!(*late, (vec![], by_peer(10)), "its first byte was one too many");
    assert_eq!(outcome.end, None);
}

#[test]
fn s89_a_header_that_comes_twice_or_not_at_all_ends_in_an_error_of_the_protocol() {
    let head = header(DATA, 2, 4, 3);
    // The body holds the repeated header; what is left over is read as the next one.
    let twice = [&head[..], &head, b"\0\0\0\0", &data(3, b"more")].concat();
    let (outcome, _) = every_split(&twice, server, look);
    assert_eq!(outcome.sent, go_away(3, 8, b"bad frame length"));
    assert_eq!(outcome.streams, [(head[..4].to_vec(), by_peer(8))]);
    // A SYN that got lost with its write.
    let (outcome, _) = every_split(&[data(3, b"rest"), data(3, b"rest")].concat(), server, look);
    assert_eq!((outcome.sent, outcome.end), (rst(3, 4), None));
}
