//! S72 to S79, S83 and the machine's part of S84 and S85: goodbyes of the peer's, and ends that nobody wished for.

use muxado_core::proto::{Event, StreamKey};
use muxado_core::{Config, EndCause, Initiator, OpenError, Retry, WriteError};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{GOAWAY, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Outcome, Peer, every_split};

/// A client that has sent streams 3, 5 and 7 and has opened a fourth that nobody was told of.
fn client() -> (Peer, Vec<StreamKey>) {
    let mut peer = Peer::new(Side::Client);
    let opened: Vec<StreamKey> = (0..4).map(|_| peer.mux.open().unwrap()).collect();
    for stream in &opened[..3] {
        peer.mux.flush(*stream).unwrap();
    }
    assert_eq!(peer.sent(), [syn(3, b""), syn(5, b""), syn(7, b"")].concat());
    (peer, opened)
}

fn look(peer: &mut Peer, opened: &[StreamKey]) -> Outcome {
    peer.outcome(opened)
}

/// How a stream of ours above the last id of the peer's GOAWAY ends, whatever code that had.
const UNPROCESSED: Ending = Ending::Failed(11, Initiator::Remote, Retry::NotProcessed);

fn endings(outcome: &Outcome) -> Vec<Ending> {
    outcome.streams.iter().map(|(_, ending)| *ending).collect()
}

#[test]
fn s72_streams_above_the_last_id_are_safe_to_retry_and_the_others_go_on() {
    let bytes = [go_away(5, 0, b"bye"), data(3, b"three"), fin(3), data(5, b"five")].concat();
    let outcome = every_split(&bytes, client, look);
    assert_eq!(outcome.streams[0], (b"three".to_vec(), Ending::Fin));
    assert_eq!(outcome.streams[1], (b"five".to_vec(), Ending::Open));
    assert_eq!(endings(&outcome)[2..], [UNPROCESSED, UNPROCESSED]);
    assert_eq!((&outcome.sent[..], outcome.end), (&b""[..], None));
}

#[test]
fn s72_after_the_peers_goaway_no_syn_goes_out() {
    let (mut peer, opened) = client();
    peer.mux.write(opened[3], b"queued").unwrap();
    peer.feed(go_away(7, 3, b"moving"));
    assert!(matches!(peer.mux.open(), Err(OpenError::GoneAway(end)) if end.code().get() == 3));
    assert_eq!(peer.sent(), b"");
    let lost = peer.mux.write(opened[3], b"x").unwrap_err();
    assert!(matches!(&lost, WriteError::Session(lost) if lost.end().text() == b"moving"));
    assert_eq!((lost.code(), lost.retry()), (Some(ErrorCode::REMOTE_GONE_AWAY), Retry::NotProcessed));
    peer.mux.write(opened[0], b"goes on").unwrap();
    assert_eq!(peer.sent(), data(3, b"goes on"));
    assert!(peer.mux.is_peer_leaving());
}

#[test]
fn s72_what_comes_for_a_stream_the_peer_has_not_processed_is_skipped_within_its_credit() {
    let config = Config::builder().window(8).window_agreed_out_of_band().build().unwrap();
    let mut peer = Peer::with(Side::Client, &config);
    let stream = peer.mux.open().unwrap();
    peer.mux.flush(stream).unwrap();
    peer.sent();
    peer.feed([go_away(0, 0, b""), data(3, b"12345"), data(3, b"678")].concat());
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 0));
    peer.feed(data(3, b"9"));
    assert_eq!((peer.sent(), peer.mux.stats().glitches), (vec![], 1));
    assert_eq!(peer.read_all(stream), (vec![], UNPROCESSED));
}

/// Nothing is sent or read on it any more. That the peer has not processed it is news all the same.
#[test]
fn s77_who_watches_a_finished_stream_that_nobody_reads_is_told() {
    let (mut peer, opened) = client();
    let key = opened[1];
    peer.mux.finish(key).unwrap();
    peer.mux.release_recv(key);
    assert_eq!((peer.sent(), peer.mux.stopped(key)), (fin(5), None));
    peer.feed(go_away(3, 0, b""));
    assert!(peer.events().contains(&Event::Stopped(key)));
    let error = peer.mux.stopped(key).unwrap().unwrap_err();
    assert_eq!((error.code(), error.retry()), (Some(ErrorCode::REMOTE_GONE_AWAY), Retry::NotProcessed));
    assert_eq!(peer.mux.write(key, b"x"), Err(WriteError::Finished));
    assert_eq!(peer.mux.audit(), Ok(()));
}

#[test]
fn s72_everybody_who_waits_is_told() {
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let mut peer = Peer::with(Side::Client, &config);
    let stream = peer.mux.open().unwrap();
    assert_eq!(peer.mux.open(), Err(OpenError::Busy));
    peer.read_all(stream);
    peer.sent();
    peer.feed(go_away(0, 0, b""));
    let events = peer.events();
    assert!(events.contains(&Event::Readable(stream)) && events.contains(&Event::PlaceFree), "{events:?}");
}

#[test]
fn s73_whatever_is_wrong_after_a_goaway_the_goaway_is_the_story() {
    let nonsense = [
        b"shutdown".to_vec(),
        b"12345678".to_vec(),
        b"        ".to_vec(),
        frame(9, 0, 0, b""),
        frame(GOAWAY, 0, 3, &[0; 8]),
        wndinc(3, 0),
        data(0, b""),
        syn(0x8000_0001, b""),
        data(9, b"never opened"),
        syn(9, b"our parity"),
        header(0, 0, 5, 3).to_vec(),
    ];
    for stray in nonsense {
        let bytes = [go_away(5, 0x33, b"the reason"), stray.clone()].concat();
        let outcome = every_split(&bytes, client, look);
        let end = outcome.end.as_ref().unwrap();
        assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{stray:x?}: {end}");
        assert_eq!((end.code().get(), end.text()), (0x33, &b"the reason"[..]));
        assert_eq!(outcome.sent, b"", "nobody to say anything to");
        let cut = Ending::Failed(0x33, Initiator::Remote, Retry::Unknown);
        assert_eq!(endings(&outcome), [cut, cut, UNPROCESSED, UNPROCESSED]);
    }
}

#[test]
fn s73_s78_eof_after_a_goaway_is_the_end_it_announced() {
    for (code, rest) in [(0, &b""[..]), (7, b""), (0, &data(3, b"cut")[..9]), (7, b"\0\0")] {
        let bytes = [&go_away(7, code, b"why")[..], rest].concat();
        let outcome = every_split(&bytes, client, |peer, opened| {
            assert_eq!(peer.mux.end(), None, "S78: streams go on until the transport ends");
            peer.mux.handle_eof();
            peer.outcome(opened)
        });
        let end = outcome.end.as_ref().unwrap();
        assert_eq!((end.code().get(), end.text(), end.is_clean()), (code, &b"why"[..], code == 0));
        let cut = Ending::Failed(code, Initiator::Remote, Retry::Unknown);
        assert_eq!(endings(&outcome), [cut, cut, cut, UNPROCESSED], "never a clean end of stream");
    }
}

#[test]
fn s73_s78_the_drain_limit_ends_what_the_peer_does_not() {
    let (mut peer, opened) = client();
    peer.feed(go_away(3, 4, b"slow"));
    peer.mux.handle_deadline();
    assert_eq!(peer.sent(), go_away(0, 0, b""), "a GOAWAY of our own is the last frame");
    assert!(peer.mux.is_finished());
    let outcome = peer.outcome(&opened);
    assert_eq!(outcome.end.as_ref().unwrap().code().get(), 4);
    assert_eq!(endings(&outcome)[0], Ending::Failed(4, Initiator::Remote, Retry::Unknown));
}

#[test]
fn s74_s75_a_second_goaway_may_lower_the_last_id_and_never_raise_it() {
    let bytes = [go_away(5, 1, b"first"), go_away(3, 2, b"second"), go_away(99, 3, b"")].concat();
    let (outcome, glitches) =
        every_split(&bytes, client, |peer, opened| (peer.outcome(opened), peer.mux.stats().glitches));
    assert_eq!(endings(&outcome)[0], Ending::Open);
    assert_eq!(endings(&outcome)[1..], [UNPROCESSED; 3]);
    assert_eq!((outcome.end, glitches), (None, 2));

    let (mut peer, opened) = client();
    peer.feed(&bytes);
    for stream in &opened[1..] {
        let lost = peer.mux.write(*stream, b"x").unwrap_err();
        let WriteError::Session(lost) = lost else { panic!("{lost}") };
        assert_eq!((lost.end().code().get(), lost.end().text()), (1, &b"first"[..]), "the first story");
    }
    let Err(OpenError::GoneAway(end)) = peer.mux.open() else { panic!("it has gone away for good") };
    assert_eq!(end.text(), b"first");
}

#[test]
fn s76_of_the_peers_text_one_kibibyte_is_kept() {
    let (mut peer, _) = client();
    peer.feed(header(GOAWAY, 0, 0xFF_FFFF, 0));
    peer.feed([0; 8]);
    for _ in 0..0xFF_FFF7 / 0x1_0000 {
        peer.feed(vec![b'x'; 0x1_0000]);
    }
    peer.feed(vec![b'x'; 0xFF_FFF7 % 0x1_0000]);
    peer.feed(data(3, b"in step"));
    peer.mux.handle_eof();
    assert_eq!(peer.mux.end().unwrap().text(), [b'x'; 1024]);
    assert_eq!(peer.mux.stats().bytes_received, 7);
}

#[test]
fn s77_any_last_id_is_taken_as_31_bits() {
    for (last, alive) in [(0, 0), (1, 0), (4, 1), (0x8000_0005, 2), (6, 2), (7, 3), (u32::MAX, 3)] {
        let outcome = every_split(&go_away(last, 0, b""), client, look);
        let open = endings(&outcome).iter().filter(|ending| **ending == Ending::Open).count();
        assert_eq!(open, alive, "last {last:#x}");
        assert_eq!(endings(&outcome)[alive..], [UNPROCESSED; 4][alive..], "last {last:#x}");
        assert_eq!(endings(&outcome)[3], UNPROCESSED, "what nobody was told of is always safe");
    }
}

#[test]
fn s79_old_streams_are_processed_as_ever() {
    let (mut peer, opened) = client();
    peer.feed(go_away(7, 0, b""));
    for _ in 0..8 {
        peer.feed(data(3, &[0; 128 * 1024]));
        peer.read_all(opened[0]);
        assert_eq!(peer.sent(), wndinc(3, 128 * 1024));
    }
    peer.mux.finish(opened[0]).unwrap();
    peer.feed(fin(3));
    assert_eq!((peer.sent(), peer.read_all(opened[0]).1), (fin(3), Ending::Fin));
}

#[test]
fn s83_what_came_whole_survives_the_session() {
    let endings: [fn(&mut Peer); 4] = [
        |peer| peer.mux.handle_eof(),
        |peer| peer.mux.handle_failure(EndCause::DriverDropped),
        |peer| peer.mux.handle_stall(),
        |peer| peer.feed(data(0, b"")),
    ];
    for end in endings {
        let mut peer = Peer::new(Side::Server);
        peer.feed([syn_fin(3, b"whole"), syn(5, b"half")].concat());
        let streams = peer.accept_all();
        end(&mut peer);
        assert_eq!(peer.read_all(streams[0]), (b"whole".to_vec(), Ending::Fin));
        let (half, ending) = peer.read_all(streams[1]);
        assert_eq!(half, b"half");
        assert!(matches!(ending, Ending::Failed(..)));
        assert!(matches!(peer.write_ending(streams[0]), Ending::Failed(..)));
        assert!(peer.mux.accept().is_err());
    }
}

#[test]
fn s83_i12_a_stream_that_came_whole_can_be_accepted_after_the_transport_has_ended() {
    // What a client does that sends one request and closes: the application had no chance to accept in between.
    let bytes = [syn_fin(3, b"whole"), syn(5, b"half"), syn_fin(7, b""), go_away(0, 0, b"")].concat();
    let outcome = every_split(
        &bytes,
        || (Peer::new(Side::Server), vec![]),
        |peer, _| {
            peer.mux.handle_eof();
            peer.outcome(&[])
        },
    );
    let cut = Ending::Failed(0, Initiator::Remote, Retry::Unknown);
    let whole = (b"whole".to_vec(), Ending::Fin);
    assert_eq!(outcome.streams, [whole, (b"half".to_vec(), cut), (vec![], Ending::Fin)]);
    assert!(outcome.end.unwrap().is_clean());
}

type EndOfSession = fn(&mut Peer);

#[test]
fn s83_what_waits_to_be_accepted_outlives_the_session_whatever_ended_it() {
    let ends: [(EndOfSession, u32, Initiator, Vec<u8>); 7] = [
        (|peer| peer.mux.handle_eof(), 15, Initiator::Remote, vec![]),
        (|peer| peer.mux.handle_failure(EndCause::DriverDropped), 14, Initiator::Local, vec![]),
        (|peer| peer.mux.handle_stall(), 13, Initiator::Transport, go_away(7, 13, b"write timeout")),
        (|peer| peer.feed(data(0, b"")), 1, Initiator::Remote, go_away(7, 1, b"bad frame")),
        (
            |peer| {
                peer.feed(go_away(0, 7, b""));
                peer.mux.handle_eof();
            },
            7,
            Initiator::Remote,
            vec![],
        ),
        (
            |peer| {
                peer.feed(go_away(0, 7, b""));
                peer.mux.handle_deadline();
            },
            7,
            Initiator::Remote,
            go_away(7, 0, b""),
        ),
        (
            |peer| {
                peer.mux.drain();
                peer.mux.handle_deadline();
            },
            0,
            Initiator::Local,
            go_away(7, 0, b""),
        ),
    ];
    for (end, code, initiator, goodbye) in ends {
        let mut peer = Peer::new(Side::Server);
        peer.feed([syn_fin(3, b"whole"), syn(7, b"half"), syn(5, b""), data(7, b" of it")].concat());
        end(&mut peer);
        assert_eq!(peer.sent(), goodbye, "code {code}");
        let streams = peer.accept_all();
        let failed = Ending::Failed(code, initiator, Retry::Unknown);
        let got: Vec<_> = streams.iter().map(|stream| peer.read_all(*stream)).collect();
        let whole = (b"whole".to_vec(), Ending::Fin);
        assert_eq!(got, [whole, (b"half of it".to_vec(), failed), (vec![], failed)]);
        for stream in &streams {
            assert_eq!(peer.write_ending(*stream), failed);
        }
        let end = peer.mux.end().unwrap();
        assert_eq!((end.code().get(), end.initiator()), (code, initiator));
        assert_eq!(peer.mux.accept().unwrap_err().end(), &end, "then the error");
        for stream in streams {
            peer.drop_stream(stream);
        }
        let stats = peer.mux.stats();
        assert_eq!((stats.streams, stats.backlog, stats.unread_bytes, stats.accepted), (0, 0, 0, 3));
        assert_eq!(peer.sent(), b"");
    }
}

#[test]
fn s83_only_our_own_close_refuses_what_waits() {
    let ends: [(EndOfSession, Vec<u8>); 2] = [
        (|peer| peer.mux.close(ErrorCode::NO_ERROR, b""), go_away(3, 0, b"")),
        (|peer| peer.mux.abandon(), vec![]),
    ];
    for (end, goodbye) in ends {
        let mut peer = Peer::new(Side::Server);
        peer.feed([syn(3, b"given"), syn_fin(5, b"whole"), syn(7, b"half")].concat());
        let given = peer.mux.accept().unwrap().unwrap();
        end(&mut peer);
        assert_eq!(peer.sent(), [rst(5, 5), rst(7, 5), goodbye].concat());
        assert_eq!(peer.accept_all(), []);
        assert_eq!((peer.mux.stats().refused, peer.mux.stats().streams), (2, 1));
        peer.drop_stream(given);
        assert_eq!(peer.mux.stats().streams, usize::from(peer.mux.wants_transmit()), "RST 6 is on its way");
    }
}

#[test]
fn s83_a_goaway_for_an_error_counts_what_can_still_be_accepted() {
    let error = data(0, b"");
    let said = |last| go_away(last, 1, b"bad frame");
    for (bytes, accepted, expected) in [
        (vec![], 0, said(0)),
        (vec![syn(3, b"")], 1, said(3)),
        (vec![syn(3, b""), syn(9, b""), syn(5, b"")], 1, said(9)),
        (vec![syn(3, b""), syn(9, b""), syn(5, b"")], 3, said(9)),
        // What the peer took back is nobody's any more.
        (vec![syn(3, b""), syn(9, b""), rst(9, 6)], 0, said(3)),
        // What broke a rule is given out all the same, if only we say so before its RST has gone.
        (vec![syn_fin(9, b""), data(9, b"late")], 0, said(9)),
    ] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(bytes.concat());
        for _ in 0..accepted {
            peer.mux.accept().unwrap().unwrap();
        }
        peer.feed(&error);
        assert_eq!(peer.sent(), expected, "{bytes:x?}");
    }
    // A refused stream was never to be had.
    let config = Config::builder().accept_backlog(1).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed([syn(3, b""), syn(5, b"")].concat());
    assert_eq!(peer.sent(), rst(5, 9));
    peer.feed(&error);
    assert_eq!(peer.sent(), said(3));
}

#[test]
fn s83_abandoned_between_the_error_and_its_goaway_nothing_waits_any_more() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn(3, b""), syn_fin(5, b"whole"), data(0, b"")].concat());
    peer.mux.abandon();
    assert_eq!(peer.sent(), go_away(0, 1, b"bad frame"), "nobody will be given 3 and 5");
    assert!(peer.mux.accept().is_err());
    let stats = peer.mux.stats();
    assert_eq!((stats.streams, stats.backlog, stats.unread_bytes), (0, 0, 0));
}

#[test]
fn the_peers_goodbye_is_told_with_every_end() {
    let ends: [EndOfSession; 5] = [
        |peer| peer.mux.handle_eof(),
        |peer| peer.mux.handle_stall(),
        |peer| peer.mux.handle_deadline(),
        |peer| peer.mux.close(ErrorCode::new(9), b"ours"),
        |peer| {
            peer.mux.drain();
            peer.mux.handle_deadline();
        },
    ];
    for end in ends {
        let (mut peer, opened) = client();
        peer.feed(go_away(7, 0x33, b"theirs"));
        end(&mut peer);
        let told = Some((ErrorCode::new(0x33), &b"theirs"[..]));
        let end = peer.mux.end().unwrap();
        assert_eq!(end.peer_goodbye(), told, "{end}");
        assert_eq!(peer.mux.accept().unwrap_err().end().peer_goodbye(), told, "{end}");
        for stream in opened {
            let lost = peer.mux.write(stream, b"x").unwrap_err();
            let WriteError::Session(lost) = lost else { panic!("{lost}") };
            assert_eq!(lost.end().peer_goodbye(), told, "{end}: {lost}");
        }

        let (mut silent, _) = client();
        silent.feed(&go_away(7, 0x33, b"theirs")[..20]);
        silent.mux.handle_eof();
        assert_eq!(silent.mux.end().unwrap().peer_goodbye(), None, "it did not come whole (S05)");
    }
    // It comes while we close.
    let (mut peer, opened) = client();
    peer.mux.finish(opened[0]).unwrap();
    peer.mux.write(opened[1], b"unsent").unwrap();
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(peer.mux.end().unwrap().peer_goodbye(), None);
    peer.feed(go_away(7, 4, b"too"));
    assert_eq!(peer.mux.end().unwrap().peer_goodbye(), Some((ErrorCode::new(4), &b"too"[..])));
}

#[test]
fn s84_a_stalled_transport_ends_the_session_with_13() {
    let (mut peer, opened) = client();
    peer.mux.write(opened[0], b"unsent").unwrap();
    peer.mux.handle_stall();
    let end = peer.mux.end().unwrap();
    assert!(matches!(end.cause(), EndCause::WriteStalled));
    assert_eq!((end.code().get(), end.initiator()), (13, Initiator::Transport));
    assert_eq!(peer.sent(), go_away(0, 13, b"write timeout"));
    let outcome = peer.outcome(&opened);
    let stalled = |retry| Ending::Failed(13, Initiator::Transport, retry);
    assert_eq!(endings(&outcome)[0], stalled(Retry::Unknown));
    assert_eq!(endings(&outcome)[3], stalled(Retry::NotProcessed));
    assert!(peer.mux.is_finished());
}

#[test]
fn s84_a_peer_that_stops_reading_makes_nothing_grow() {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn(3, b""));
    let stream = peer.accept_all()[0];
    while peer.mux.write(stream, &[0; 4096]).unwrap() > 0 {}
    let queued = peer.mux.stats().sendable_bytes;
    for _ in 0..256 {
        // Reading goes on, and credit is owed again and again.
        peer.feed([data(3, &[0; 1024]), wndinc(3, 1)].concat());
        assert_eq!(peer.read_all(stream).0.len(), 1024);
        peer.mux.handle_credit_due();
        assert_eq!(peer.mux.write(stream, b"x"), Ok(0));
    }
    assert_eq!(peer.mux.end(), None);
    assert_eq!(peer.mux.stats().sendable_bytes, queued);
    assert_eq!(peer.sent_up_to(1, 12), wndinc(3, 256 * 1024), "B12: one WNDINC for all of it");
}

#[test]
fn s85_b10_replies_the_peer_does_not_read_end_the_session() {
    for provoke in [|id| data(id, b"x"), |id| syn(id, &[0; 256 * 1024 + 1])] {
        let mut peer = Peer::new(Side::Server);
        for id in (3..3 + 2 * 256).step_by(2) {
            peer.feed(provoke(id));
        }
        assert_eq!(peer.mux.end(), None, "256 replies may wait");
        peer.feed(provoke(0x7FFF_FFFD));
        assert_eq!(peer.mux.end().unwrap().code(), ErrorCode::ENHANCE_YOUR_CALM);
        assert_eq!(peer.sent(), go_away(0, 10, b"too many replies forced and not read"));
    }
    let mut patient = Peer::new(Side::Server);
    for id in (3..3 + 2 * 2000).step_by(2) {
        patient.feed(data(id, b"x"));
        assert_eq!(patient.sent(), rst(id, 4), "a peer that reads may go on");
    }
}

#[test]
fn i13_the_first_cause_is_kept() {
    let (mut peer, opened) = client();
    peer.mux.handle_eof();
    let first = peer.mux.end().unwrap();
    peer.mux.handle_stall();
    peer.mux.handle_failure(EndCause::DriverDropped);
    peer.mux.handle_deadline();
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    peer.mux.drain();
    peer.feed(go_away(0, 7, b""));
    assert_eq!(peer.mux.end().unwrap(), first);
    assert_eq!(peer.mux.open(), Err(OpenError::Session(first)));
    assert_eq!(peer.sent(), b"");
    assert_eq!(peer.read_all(opened[0]).1, Ending::Failed(15, Initiator::Remote, Retry::Unknown));
    assert_eq!(peer.events().iter().filter(|event| **event == Event::Ended).count(), 1);
}
