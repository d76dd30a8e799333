//! S19 to S38: streams that begin, in any order, too often, too late or not at all.

use muxado_core::proto::{Event, Read, StreamKey};
use muxado_core::{Config, Initiator, OpenError, Retry};
use muxado_frame::{ErrorCode, Side, StreamId};
use muxado_testkit::wire::{data, fin, go_away, header, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Outcome, Peer, every_split};

const WINDOW: usize = 256 * 1024;

fn server() -> (Peer, Vec<StreamKey>) {
    (Peer::new(Side::Server), Vec::new())
}

fn server_with(config: &Config) -> impl Fn() -> (Peer, Vec<StreamKey>) {
    move || (Peer::with(Side::Server, config), Vec::new())
}

fn look(peer: &mut Peer, opened: &[StreamKey]) -> Outcome {
    peer.outcome(opened)
}

fn open(data: &[u8]) -> (Vec<u8>, Ending) {
    (data.to_vec(), Ending::Open)
}

fn refused(code: u32) -> Ending {
    Ending::Failed(code, Initiator::Remote, Retry::NotProcessed)
}

#[test]
fn s19_a_syn_within_the_window_is_accepted_on_both_sides() {
    for (side, id) in [(Side::Server, 1), (Side::Server, 3), (Side::Client, 2), (Side::Client, 0x7FFF_FFFE)] {
        for payload in [&b""[..], b"x", &vec![7; WINDOW]] {
            let mut peer = Peer::new(side);
            peer.feed(syn(id, payload));
            let outcome = peer.outcome(&[]);
            assert_eq!(outcome.streams, [open(payload)]);
            assert_eq!((&outcome.sent[..], outcome.end), (&b""[..], None));
        }
    }
    let outcome = every_split(&[syn(3, b""), syn(5, b"abc")].concat(), server, look);
    assert_eq!(outcome.streams, [open(b""), open(b"abc")]);
}

#[test]
fn s20_s22_syn_with_fin_ends_one_direction_only() {
    for payload in [&b""[..], b"request"] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(syn_fin(3, payload));
        let stream = peer.accept_all()[0];
        assert_eq!(peer.read_all(stream), (payload.to_vec(), Ending::Fin));
        peer.mux.write(stream, b"answer").unwrap();
        peer.mux.finish(stream).unwrap();
        assert_eq!(peer.sent(), [data(3, b"answer"), fin(3)].concat());
        let split = every_split(&syn_fin(3, payload), server, look);
        assert_eq!(split.streams, [(payload.to_vec(), Ending::Fin)]);
    }
}

#[test]
fn s21_a_syn_beyond_the_window_is_refused_on_its_header() {
    for length in [WINDOW as u32 + 1, 0xFF_FFFF] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(header(1, 2, length, 3));
        assert_eq!(peer.sent(), rst(3, 3), "decided before any payload came");
        assert!(peer.accept_all().is_empty());
        peer.feed(vec![0; length as usize]);
        peer.feed(syn(5, b"next"));
        assert_eq!(peer.outcome(&[]).streams, [open(b"next")]);
        assert_eq!(peer.mux.stats().streams, 1);
    }
}

#[test]
fn s21_costs_a_reset_token_each() {
    let mut peer = Peer::new(Side::Server);
    let config = Config::builder().window(10).window_agreed_out_of_band().build().unwrap();
    let mut small = Peer::with(Side::Server, &config);
    for id in (3..2003).step_by(2) {
        small.feed(syn(id, &[0; 11]));
        assert_eq!(small.sent(), rst(id, 3));
    }
    small.feed(syn(2003, &[0; 11]));
    assert_eq!(small.sent(), go_away(0, 10, b"too many streams reset"));
    peer.feed(syn(3, &[0; 11]));
    assert_eq!(peer.sent(), b"");
}

#[test]
fn s23_s28_syn_for_a_live_stream_ends_the_session() {
    let bytes = [syn(3, b"a"), syn(3, b"b")].concat();
    let outcome = every_split(&bytes, server, look);
    assert_eq!(outcome.sent, go_away(3, 1, b"SYN for a stream that is open"));
    assert_eq!(outcome.end.unwrap().code(), ErrorCode::PROTOCOL_ERROR);
    let failed = Ending::Failed(1, Initiator::Remote, Retry::Unknown);
    assert_eq!(outcome.streams, [(b"a".to_vec(), failed)], "and nothing of the second");

    // S28: one of ours, live.
    let mut client = Peer::new(Side::Client);
    let stream = client.mux.open().unwrap();
    client.mux.flush(stream).unwrap();
    assert_eq!(client.sent(), syn(3, b""));
    client.feed(syn(3, b""));
    assert_eq!(client.sent(), go_away(0, 1, b"SYN for a stream that is open"));
    assert_eq!(client.read_all(stream).1, Ending::Failed(1, Initiator::Remote, Retry::Unknown));
}

#[test]
fn s24_s38_a_syn_for_a_remembered_id_is_answered_closed() {
    // S38: DATA overtook its SYN.
    let bytes = [data(3, b"early"), syn(3, b"late"), data(3, b"more"), syn(5, b"ok")].concat();
    let (outcome, glitches) =
        every_split(&bytes, server, |peer, _| (peer.outcome(&[]), peer.mux.stats().glitches));
    assert_eq!(outcome.sent, [rst(3, 4), rst(3, 4)].concat());
    assert_eq!(outcome.streams, [open(b"ok")]);
    assert_eq!((outcome.end, glitches), (None, 2));

    // S24: reset by this side, whether the application still holds it or not.
    for held in [false, true] {
        let (mut peer, _) = server();
        peer.feed(syn(3, b""));
        let stream = peer.accept_all()[0];
        peer.mux.reset(stream, ErrorCode::STREAM_RESET).unwrap();
        if !held {
            peer.drop_stream(stream);
        }
        assert_eq!(peer.sent(), rst(3, 7));
        peer.feed(syn(3, b"again"));
        assert_eq!(peer.sent(), rst(3, 4), "held: {held}");
        assert!(peer.accept_all().is_empty());
        assert_eq!(peer.mux.end(), None);
    }
}

#[test]
fn s25_syns_come_in_any_order() {
    let bytes = [syn(9, b"9"), syn(3, b"3"), data(9, b"9"), syn(7, b"7"), data(3, b"3")].concat();
    let (outcome, stats) = every_split(&bytes, server, |peer, _| (peer.outcome(&[]), peer.mux.stats()));
    assert_eq!(outcome.streams, [open(b"99"), open(b"33"), open(b"7")]);
    assert_eq!((&outcome.sent[..], outcome.end), (&b""[..], None));
    assert_eq!((stats.late_syns, stats.glitches), (2, 0), "3 and 7 come after 9");
}

#[test]
fn s25_late_syns_are_counted_whatever_becomes_of_them() {
    let config = Config::builder().max_inbound_streams(2).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    for (id, late_syns) in [(5, 0), (9, 0), (7, 1), (11, 1), (3, 2)] {
        peer.feed(syn(id, b""));
        assert_eq!(peer.mux.stats().late_syns, late_syns, "after {id}");
    }
    assert_eq!(peer.sent(), [rst(7, 5), rst(11, 5), rst(3, 5)].concat());
    peer.feed(syn(11, b""));
    assert_eq!((peer.sent(), peer.mux.stats().late_syns), (rst(11, 4), 3), "S24");
}

#[test]
fn s26_the_id_of_a_cleanly_closed_stream_may_come_again() {
    for held in [false, true] {
        let (mut peer, _) = server();
        peer.feed(syn_fin(3, b"one"));
        let first = peer.accept_all()[0];
        peer.mux.finish(first).unwrap();
        assert_eq!(peer.sent(), fin(3));
        if !held {
            peer.drop_stream(first);
        }
        assert_eq!(peer.mux.stats().late_syns, 0);
        peer.feed(syn(3, b"two"));
        assert_eq!(peer.mux.stats().late_syns, 1);
        let second = peer.accept_all()[0];
        peer.feed(data(3, b"!"));
        assert_eq!(peer.read_all(second), open(b"two!"), "held: {held}");
        if held {
            assert_eq!(peer.read_all(first), (b"one".to_vec(), Ending::Fin));
            peer.drop_stream(first);
        }
        peer.feed(fin(3));
        assert_eq!(peer.read_all(second), (vec![], Ending::Fin), "the old handle took nothing with it");
        peer.mux.finish(second).unwrap();
        assert_eq!(peer.sent(), fin(3));
    }
}

#[test]
fn s27_syn_of_our_own_parity_ends_the_session() {
    for id in [2, 4, 0x7FFF_FFFE] {
        for bytes in [syn(id, b""), syn(id, b"abc"), syn_fin(id, b"")] {
            let outcome = every_split(&bytes, server, look);
            assert_eq!(outcome.sent, go_away(0, 1, b"SYN for an id of the wrong parity"));
        }
    }
}

#[test]
fn s29_a_full_backlog_refuses_and_goes_on() {
    let config = Config::builder().accept_backlog(2).build().unwrap();
    // What follows a refused SYN is skipped within its credit, and costs a glitch beyond it.
    let bytes = [syn(3, b"a"), syn(5, b"b"), syn(7, b"c"), data(7, b"more"), fin(7), data(3, b"a")].concat();
    let (outcome, stats) =
        every_split(&bytes, server_with(&config), |peer, _| (peer.outcome(&[]), peer.mux.stats()));
    assert_eq!(outcome.sent, rst(7, 9));
    assert_eq!(outcome.streams, [open(b"aa"), open(b"b")]);
    assert_eq!((outcome.end, stats.glitches, stats.refused), (None, 0, 1));

    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b""), syn(5, b""), syn(7, b"c")].concat());
    for _ in 0..15 {
        peer.feed(data(7, &[0; 16 * 1024]));
    }
    peer.feed(data(7, &[0; 16 * 1024 - 1]));
    assert_eq!(peer.mux.stats().glitches, 0, "exactly the window");
    peer.feed(data(7, b"x"));
    assert_eq!(peer.mux.stats().glitches, 1);
    assert_eq!(peer.sent(), rst(7, 9));
    assert_eq!(peer.accept_all().len(), 2);
    peer.feed(syn(9, b""));
    assert_eq!(peer.accept_all().len(), 1, "there is room again");
}

#[test]
fn s29_s30_received_refusals_are_safe_to_retry() {
    for code in [5, 9] {
        let mut client = Peer::new(Side::Client);
        let stream = client.mux.open().unwrap();
        client.mux.write(stream, b"request").unwrap();
        assert_eq!(client.sent(), syn(3, b"request"));
        client.feed(rst(3, code));
        assert_eq!(client.read_all(stream).1, refused(code));
        assert_eq!(client.write_ending(stream), refused(code));
    }
}

#[test]
fn s30_the_stream_limit_refuses_until_a_place_is_free() {
    let config = Config::builder().max_inbound_streams(2).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b"a"), syn_fin(5, b"b"), syn(7, b"c"), data(7, b"more")].concat());
    assert_eq!(peer.sent(), rst(7, 5));
    let streams = peer.accept_all();
    assert_eq!(streams.len(), 2);

    // A stream that has ended on the wire keeps its place until the application lets it go (B06).
    peer.mux.finish(streams[1]).unwrap();
    assert_eq!(peer.sent(), fin(5));
    peer.feed(syn(9, b""));
    assert_eq!(peer.sent(), rst(9, 5));
    peer.drop_stream(streams[1]);
    peer.feed(syn(11, b"d"));
    assert_eq!(peer.outcome(&streams[..1]).streams, [open(b"a"), open(b"d")]);
}

#[test]
fn s29_s30_s31_limits_never_kill_the_session() {
    let full = Config::builder().accept_backlog(1).build().unwrap();
    let none = Config::builder().max_inbound_streams(0).build().unwrap();
    for config in [full, none] {
        let mut peer = Peer::with(Side::Server, &config);
        for id in (3..100_003).step_by(2) {
            peer.feed(syn(id, b"x"));
            peer.sent();
        }
        assert_eq!(peer.mux.end(), None);
        assert_eq!(peer.mux.stats().glitches, 0);
    }
}

#[test]
fn s31_new_streams_are_refused_while_we_drain() {
    let make = || {
        let (mut peer, mut opened) = server();
        peer.feed(syn(3, b"a"));
        opened.append(&mut peer.accept_all());
        peer.mux.drain();
        (peer, opened)
    };
    let bytes = [syn(5, b"refused"), data(5, b"more"), fin(5), data(3, b"b")].concat();
    let outcome = every_split(&bytes, make, look);
    assert_eq!(outcome.sent, rst(5, 5), "and no GOAWAY yet");
    assert_eq!(outcome.streams, [open(b"ab")]);
}

#[test]
fn s32_the_peers_goaway_does_not_limit_its_own_streams() {
    let outcome = every_split(&[go_away(0, 0, b""), syn(3, b"still")].concat(), server, look);
    assert_eq!(outcome.streams, [open(b"still")]);
    assert_eq!((&outcome.sent[..], outcome.end), (&b""[..], None));
}

#[test]
fn s33_reset_before_accept_frees_the_place_and_costs_a_token() {
    let outcome = every_split(&[syn(3, b"a"), syn_fin(5, b"b"), rst(3, 6), rst(5, 6)].concat(), server, look);
    assert_eq!((outcome.sent, outcome.streams, outcome.end), (vec![], vec![], None));

    let mut peer = Peer::new(Side::Server);
    for id in (3..2003).step_by(2) {
        peer.feed([syn(id, b"x"), rst(id, 6)].concat());
        let stats = peer.mux.stats();
        assert_eq!((stats.streams, stats.backlog, stats.unread_bytes), (0, 0, 0));
    }
    assert_eq!(peer.sent(), b"");
    peer.feed([syn(2003, b"x"), rst(2003, 6)].concat());
    assert_eq!(peer.sent(), go_away(0, 10, b"too many streams reset"));
    assert!(peer.events().contains(&Event::Ended));
}

#[test]
fn s33_resets_of_accepted_streams_are_free() {
    let mut peer = Peer::new(Side::Server);
    for id in (3..4003).step_by(2) {
        peer.feed(syn(id, b"x"));
        let stream = peer.accept_all()[0];
        peer.feed(rst(id, 6));
        peer.drop_stream(stream);
    }
    assert_eq!((peer.mux.end(), peer.mux.stats().streams), (None, 0));
}

#[test]
fn s34_the_first_id_may_be_the_last() {
    let bytes = [syn(0x7FFF_FFFF, b"a"), syn(3, b"b")].concat();
    let outcome = every_split(&bytes, server, look);
    assert_eq!(outcome.streams, [open(b"a"), open(b"b")]);
}

#[test]
fn s35_when_ids_are_used_up_opening_fails_for_ever() {
    for (side, last) in [(Side::Client, 0x7FFF_FFFD), (Side::Server, 0x7FFF_FFFC)] {
        let mut peer = Peer::new(side);
        peer.mux.start_ids_at(StreamId::new(last - 2).unwrap());
        let streams = [peer.mux.open().unwrap(), peer.mux.open().unwrap()];
        assert_eq!(peer.mux.open(), Err(OpenError::StreamsExhausted), "ids are counted before they are used");
        for stream in streams {
            peer.mux.write(stream, b"x").unwrap();
        }
        assert_eq!(peer.sent(), [syn(last - 2, b"x"), syn(last, b"x")].concat());
        for (stream, id) in streams.into_iter().zip([last - 2, last]) {
            peer.feed(fin(id));
            peer.mux.finish(stream).unwrap();
            peer.drop_stream(stream);
        }
        peer.sent();
        assert_eq!(peer.mux.stats().streams, 0);
        for _ in 0..3 {
            assert_eq!(peer.mux.open(), Err(OpenError::StreamsExhausted));
        }
    }
}

#[test]
fn s35_a_stream_dropped_unused_gives_its_id_back() {
    let mut peer = Peer::new(Side::Client);
    peer.mux.start_ids_at(StreamId::new(0x7FFF_FFFD).unwrap());
    let stream = peer.mux.open().unwrap();
    peer.drop_stream(stream);
    let stream = peer.mux.open().unwrap();
    peer.mux.flush(stream).unwrap();
    assert_eq!(peer.sent(), syn(0x7FFF_FFFD, b""));
}

#[test]
fn s36_w15_a_stream_dropped_unwritten_sends_nothing() {
    let mut client = Peer::new(Side::Client);
    let dropped = client.mux.open().unwrap();
    client.drop_stream(dropped);
    assert_eq!(client.sent(), b"");
    assert_eq!(client.mux.stats().streams, 0);

    // Even if its SYN was wanted but has not gone out.
    let wanted = client.mux.open().unwrap();
    client.mux.flush(wanted).unwrap();
    client.drop_stream(wanted);
    assert_eq!((client.sent(), client.mux.stats().streams), (vec![], 0));

    let finished = client.mux.open().unwrap();
    client.mux.finish(finished).unwrap();
    assert_eq!(client.sent(), [syn(3, b""), fin(3)].concat(), "the first id: none was wasted");
}

#[test]
fn s36_flush_and_read_send_an_empty_syn_once() {
    let mut client = Peer::new(Side::Client);
    let flushed = client.mux.open().unwrap();
    client.mux.flush(flushed).unwrap();
    client.mux.flush(flushed).unwrap();
    let read = client.mux.open().unwrap();
    assert_eq!(client.mux.read(read, 10), Ok(Read::Blocked));
    assert_eq!(client.sent(), [syn(3, b""), syn(5, b"")].concat());
    client.mux.flush(flushed).unwrap();
    assert_eq!(client.mux.read(read, 10), Ok(Read::Blocked));
    client.mux.write(flushed, b"x").unwrap();
    assert_eq!(client.sent(), data(3, b"x"));
}

#[test]
fn s37_w14_an_empty_write_keeps_the_syn() {
    let mut client = Peer::new(Side::Client);
    let stream = client.mux.open().unwrap();
    assert_eq!(client.mux.write(stream, b""), Ok(0));
    assert_eq!(client.sent(), b"");
    client.mux.write(stream, b"x").unwrap();
    assert_eq!(client.sent(), syn(3, b"x"));
    assert_eq!(client.mux.write(stream, b""), Ok(0));
    assert_eq!(client.sent(), b"");
}

#[test]
fn s37_data_without_syn_is_answered_once_and_remembered() {
    let bytes = [data(3, b"lost"), data(3, b"my"), data(3, b"syn"), fin(3), wndinc(3, 4)].concat();
    let outcome = every_split(&bytes, server, look);
    assert_eq!((outcome.sent, outcome.streams, outcome.end), (rst(3, 4), vec![], None));
}
