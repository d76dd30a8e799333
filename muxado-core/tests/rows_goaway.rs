//! S72 to S79, S83 and the machine's part of S84 and S85: goodbyes of the peer's, and ends that nobody wished for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

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

fn unprocessed(code: u32) -> Ending {
    Ending::Failed(code, Initiator::Remote, Retry::NotProcessed)
}

fn endings(outcome: &Outcome) -> Vec<Ending> {
    outcome.streams.iter().map(|(_, ending)| *ending).collect()
}

#[test]
fn s72_streams_above_the_last_id_are_safe_to_retry_and_the_others_go_on() {
    let bytes = [go_away(5, 0, b"bye"), data(3, b"three"), fin(3), data(5, b"five")].concat();
    let outcome = every_split(&bytes, client, look);
    assert_eq!(outcome.streams[0], (b"three".to_vec(), Ending::Fin));
    assert_eq!(outcome.streams[1], (b"five".to_vec(), Ending::Open));
    assert_eq!(endings(&outcome)[2..], [unprocessed(0), unprocessed(0)]);
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
    assert_eq!(lost.retry(), Retry::NotProcessed);
    peer.mux.write(opened[0], b"goes on").unwrap();
    assert_eq!(peer.sent(), data(3, b"goes on"));
    assert!(peer.mux.is_peer_leaving());
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
        assert_eq!(endings(&outcome), [cut, cut, unprocessed(0x33), unprocessed(0x33)]);
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
        assert_eq!(endings(&outcome), [cut, cut, cut, unprocessed(code)], "never a clean end of stream");
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
    assert_eq!(endings(&outcome)[1..], [unprocessed(1), unprocessed(1), unprocessed(1)], "the first story");
    assert_eq!((outcome.end, glitches), (None, 2));
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
        assert_eq!(endings(&outcome)[3], unprocessed(0), "what nobody was told of is always safe");
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
    assert_eq!(outcome.streams, [(b"whole".to_vec(), Ending::Fin), (vec![], Ending::Fin)]);
    assert!(outcome.end.unwrap().is_clean());
}

#[test]
fn s83_nothing_is_accepted_any_more_where_our_goaway_says_so() {
    let mut peer = Peer::new(Side::Server);
    peer.feed([syn_fin(3, b"whole"), data(0, b"")].concat());
    assert_eq!(peer.sent(), go_away(0, 1, b"bad frame"), "the peer may send 3 again elsewhere");
    assert!(peer.mux.accept().is_err());
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
