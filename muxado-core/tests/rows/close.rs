//! The machine's part of S80 and S81, decisions 2 and 3, and what may be sent again: drain, go away, close, abandon.

use muxado_core::proto::{Event, StreamKey};
use muxado_core::{Config, EndCause, Initiator, OpenError, Retry};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{data, fin, go_away, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Pair, Peer};

fn server_with(bytes: &[Vec<u8>]) -> (Peer, Vec<StreamKey>) {
    let mut peer = Peer::new(Side::Server);
    peer.feed(bytes.concat());
    let streams = peer.accept_all();
    (peer, streams)
}

fn closed_here(code: u32, retry: Retry) -> Ending {
    Ending::Failed(code, Initiator::Local, retry)
}

#[test]
fn s80_drain_lets_live_streams_finish_and_then_says_goaway() {
    let (mut peer, streams) = server_with(&[syn(3, b"a"), syn(9, b"b")]);
    peer.mux.drain();
    assert_eq!(peer.mux.open(), Err(OpenError::Draining));
    assert_eq!(peer.sent(), b"");
    peer.feed([data(3, b"a"), fin(3), syn(11, b"late")].concat());
    assert_eq!(peer.read_all(streams[0]), (b"aa".to_vec(), Ending::Fin));
    peer.mux.write(streams[0], b"answer").unwrap();
    peer.mux.finish(streams[0]).unwrap();
    assert_eq!(peer.sent(), [rst(11, 5), data(3, b"answer"), fin(3)].concat());
    assert_eq!(peer.mux.end(), None);
    peer.drop_stream(streams[1]);
    assert_eq!(peer.sent(), [rst(9, 6), go_away(9, 0, b"")].concat(), "GOAWAY is the last frame");
    assert!(peer.mux.is_finished() && peer.mux.end().unwrap().is_clean());
    assert!(peer.mux.end().unwrap().cut().is_nothing());
    assert!(peer.events().contains(&Event::Ended));
    assert_eq!(peer.write_ending(streams[0]), Ending::Fin, "what was finished stays finished");
}

#[test]
fn s80_drain_of_an_idle_session_says_goaway_at_once() {
    let mut peer = Peer::new(Side::Client);
    peer.mux.drain();
    assert!(peer.mux.wants_transmit());
    assert_eq!(peer.sent(), go_away(0, 0, b""));
    assert!(peer.mux.is_finished() && !peer.mux.wants_transmit());
    peer.mux.close(ErrorCode::INTERNAL_ERROR, b"again");
    peer.mux.drain();
    assert_eq!(peer.sent(), b"");
}

#[test]
fn s80_a_stream_waiting_in_the_backlog_is_live_too() {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn_fin(3, b"early"));
    peer.mux.drain();
    assert_eq!(peer.sent(), b"");
    let stream = peer.accept_all()[0];
    assert_eq!(peer.read_all(stream), (b"early".to_vec(), Ending::Fin));
    peer.mux.finish(stream).unwrap();
    assert_eq!(peer.sent(), [fin(3), go_away(3, 0, b"")].concat());
}

#[test]
fn s80_a_finished_stream_that_nobody_reads_does_not_keep_a_drain_though_it_is_held() {
    let (mut peer, streams) = server_with(&[syn(3, b"a")]);
    peer.mux.finish(streams[0]).unwrap();
    assert_eq!(peer.read_all(streams[0]).0, b"a");
    peer.mux.drain();
    assert_eq!(peer.sent(), fin(3), "the peer may say more, and somebody would read it");
    peer.mux.release_recv(streams[0]);
    assert_eq!(peer.sent(), go_away(3, 0, b""));
    assert!(peer.mux.end().unwrap().cut().is_nothing());
}

#[test]
fn a_session_leaves_from_the_moment_it_opens_no_more_streams() {
    let ways: [fn(&mut Peer); 6] = [
        |peer| peer.mux.drain(),
        |peer| peer.mux.go_away(),
        |peer| peer.mux.abandon(),
        |peer| peer.mux.close(ErrorCode::NO_ERROR, b""),
        |peer| peer.feed(go_away(0, 0, b"")),
        |peer| peer.mux.handle_eof(),
    ];
    for way in ways {
        let (mut peer, _streams) = server_with(&[syn(3, b"a")]);
        assert!(!peer.mux.is_leaving());
        way(&mut peer);
        assert!(peer.mux.is_leaving());
    }
}

#[test]
fn s80_the_drain_limit_cuts_what_is_left() {
    let (mut peer, streams) = server_with(&[syn(3, b"a")]);
    peer.mux.write(streams[0], b"unsent").unwrap();
    peer.mux.drain();
    peer.mux.handle_deadline();
    assert_eq!(peer.sent(), go_away(3, 0, b""));
    let end = peer.mux.end().unwrap();
    assert_eq!((end.cut().streams, end.cut().bytes), (1, 6));
    assert_eq!(peer.read_all(streams[0]), (b"a".to_vec(), closed_here(0, Retry::Unknown)));
}

#[test]
fn decision_3_without_peer_drains_go_away_is_drain() {
    let (mut peer, streams) = server_with(&[syn(3, b"a")]);
    peer.mux.go_away();
    assert_eq!(peer.sent(), b"");
    peer.drop_stream(streams[0]);
    assert_eq!(peer.sent(), [rst(3, 6), go_away(3, 0, b"")].concat());
}

#[test]
fn decision_3_w12_an_early_goaway_is_followed_by_its_filler_and_live_streams_only() {
    let config = Config::builder().peer_drains(true).build().unwrap();
    for (side, peer_id, filler) in [(Side::Server, 3, 0x7FFF_FFFE), (Side::Client, 2, 0x7FFF_FFFF)] {
        let mut peer = Peer::with(side, &config);
        peer.feed([syn(peer_id, b"a"), syn(peer_id + 2, b"waits")].concat());
        let stream = peer.mux.accept().unwrap().unwrap();
        peer.mux.write(stream, b"first").unwrap();
        peer.mux.go_away();
        // The stream in the backlog will be handled, so it counts as such.
        let early = [go_away(peer_id + 2, 0, b""), fin(filler)].concat();
        assert_eq!(peer.sent(), [early, data(peer_id, b"first")].concat());
        assert_eq!((peer.mux.end(), peer.mux.open()), (None, Err(OpenError::Draining)));
        peer.feed(syn(peer_id + 4, b"late"));
        assert_eq!(peer.sent(), rst(peer_id + 4, 5));
        let waiting = peer.accept_all()[0];
        for stream in [stream, waiting] {
            peer.mux.finish(stream).unwrap();
        }
        peer.feed([fin(peer_id), fin(peer_id + 2)].concat());
        assert_eq!(peer.sent(), [fin(peer_id), fin(peer_id + 2)].concat(), "and no second GOAWAY");
        assert!(peer.mux.is_finished() && peer.mux.end().unwrap().is_clean());
    }
}

#[test]
fn decision_3_an_early_goaway_counts_the_streams_that_wait_to_be_accepted() {
    let config = Config::builder().peer_drains(true).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    // One was taken back by the peer, one broke a rule: the first cannot be given out any more, the second can.
    peer.feed([syn(9, b"taken back"), syn(3, b"a"), syn_fin(7, b""), syn_fin(5, b"b")].concat());
    peer.feed([rst(9, 6), data(7, b"late")].concat());
    peer.mux.go_away();
    assert_eq!(peer.sent(), [go_away(7, 0, b""), fin(0x7FFF_FFFE), rst(7, 4)].concat());
    let streams = peer.accept_all();
    let got: Vec<_> = streams.iter().map(|stream| peer.read_all(*stream)).collect();
    assert_eq!(got, [(b"a".to_vec(), Ending::Open), (vec![], Ending::Fin), (b"b".to_vec(), Ending::Fin)]);
    for stream in [streams[0], streams[2]] {
        peer.mux.finish(stream).unwrap();
    }
    peer.feed(fin(3));
    assert_eq!(peer.sent(), [fin(3), fin(5)].concat(), "and no second GOAWAY");
    assert!(peer.mux.is_finished() && peer.mux.end().unwrap().is_clean());
}

#[test]
fn decision_3_a_pair_survives_an_early_goaway() {
    let config = Config::builder().peer_drains(true).build().unwrap();
    let mut pair = Pair::new(&config);
    let stream = pair.client.mux.open().unwrap();
    pair.client.mux.write(stream, b"request").unwrap();
    pair.run();
    let accepted = pair.server.accept_all()[0];
    pair.server.mux.go_away();
    pair.run();
    assert!(matches!(pair.client.mux.open(), Err(OpenError::GoneAway(_))));
    assert_eq!(pair.server.read_all(accepted), (b"request".to_vec(), Ending::Open));
    pair.server.mux.write(accepted, b"answer").unwrap();
    pair.server.mux.finish(accepted).unwrap();
    pair.client.mux.finish(stream).unwrap();
    pair.run();
    assert_eq!(pair.client.read_all(stream), (b"answer".to_vec(), Ending::Fin));
    assert!(pair.server.mux.is_finished());
    assert_eq!(pair.client.mux.stats().glitches, 0);
}

#[test]
fn decision_3_close_flushes_what_was_finished_or_dropped_and_cuts_the_rest() {
    let (mut peer, streams) =
        server_with(&[syn(3, b""), syn(5, b""), syn(7, b"unread"), syn_fin(9, b"whole")]);
    let [finished, dropped, open, done] = streams[..] else { panic!("four streams") };
    peer.mux.finish(done).unwrap();
    assert_eq!(peer.sent(), fin(9));
    peer.mux.write(finished, b"finished").unwrap();
    peer.mux.finish(finished).unwrap();
    peer.mux.write(dropped, b"dropped").unwrap();
    peer.drop_stream(dropped);
    peer.mux.write(open, b"cut").unwrap();
    peer.feed(syn(11, b"never accepted"));

    peer.mux.close(ErrorCode::new(77), b"enough");
    let end = peer.mux.end().unwrap();
    assert!(matches!(end.cause(), EndCause::Closed { .. }));
    let cut = (end.cut().streams, end.cut().bytes);
    assert_eq!(
        cut,
        (2, 3),
        "the open one, and what the finished one could still read; a refused one is not cut"
    );
    assert!(peer.events().contains(&Event::Ended));
    assert_eq!(peer.read_all(open), (b"unread".to_vec(), closed_here(77, Retry::Unknown)));
    assert_eq!(peer.write_ending(open), closed_here(77, Retry::Unknown));
    assert_eq!(peer.read_all(done), (b"whole".to_vec(), Ending::Fin));
    assert_eq!(peer.read_all(finished).1, closed_here(77, Retry::Unknown));
    assert!(peer.mux.accept().is_err() && peer.mux.open().is_err());
    assert_eq!(peer.mux.end().unwrap().cut(), end.cut());

    let flushed = [data(3, b"finished"), fin(3), data(5, b"dropped"), rst(5, 6)].concat();
    assert_eq!(peer.sent(), [rst(11, 5), flushed, go_away(9, 77, b"enough")].concat());
    assert!(peer.mux.is_finished());
}

#[test]
fn decision_3_a_reset_goes_out_before_the_close_and_credit_for_a_cut_stream_does_not() {
    let half_a_window = [1; 128 * 1024];
    let (mut peer, streams) = server_with(&[syn(3, &half_a_window), syn(5, b""), syn(7, &half_a_window)]);
    for (stream, is_reset) in streams.iter().zip([false, true, false]) {
        peer.read_all(*stream);
        if is_reset {
            peer.mux.reset(*stream, ErrorCode::STREAM_CANCELLED).unwrap();
        }
    }
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(peer.mux.audit(), Ok(()));
    assert_eq!(peer.sent(), [rst(5, 6), go_away(7, 0, b"")].concat());
}

#[test]
fn decision_3_close_waits_for_credit_and_its_limit_cuts_and_counts() {
    let config = Config::builder().window(4).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed(syn(3, b""));
    let stream = peer.accept_all()[0];
    peer.mux.write(stream, b"1234567890").unwrap();
    peer.mux.finish(stream).unwrap();
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(peer.sent(), data(3, b"1234"));
    peer.feed([wndinc(3, 2), data(3, b"xx"), syn(5, b"")].concat());
    assert_eq!(peer.sent(), [rst(5, 5), data(3, b"56")].concat(), "what still comes is skipped");
    assert!(!peer.mux.is_finished());
    peer.mux.handle_deadline();
    assert_eq!(peer.sent(), go_away(3, 0, b""));
    let end = peer.mux.end().unwrap();
    assert_eq!((end.cut().streams, end.cut().bytes), (1, 4));
    assert!(peer.mux.is_finished());
}

#[test]
fn decision_3_data_for_cut_streams_is_skipped_while_closing() {
    let config = Config::builder().window(8).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b""), syn(5, b"")].concat());
    let streams = peer.accept_all();
    peer.mux.write(streams[0], b"1234567890").unwrap();
    peer.mux.finish(streams[0]).unwrap();
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(peer.sent(), data(3, b"12345678"));
    peer.feed([data(5, b"cut"), fin(5), data(3, b"late"), fin(3)].concat());
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 0));
    assert_eq!(peer.read_all(streams[1]), (vec![], closed_here(0, Retry::Unknown)));
}

#[test]
fn s80_b13_the_text_of_goaway_is_cut_to_256_bytes() {
    let mut peer = Peer::new(Side::Server);
    peer.mux.close(ErrorCode::new(5), &[b'x'; 300]);
    peer.mux.close(ErrorCode::new(6), b"the first close counts");
    assert_eq!(peer.sent(), go_away(0, 5, &[b'x'; 256]));
}

#[test]
fn s80_what_the_peer_may_have_under_way_counts_the_frame_in_progress() {
    const WINDOW: usize = 256 * 1024;
    let frame = data(3, &vec![0; WINDOW - 1]);
    for (came, in_flight) in [(0, WINDOW - 1), (8, WINDOW - 1), (108, WINDOW - 101), (frame.len(), 0)] {
        let (mut peer, streams) = server_with(&[syn(3, b"x"), syn_fin(5, b"all")]);
        peer.feed(&frame[..came]);
        assert_eq!(peer.mux.in_flight(), 0, "nothing has been cut");
        peer.mux.close(ErrorCode::NO_ERROR, b"");
        assert_eq!(peer.mux.in_flight(), in_flight, "{came} bytes of the frame had come");
        peer.sent();
        assert!(peer.mux.is_finished());
        assert_eq!(peer.mux.in_flight(), in_flight, "at its end too");
        assert_eq!(peer.read_all(streams[1]), (b"all".to_vec(), Ending::Fin));
    }
}

#[test]
fn s81_the_transports_end_while_closing_is_the_close() {
    let (mut peer, streams) = server_with(&[syn(3, b"")]);
    peer.mux.write(streams[0], b"lost").unwrap();
    peer.mux.finish(streams[0]).unwrap();
    peer.mux.close(ErrorCode::new(8), b"mine");
    peer.mux.handle_eof();
    let end = peer.mux.end().unwrap();
    assert_eq!((end.code().get(), end.text(), end.initiator()), (8, &b"mine"[..], Initiator::Local));
    assert_eq!((end.cut().streams, end.cut().bytes), (1, 4), "but it was not delivered");
    assert_eq!(peer.sent(), b"");
}

#[test]
fn abandoned_backlog_is_refused_and_live_streams_finish() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn(3, b"a"), syn(5, b"b"), syn_fin(7, b"c")].concat());
    let stream = peer.mux.accept().unwrap().unwrap();
    peer.mux.abandon();
    assert_eq!(peer.sent(), [rst(5, 5), rst(7, 5)].concat());
    assert_eq!((peer.mux.stats().streams, peer.mux.unread()), (1, 1));
    peer.drop_stream(stream);
    assert_eq!(peer.sent(), [rst(3, 6), go_away(3, 0, b"")].concat());
}

#[test]
fn an_abandoned_backlog_lets_go_of_streams_that_had_failed() {
    for rst_went_out in [false, true] {
        let mut peer = Peer::new(Side::Server);
        peer.feed([syn_fin(3, b"all"), data(3, b"late")].concat());
        let before = if rst_went_out { peer.sent() } else { vec![] };
        assert_eq!(peer.mux.stats().streams, 1);
        peer.mux.abandon();
        assert_eq!([before, peer.sent()].concat(), [rst(3, 4), go_away(0, 0, b"")].concat());
        let stats = peer.mux.stats();
        assert_eq!((stats.streams, stats.backlog, stats.unread_bytes), (0, 0, 0), "RST out: {rst_went_out}");
        assert_eq!((stats.refused, stats.resets_sent), (0, 1), "one RST, and it promises nothing");
        assert!(peer.mux.is_finished());
    }
}

#[test]
fn a_backlog_abandoned_after_the_end_lets_go_of_everything() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn_fin(3, b"whole"), syn(5, b"half"), syn(7, b"")].concat());
    let accepted = peer.mux.accept().unwrap().unwrap();
    peer.mux.handle_eof();
    assert_eq!((peer.mux.stats().streams, peer.mux.stats().backlog), (3, 2));
    peer.mux.abandon();
    let stats = peer.mux.stats();
    assert_eq!((stats.streams, stats.backlog, stats.unread_bytes, stats.refused), (1, 0, 5, 0));
    assert!(peer.mux.accept().is_err());
    assert_eq!(peer.read_all(accepted), (b"whole".to_vec(), Ending::Fin));
    peer.drop_stream(accepted);
    assert_eq!((peer.mux.stats().streams, peer.sent()), (0, vec![]));
}

/// A client with four streams: written whole, SYN cut, SYN in the batch only, never framed. The transport has
/// taken everything up to one byte of the second SYN.
fn partly_written() -> (Peer, Vec<StreamKey>) {
    let mut peer = Peer::new(Side::Client);
    let streams: Vec<StreamKey> = (0..4).map(|_| peer.mux.open().unwrap()).collect();
    for stream in &streams[..3] {
        peer.mux.write(*stream, b"request").unwrap();
    }
    let first = syn(3, b"request");
    assert_eq!(peer.sent_up_to(usize::MAX, first.len() + 1).len(), first.len() + 1);
    (peer, streams)
}

#[test]
fn a_stream_whose_syn_never_reached_the_lost_transport_is_not_processed() {
    let losses: [fn(&mut Peer); 3] = [
        |peer| peer.mux.handle_eof(),
        |peer| peer.mux.handle_failure(EndCause::DriverDropped),
        |peer| peer.mux.handle_stall(),
    ];
    for lose in losses {
        let (mut peer, streams) = partly_written();
        lose(&mut peer);
        let retries = streams.iter().map(|stream| peer.mux.write(*stream, b"x").unwrap_err().retry());
        let expected = [Retry::Unknown, Retry::Unknown, Retry::NotProcessed, Retry::NotProcessed];
        assert_eq!(retries.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_transport_that_stopped_right_before_a_syn_has_not_taken_it() {
    let mut peer = Peer::new(Side::Client);
    let streams = [peer.mux.open().unwrap(), peer.mux.open().unwrap()];
    for stream in streams {
        peer.mux.write(stream, b"request").unwrap();
    }
    assert_eq!(peer.sent_up_to(usize::MAX, 15), syn(3, b"request"));
    peer.mux.handle_eof();
    let retries = streams.map(|stream| peer.mux.write(stream, b"x").unwrap_err().retry());
    assert_eq!(retries, [Retry::Unknown, Retry::NotProcessed]);
}

#[test]
fn a_syn_that_may_still_go_out_promises_nothing() {
    // Whatever is in the batch goes out before our GOAWAY, so only what was never framed is safe.
    let ends: [fn(&mut Peer); 3] = [
        |peer| peer.mux.close(ErrorCode::NO_ERROR, b""),
        |peer| peer.mux.handle_deadline(),
        |peer| peer.feed(data(0, b"")),
    ];
    for end in ends {
        let (mut peer, streams) = partly_written();
        end(&mut peer);
        let retries = streams.iter().map(|stream| peer.mux.write(*stream, b"x").unwrap_err().retry());
        let expected = [Retry::Unknown, Retry::Unknown, Retry::Unknown, Retry::NotProcessed];
        assert_eq!(retries.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn open_waits_for_a_place_and_is_told() {
    let config = Config::builder().max_outbound_streams(2).build().unwrap();
    let mut peer = Peer::with(Side::Client, &config);
    let streams = [peer.mux.open().unwrap(), peer.mux.open().unwrap()];
    assert_eq!(peer.mux.open(), Err(OpenError::Busy));
    peer.mux.finish(streams[0]).unwrap();
    peer.sent();
    peer.feed(fin(3));
    assert_eq!(peer.events(), [], "ended, but still held");
    peer.drop_stream(streams[0]);
    assert_eq!(peer.events(), [Event::PlaceFree]);
    peer.mux.open().unwrap();
    peer.drop_stream(streams[1]);
    assert_eq!(peer.events(), [], "nobody was told to wait");
}

#[test]
fn w16_256_streams_of_ours_at_once_by_default() {
    let mut peer = Peer::new(Side::Client);
    for _ in 0..256 {
        peer.mux.open().unwrap();
    }
    assert_eq!(peer.mux.open(), Err(OpenError::Busy));
}

/// Found by fuzzing. The order is emptied by the end, and a stream that had a place in it got another one.
#[test]
fn b26_a_new_priority_gives_no_turn_after_the_end() {
    let mut peer = Peer::new(Side::Client);
    let stream = peer.mux.open().unwrap();
    // 1. The stream has a turn.
    peer.mux.write(stream, b"x").unwrap();
    // 2. The session ends before it comes.
    peer.feed(wndinc(3, 0));
    assert!(peer.mux.is_ended());
    // 3. The application has not noticed yet.
    peer.mux.set_priority(stream, 1);
    assert_eq!(peer.mux.audit(), Ok(()));
    assert_eq!(peer.sent(), go_away(0, 1, b"bad frame"));
}

/// Found by fuzzing. The end of the session made a stream that both sides had finished count as live again.
#[test]
fn s26_s31_a_finished_stream_that_is_still_held_does_not_come_to_life_by_closing() {
    let (mut peer, streams) = server_with(&[syn_fin(3, b"a"), syn_fin(5, b"b")]);
    // 1. Both sides finish stream 3, and the application keeps its handle.
    peer.mux.finish(streams[0]).unwrap();
    // 2. Stream 5 waits for credit, so that closing takes a while.
    while peer.mux.write(streams[1], &[0; 100_000]).unwrap() > 0 {
        peer.sent();
    }
    peer.mux.finish(streams[1]).unwrap();
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    // 3. What still comes for stream 3 is skipped without an answer.
    peer.feed(data(3, b"late"));
    assert_eq!(peer.sent(), b"");
    // 4. Its id is free for the peer, and new streams are refused.
    peer.feed(syn(3, b"again"));
    assert_eq!((peer.sent(), peer.mux.is_ended()), (rst(3, 5), false));
    assert_eq!(peer.mux.audit(), Ok(()));
}
