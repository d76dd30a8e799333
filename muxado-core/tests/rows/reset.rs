//! S53 to S62: streams that are dropped or reset, by either side, at any moment.

use muxado_core::proto::{Event, Read, StreamKey};
use muxado_core::{Config, Initiator, ResetError, Retry};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{data, fin, go_away, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Outcome, Peer, every_split};

const WINDOW: usize = 256 * 1024;

/// A server with the peer's stream 3 accepted, which has brought `payload`.
fn with_stream(payload: &[u8]) -> (Peer, StreamKey) {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn(3, payload));
    let stream = peer.accept_all()[0];
    (peer, stream)
}

fn failed(code: u32, initiator: Initiator) -> Ending {
    Ending::Failed(code, initiator, Retry::Unknown)
}

fn by_peer(code: u32) -> Ending {
    failed(code, Initiator::Remote)
}

#[test]
fn s53_dropped_unfinished_rst_6_after_what_was_accepted() {
    let (mut peer, stream) = with_stream(b"unread");
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), rst(3, 6));
    assert_eq!((peer.mux.stats().streams, peer.mux.unread()), (0, 0));

    let (mut peer, stream) = with_stream(b"");
    peer.mux.write(stream, b"accepted").unwrap();
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), [data(3, b"accepted"), rst(3, 6)].concat());
    assert_eq!(peer.mux.stats().streams, 0);
}

#[test]
fn s53_dropped_after_finish_with_unread_bytes_fin_then_rst_6() {
    for fin_went_out in [false, true] {
        let (mut peer, stream) = with_stream(b"unread");
        peer.mux.write(stream, b"answer").unwrap();
        peer.mux.finish(stream).unwrap();
        let before = if fin_went_out { peer.sent() } else { vec![] };
        peer.drop_stream(stream);
        let sent = [before, peer.sent()].concat();
        assert_eq!(sent, [data(3, b"answer"), fin(3), rst(3, 6)].concat(), "FIN out: {fin_went_out}");
        peer.feed(data(3, b"late"));
        assert_eq!((peer.sent(), peer.mux.stats().streams), (vec![], 0));
    }
}

#[test]
fn s53_dropped_after_finish_with_nothing_unread_no_frame() {
    for fin_went_out in [false, true] {
        let (mut peer, stream) = with_stream(b"read");
        peer.read_all(stream);
        peer.mux.finish(stream).unwrap();
        let before = if fin_went_out { peer.sent() } else { vec![] };
        peer.drop_stream(stream);
        assert_eq!([before, peer.sent()].concat(), fin(3));
        assert_eq!(peer.mux.stats().streams, 0);
        peer.mux.handle_credit_due();
        assert_eq!(peer.sent(), b"", "nor is credit returned that was owed (S70)");
        peer.feed([data(3, b""), fin(3)].concat());
        assert_eq!(peer.sent(), b"", "empty frames are no reason");
        peer.feed(data(3, b"first"));
        assert_eq!(peer.sent(), rst(3, 4));
        peer.feed(data(3, b"second"));
        assert_eq!(peer.sent(), b"");
    }
}

#[test]
fn s53_the_peers_fin_makes_unread_bytes_its_own_business() {
    let (mut peer, stream) = with_stream(b"unread");
    peer.feed(fin(3));
    peer.mux.finish(stream).unwrap();
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), fin(3), "both directions ended, nothing to cancel");
}

#[test]
fn s53_w11_read_half_dropped_discards_and_returns_credit() {
    let (mut peer, stream) = with_stream(&vec![0; WINDOW / 2 - 1]);
    peer.mux.release_recv(stream);
    assert_eq!((peer.sent(), peer.mux.unread()), (vec![], 0), "under half a window");
    peer.feed(data(3, b"x"));
    assert_eq!(peer.sent(), wndinc(3, WINDOW as u32 / 2));
    for _ in 0..16 {
        peer.feed(data(3, &[0; WINDOW / 4]));
        peer.feed(data(3, &[0; WINDOW / 4]));
        assert_eq!(peer.sent(), wndinc(3, WINDOW as u32 / 2));
    }
    peer.feed(data(3, b"little"));
    assert!(peer.mux.has_lazy_credit());
    peer.mux.handle_credit_due();
    assert_eq!(peer.sent(), wndinc(3, 6));
    peer.mux.write(stream, b"still writing").unwrap();
    assert_eq!(peer.sent(), data(3, b"still writing"));
    peer.mux.release_send(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (rst(3, 6), 0));
}

#[test]
fn decision_2_a_dropped_stream_delivers_as_credit_comes() {
    let config = Config::builder().window(4).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed(syn(3, b"unre"));
    let stream = peer.accept_all()[0];
    assert_eq!(peer.mux.write(stream, b"123456"), Ok(6));
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), [wndinc(3, 4), data(3, b"1234")].concat(), "the unread bytes count as consumed");
    assert!(peer.mux.has_lingering());
    peer.feed(data(3, b"more"));
    assert_eq!(peer.sent(), wndinc(3, 4), "incoming data is discarded, its credit returned");
    peer.feed(wndinc(3, 1));
    assert_eq!(peer.sent(), data(3, b"5"));
    peer.feed(wndinc(3, 1));
    assert_eq!(peer.sent(), [data(3, b"6"), rst(3, 6)].concat());
    assert_eq!((peer.mux.has_lingering(), peer.mux.stats().streams), (false, 0));
}

#[test]
fn decision_2_a_stream_dropped_unfinished_that_has_no_credit_is_reset_at_the_third_sweep() {
    for finished in [false, true] {
        let config = Config::builder().window(4).window_agreed_out_of_band().build().unwrap();
        let mut peer = Peer::with(Side::Server, &config);
        peer.feed(syn(3, b""));
        let stream = peer.accept_all()[0];
        peer.mux.write(stream, b"123456").unwrap();
        if finished {
            peer.mux.finish(stream).unwrap();
        }
        peer.drop_stream(stream);
        assert_eq!(peer.sent(), data(3, b"1234"));
        for _ in 0..2 {
            peer.mux.handle_sweep();
            assert_eq!(peer.sent(), b"");
        }
        peer.mux.handle_sweep();
        if finished {
            // Its end is meant: it waits for its reader as long as the session lives.
            assert_eq!((peer.sent(), peer.mux.has_lingering()), (vec![], false));
            peer.feed(wndinc(3, 2));
            assert_eq!(peer.sent(), [data(3, b"56"), fin(3)].concat());
        } else {
            assert_eq!(peer.sent(), rst(3, 6));
        }
        assert_eq!((peer.mux.has_lingering(), peer.mux.stats().streams), (false, 0));
    }
}

#[test]
fn decision_2_sweeps_leave_held_streams_alone() {
    let config = Config::builder().window(4).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed(syn(3, b""));
    let stream = peer.accept_all()[0];
    peer.mux.write(stream, b"123456").unwrap();
    peer.mux.release_recv(stream);
    assert_eq!(peer.sent(), data(3, b"1234"));
    for _ in 0..10 {
        peer.mux.handle_sweep();
    }
    assert_eq!((peer.sent(), peer.mux.has_lingering()), (vec![], false));
}

#[test]
fn decision_2_abort_resets_at_once() {
    let (mut peer, stream) = with_stream(b"unread");
    peer.mux.write(stream, b"worthless").unwrap();
    peer.mux.abort(stream);
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (rst(3, 6), 0));
}

#[test]
fn s54_rst_wakes_both_halves_and_keeps_what_came() {
    let (mut peer, stream) = with_stream(b"");
    assert_eq!(peer.mux.read(stream, 10), Ok(Read::Blocked));
    peer.mux.write(stream, &vec![0; WINDOW]).unwrap();
    peer.sent();
    while peer.mux.write(stream, &[0; 1024]).unwrap() > 0 {}
    peer.events();
    peer.feed([data(3, b"last words"), rst(3, 0x1234)].concat());
    let events = peer.events();
    assert!(events.contains(&Event::Readable(stream)) && events.contains(&Event::Writable(stream)));
    assert_eq!(peer.read_all(stream), (b"last words".to_vec(), by_peer(0x1234)));
    assert_eq!(peer.write_ending(stream), by_peer(0x1234));
    assert_eq!(peer.sent(), b"", "what was queued is dropped, and no RST answers a RST");
    assert_eq!(peer.mux.stats().streams, 1, "its place is taken until the application lets go");
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (vec![], 0));
}

#[test]
fn s54_s55_s59_every_code_is_kept() {
    for code in [0, 1, 5, 7, 0xFF, 0xDEAD_BEEF, 0xFFFF_FFFF] {
        let make = || {
            let (peer, stream) = with_stream(b"abc");
            (peer, vec![stream])
        };
        let (outcome, write): (Outcome, Ending) = every_split(&rst(3, code), make, |peer, opened| {
            (peer.outcome(opened), peer.write_ending(opened[0]))
        });
        let retry = if code == 5 { Retry::NotProcessed } else { Retry::Unknown };
        let ending = Ending::Failed(code, Initiator::Remote, retry);
        assert_eq!((outcome.streams, write), (vec![(b"abc".to_vec(), ending)], ending));
        assert_eq!((outcome.sent, outcome.sent_after, outcome.end), (vec![], vec![], None));
    }
    assert_eq!(ErrorCode::new(4_000_000_000).to_string(), "error code 4000000000");
}

#[test]
fn s55_codes_that_may_not_be_sent_are_refused() {
    let (mut peer, stream) = with_stream(b"");
    for (code, error) in
        [(0, ResetError::NoError), (5, ResetError::PromisesRefusal), (9, ResetError::PromisesRefusal)]
    {
        assert_eq!(peer.mux.reset(stream, ErrorCode::new(code)), Err(error));
    }
    assert_eq!((peer.sent(), peer.write_ending(stream)), (vec![], Ending::Open));
    peer.mux.reset(stream, ErrorCode::new(0x77)).unwrap();
    assert_eq!(peer.sent(), rst(3, 0x77));
    assert_eq!(peer.read_all(stream).1, failed(0x77, Initiator::Local));
    assert_eq!(peer.write_ending(stream), failed(0x77, Initiator::Local));
}

#[test]
fn decision_6_only_an_unused_accepted_stream_can_be_refused() {
    let (mut peer, stream) = with_stream(b"request");
    peer.mux.refuse(stream).unwrap();
    assert_eq!(peer.sent(), rst(3, 5));
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (vec![], 0));

    type Use = fn(&mut Peer, StreamKey);
    let uses: [Use; 4] = [
        |peer, stream| drop(peer.mux.read(stream, 1)),
        |peer, stream| drop(peer.mux.write(stream, b"x")),
        |peer, stream| drop(peer.mux.finish(stream)),
        |peer, stream| peer.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap(),
    ];
    for used in uses {
        let (mut peer, stream) = with_stream(b"");
        used(&mut peer, stream);
        assert_eq!(peer.mux.refuse(stream), Err(ResetError::AlreadyUsed));
    }
    let mut client = Peer::new(Side::Client);
    let own = client.mux.open().unwrap();
    assert_eq!(client.mux.refuse(own), Err(ResetError::AlreadyUsed));
}

#[test]
fn a_stream_that_has_failed_before_it_is_refused_does_not_count_as_refused() {
    let fails: [fn(&mut Peer); 2] = [|peer| peer.feed(rst(3, 6)), |peer| peer.mux.handle_eof()];
    for fail in fails {
        let (mut peer, stream) = with_stream(b"");
        fail(&mut peer);
        peer.mux.refuse(stream).unwrap();
        assert_eq!(peer.mux.stats().refused, 0);
    }
}

#[test]
fn s56_rst_after_fin_costs_the_write_half_only() {
    let make = || {
        let (mut peer, stream) = with_stream(b"all");
        peer.feed(fin(3));
        (peer, vec![stream])
    };
    let (outcome, write) =
        every_split(&rst(3, 6), make, |peer, opened| (peer.outcome(opened), peer.write_ending(opened[0])));
    assert_eq!((outcome.sent, outcome.end), (vec![], None));
    assert_eq!((outcome.streams, write), (vec![(b"all".to_vec(), Ending::Fin)], by_peer(6)));
}

#[test]
fn s57_rst_for_nothing_is_ignored_and_a_glitch_if_never_seen() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn(9, b""), syn(3, b""), rst(7, 6)].concat());
    assert_eq!(peer.mux.stats().glitches, 0, "below the highest: perhaps forgotten");
    peer.feed(rst(11, 6));
    assert_eq!(peer.mux.stats().glitches, 1, "never seen");
    let stream = peer.accept_all()[0];
    peer.feed(fin(9));
    peer.mux.finish(stream).unwrap();
    assert_eq!(peer.sent(), fin(9));
    peer.feed(rst(9, 6));
    peer.drop_stream(stream);
    peer.feed(rst(9, 6));
    assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 1));
}

#[test]
fn s58_s60_rst_that_crosses_ours_or_comes_twice_is_ignored() {
    for held in [true, false] {
        let (mut peer, stream) = with_stream(b"abc");
        peer.mux.reset(stream, ErrorCode::STREAM_RESET).unwrap();
        assert_eq!(peer.sent(), rst(3, 7));
        if !held {
            peer.drop_stream(stream);
        }
        for _ in 0..20_000 {
            peer.feed(rst(3, 4));
        }
        assert_eq!((peer.sent(), peer.mux.end(), peer.mux.stats().glitches), (vec![], None, 0));
        if held {
            assert_eq!(peer.read_all(stream).1, failed(7, Initiator::Local), "the first cause stays");
        }
    }
    let (mut peer, stream) = with_stream(b"abc");
    peer.feed([rst(3, 6), rst(3, 7)].concat());
    assert_eq!(peer.read_all(stream), (b"abc".to_vec(), by_peer(6)));
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 0));
}

/// The peer broke a rule on a stream that nobody has accepted yet, and gave it up before it heard: that takes nothing
/// from the application, and costs the peer no more than once.
#[test]
fn s58_rst_that_crosses_ours_leaves_the_backlog_as_it_is() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn_fin(3, b"all"), data(3, b"late")].concat());
    assert_eq!((peer.sent(), peer.mux.stats().backlog), (rst(3, 4), 1));
    peer.feed(rst(3, 7));
    assert_eq!((peer.mux.stats().backlog, peer.mux.stats().glitches), (1, 0));
    let stream = peer.accept_all()[0];
    assert_eq!(peer.read_all(stream), (b"all".to_vec(), Ending::Fin));
    assert_eq!(peer.write_ending(stream), failed(4, Initiator::Remote), "the first cause stays");
}

#[test]
fn s60_answers_to_what_we_sent_too_late_are_free() {
    let mut client = Peer::new(Side::Client);
    let stream = client.mux.open().unwrap();
    client.mux.write(stream, b"x").unwrap();
    client.mux.finish(stream).unwrap();
    client.sent();
    client.feed(fin(3));
    client.drop_stream(stream);
    client.feed([rst(3, 4), rst(3, 4), wndinc(3, 1)].concat());
    assert_eq!((client.sent(), client.mux.end(), client.mux.stats().glitches), (vec![], None, 0));
}

#[test]
fn s61_w10_nothing_of_a_stream_follows_its_rst() {
    let (mut peer, stream) = with_stream(&vec![0; WINDOW]);
    peer.mux.write(stream, &[1; 1000]).unwrap();
    peer.read_all(stream);
    peer.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(peer.sent(), rst(3, 6), "neither the queued data nor the owed credit");
    peer.mux.reset(stream, ErrorCode::STREAM_RESET).unwrap();
    assert!(peer.mux.finish(stream).is_err() && peer.mux.flush(stream).is_err());
    peer.feed(wndinc(3, 5));
    peer.mux.handle_credit_due();
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.has_lazy_credit()), (vec![], false));
    assert_eq!(peer.mux.stats().resets_sent, 1);
}

#[test]
fn s61_reset_of_a_stream_nobody_was_told_of_sends_nothing() {
    let mut client = Peer::new(Side::Client);
    let stream = client.mux.open().unwrap();
    client.mux.write(stream, b"queued").unwrap();
    client.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(client.sent(), b"");
    client.drop_stream(stream);
    assert_eq!(client.mux.stats().streams, 0);
}

#[test]
fn s62_a_stream_the_peer_made_us_reset_keeps_its_place() {
    let config =
        Config::builder().window(4).window_agreed_out_of_band().max_inbound_streams(8).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    let mut held = Vec::new();
    for id in (3..19).step_by(2) {
        peer.feed(syn(id, b""));
        held.append(&mut peer.accept_all());
        peer.feed(data(id, b"12345"));
        assert_eq!(peer.sent(), rst(id, 3));
    }
    peer.feed(syn(19, b""));
    assert_eq!(peer.sent(), rst(19, 5), "all places are held by handlers that still run");
    peer.drop_stream(held.pop().unwrap());
    peer.feed(syn(21, b""));
    assert_eq!((peer.sent(), peer.accept_all().len()), (vec![], 1));
}

#[test]
fn s62_every_forced_reset_costs_a_token_and_ended_streams_earn_them_back() {
    let mut peer = Peer::new(Side::Server);
    let mut ids = (3..).step_by(2);
    let provoke = |peer: &mut Peer, ids: &mut dyn Iterator<Item = u32>| {
        let id = ids.next().unwrap();
        peer.feed([syn_fin(id, b""), data(id, b"after FIN")].concat());
        let sent = peer.sent();
        let stream = peer.accept_all()[0];
        assert_eq!(peer.read_all(stream), (vec![], Ending::Fin));
        peer.drop_stream(stream);
        (id, sent)
    };
    let forced = |(id, sent)| assert_eq!(sent, rst(id, 4));
    for _ in 0..1000 {
        forced(provoke(&mut peer, &mut ids));
    }
    for _ in 0..3 {
        let id = ids.next().unwrap();
        peer.feed(syn_fin(id, b"honest"));
        let stream = peer.accept_all()[0];
        peer.mux.finish(stream).unwrap();
        assert_eq!(peer.sent(), fin(id));
        peer.drop_stream(stream);
    }
    for _ in 0..3 {
        forced(provoke(&mut peer, &mut ids));
    }
    let last = go_away(2015, 10, b"too many streams reset");
    assert_eq!(
        provoke(&mut peer, &mut ids),
        (2015, last),
        "the stream that was one too many can be accepted"
    );
}

#[test]
fn s53_s88_a_stream_dropped_within_a_frame_returns_its_credit() {
    // The frame has filled the window: the peer's writer would wait for ever.
    let (mut peer, stream) = with_stream(b"");
    peer.mux.finish(stream).unwrap();
    assert_eq!(peer.sent(), fin(3));
    let frame = data(3, &vec![0; WINDOW]);
    peer.feed(&frame[..WINDOW / 2]);
    peer.mux.release_recv(stream);
    assert_eq!(peer.sent(), rst(3, 6), "bytes were unread");
    peer.drop_stream(stream);

    let (mut peer, stream) = with_stream(b"");
    peer.mux.finish(stream).unwrap();
    peer.mux.release_recv(stream);
    peer.feed(&frame[..8]);
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), fin(3));
    peer.feed(&frame[8..]);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (wndinc(3, WINDOW as u32), 0));
    peer.feed(data(3, b"x"));
    assert_eq!(peer.sent(), rst(3, 4));
}

#[test]
fn s53_a_stream_dropped_within_a_frame_goes_when_the_frame_is_whole() {
    let (mut peer, stream) = with_stream(b"");
    peer.mux.finish(stream).unwrap();
    peer.mux.release_recv(stream);
    peer.feed(&data(3, b"abc")[..9]);
    peer.drop_stream(stream);
    assert_eq!((peer.sent(), peer.mux.stats().streams), (fin(3), 1));
    peer.feed(b"bc");
    assert_eq!((peer.sent(), peer.mux.stats().streams), (vec![], 0));
}

#[test]
fn s61_a_reset_that_throws_away_unread_bytes_leaves_no_clean_end() {
    let (mut peer, stream) = with_stream(b"never read");
    peer.feed(fin(3));
    peer.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(peer.sent(), rst(3, 6));
    assert_eq!(peer.read_all(stream), (vec![], failed(6, Initiator::Local)));

    let (mut peer, stream) = with_stream(b"all");
    peer.feed(fin(3));
    peer.mux.finish(stream).unwrap();
    assert_eq!(peer.sent(), fin(3));
    peer.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(peer.sent(), b"", "both sides have finished: there is nothing to reset");
    assert_eq!(peer.read_all(stream), (b"all".to_vec(), Ending::Fin));
}

#[test]
fn s61_a_reset_after_all_was_read_leaves_the_clean_end() {
    let (mut peer, stream) = with_stream(b"all");
    peer.feed(fin(3));
    assert_eq!(peer.read_all(stream), (b"all".to_vec(), Ending::Fin));
    peer.mux.reset(stream, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(peer.sent(), rst(3, 6));
    assert_eq!(peer.read_all(stream), (vec![], Ending::Fin));
    assert_eq!(peer.write_ending(stream), failed(6, Initiator::Local));
}
