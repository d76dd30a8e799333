//! Looking inside, on the pure machine: in which state a stream is said to be, and what it is said to wait for.

use muxado_core::Config;
use muxado_core::inspection::{Life, Limit, Receiving, Sending, StreamInspection};
use muxado_core::proto::{FrameDirection, StreamKey, Waiting};
use muxado_frame::{ErrorCode, Kind, Side};
use muxado_testkit::Peer;
use muxado_testkit::wire::{data, fin, go_away, rst, syn, wndinc};

const WINDOW: usize = 256 * 1024;

/// The only stream there is.
fn only(peer: &Peer) -> StreamInspection {
    let mut streams = peer.mux.inspect().streams;
    assert_eq!(streams.len(), 1);
    streams.remove(0)
}

fn waits(peer: &Peer) -> (Option<Waiting>, Option<Waiting>) {
    let stream = only(peer);
    assert_eq!(stream.longest_wait(), None, "the machine has no clock");
    (stream.reading.map(|wait| wait.what), stream.writing.map(|wait| wait.what))
}

/// A client with one stream, of which the peer knows.
fn client() -> (Peer, StreamKey) {
    client_with(&Config::default())
}

fn client_with(config: &Config) -> (Peer, StreamKey) {
    let mut peer = Peer::with(Side::Client, config);
    let key = peer.mux.open().unwrap();
    peer.mux.flush(key).unwrap();
    peer.sent();
    (peer, key)
}

/// A server with one stream that it has accepted.
fn server() -> (Peer, StreamKey) {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn(3, b""));
    let key = peer.mux.accept().unwrap().unwrap();
    (peer, key)
}

#[test]
fn a_stream_at_rest_waits_for_nothing() {
    for (peer, _) in [client(), server()] {
        assert_eq!(waits(&peer), (None, None));
        let stream = only(&peer);
        assert_eq!(stream.id.unwrap().get(), 3);
        assert_eq!((stream.sending, stream.receiving), (Sending::Open, Receiving::Open));
        assert_eq!(stream.is_ours, peer.mux.side() == Side::Client);
        assert_eq!((stream.send_credit, stream.peer_credit, stream.window), (WINDOW, WINDOW, WINDOW));
    }
}

#[test]
fn reading_waits_for_data() {
    let (mut peer, key) = client();
    peer.mux.read(key, 1).unwrap();
    assert_eq!(waits(&peer), (Some(Waiting::Data), None));
    peer.feed(data(3, b"here"));
    assert_eq!(waits(&peer), (Some(Waiting::Reader), None), "it has been told, and has not come yet");
    peer.read_all(key);
    assert_eq!(waits(&peer), (Some(Waiting::Data), None));
}

#[test]
fn bytes_wait_for_a_reader() {
    let (mut peer, key) = client();
    peer.feed(data(3, &[0; 1000]));
    assert_eq!(waits(&peer), (Some(Waiting::Reader), None));
    let stream = only(&peer);
    assert_eq!((stream.unread, stream.peer_credit), (1000, WINDOW - 1000));
    peer.mux.read(key, 999).unwrap();
    assert_eq!((waits(&peer).0, only(&peer).unread), (Some(Waiting::Reader), 1));
    peer.feed(rst(3, 6));
    assert_eq!(waits(&peer).0, Some(Waiting::Reader), "what came before a reset is there to be read");
    peer.mux.release_recv(key);
    assert_eq!(waits(&peer).0, Some(Waiting::Release), "the other half is held");
}

#[test]
fn a_stream_waits_to_be_accepted() {
    let mut peer = Peer::new(Side::Server);
    peer.feed(syn(3, b"anybody?"));
    assert_eq!(waits(&peer), (Some(Waiting::Accept), None));
    assert!(!only(&peer).is_ours);
    assert_eq!(peer.mux.inspect().stats.backlog, 1);
    peer.accept_all();
    assert_eq!(waits(&peer), (Some(Waiting::Reader), None));
}

#[test]
fn what_is_over_waits_to_be_let_go_of() {
    let (mut peer, key) = server();
    peer.feed(fin(3));
    assert_eq!(waits(&peer), (None, None));
    assert_eq!(only(&peer).receiving, Receiving::Finished);
    peer.mux.finish(key).unwrap();
    assert_eq!(waits(&peer), (None, Some(Waiting::Turn)), "the FIN is to go out");
    assert_eq!(only(&peer).sending, Sending::Finishing);
    peer.sent();
    assert_eq!(waits(&peer), (Some(Waiting::Release), None));
    assert_eq!(only(&peer).sending, Sending::Finished);
    peer.drop_stream(key);
    assert!(peer.mux.inspect().streams.is_empty());
}

#[test]
fn writing_waits_for_the_peer_to_read() {
    let (mut peer, key) = client();
    while peer.mux.write(key, &[0; 16 * 1024]).unwrap() > 0 {
        peer.sent();
    }
    assert_eq!(waits(&peer), (None, Some(Waiting::Credit)));
    let stream = only(&peer);
    assert_eq!((stream.sent, stream.confirmed), (WINDOW as u64, 0));
    assert_eq!((stream.send_credit, stream.queued), (0, 16 * 1024));
    assert_eq!(peer.mux.inspect().queued, 16 * 1024);
    peer.feed(wndinc(3, 1000));
    assert_eq!(waits(&peer), (None, Some(Waiting::Turn)));
    assert_eq!(only(&peer).confirmed, 1000);
    peer.sent();
    assert_eq!(waits(&peer), (None, Some(Waiting::Credit)));
    // A dropped stream waits for the same.
    peer.drop_stream(key);
    assert_eq!(waits(&peer), (None, Some(Waiting::Credit)));
    assert_eq!((only(&peer).sending, only(&peer).receiving), (Sending::Aborting, Receiving::Discarding));
}

#[test]
fn writing_waits_for_its_turn() {
    let (mut peer, key) = client();
    peer.mux.write(key, b"now").unwrap();
    assert_eq!(waits(&peer), (None, Some(Waiting::Turn)));
    peer.sent();
    assert_eq!(waits(&peer), (None, None));
    // The stream's own queue is full, and nobody waits for another.
    while peer.mux.write(key, &[0; 16 * 1024]).unwrap() > 0 {}
    assert_eq!(waits(&peer), (None, Some(Waiting::Turn)));
    peer.mux.reset(key, ErrorCode::STREAM_RESET).unwrap();
    assert_eq!(waits(&peer), (Some(Waiting::Release), Some(Waiting::Turn)), "the RST is to go out");
    assert_eq!((only(&peer).sending, only(&peer).receiving), (Sending::Failed, Receiving::Failed));
    // A new stream whose SYN is to go out.
    let mut peer = Peer::new(Side::Client);
    let key = peer.mux.open().unwrap();
    assert_eq!(waits(&peer), (None, None));
    peer.mux.read(key, 1).unwrap();
    assert_eq!(waits(&peer), (Some(Waiting::Data), Some(Waiting::Turn)));
    assert_eq!(only(&peer).id, None);
}

#[test]
fn writing_waits_for_the_sessions_send_queue() {
    let config = Config::builder().session_send_queue(100_000).build().unwrap();
    let (mut peer, first) = client_with(&config);
    while peer.mux.write(first, &[0; 10_000]).unwrap() > 0 {}
    let second = peer.mux.open().unwrap();
    while peer.mux.write(second, &[0; 10_000]).unwrap() > 0 {}
    let inspection = peer.mux.inspect();
    let waits: Vec<_> = inspection.streams.iter().map(|stream| stream.writing.unwrap().what).collect();
    assert!(waits.contains(&Waiting::SendQueue), "{inspection}");
    assert!(inspection.limits.contains(&Limit::SessionSendQueue), "{inspection}");
    peer.sent();
    assert!(peer.mux.inspect().streams.iter().all(|stream| stream.writing.is_none()));
    assert!(peer.mux.inspect().limits.is_empty());
}

#[test]
fn limits_that_are_reached_are_named() {
    let config = Config::builder()
        .max_outbound_streams(1)
        .max_inbound_streams(1)
        .max_session_recv(10)
        .build()
        .unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    assert_eq!(peer.mux.inspect().limits, []);
    peer.mux.open().unwrap();
    peer.feed(syn(3, &[0; 10]));
    let limits = peer.mux.inspect().limits;
    let all =
        [Limit::MaxOutboundStreams, Limit::MaxInboundStreams, Limit::AcceptBacklog, Limit::MaxSessionRecv];
    assert_eq!(limits, all);
}

#[test]
fn the_life_of_a_session_is_told() {
    let life = |peer: &Peer| peer.mux.inspect().life;
    let (mut peer, _) = client();
    assert_eq!(life(&peer), Life::Open);
    peer.feed(go_away(3, 0, b""));
    assert_eq!(life(&peer), Life::PeerLeaving);
    peer.mux.drain();
    assert_eq!(life(&peer), Life::Draining);
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(life(&peer), Life::Closing);
    assert!(peer.mux.inspect().end.is_some());
    peer.mux.handle_eof();
    assert_eq!(life(&peer), Life::Ended);
}

#[test]
fn an_inspection_is_a_table() {
    let (mut peer, key) = client();
    while peer.mux.write(key, &[0; 16 * 1024]).unwrap() > 0 {
        peer.sent();
    }
    peer.feed(data(3, &[0; 1000]));
    peer.feed(syn(4, b""));
    let news = peer.mux.open().unwrap();
    peer.mux.set_background(news);
    let text = peer.mux.inspect().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "client session: open",
            "  streams 3, not accepted 1, waiting to open 0",
            "  queued 16.0 KiB, unread 1000 B, sent 256.0 KiB, received 1000 B",
            "    stream opener sending       queued     credit       sent receiving     unread   may come  waits",
            "         3 us     open        16.0 KiB        0 B  256.0 KiB open          1000 B  255.0 KiB  \
             writing: waits for the peer to read (no credit); nobody reads: 1000 B unread",
            "         4 peer   open             0 B  256.0 KiB        0 B open             0 B  256.0 KiB  not accepted yet",
            "       new us     open             0 B  256.0 KiB        0 B open             0 B  256.0 KiB  -; in the background",
        ]
    );
}

#[test]
fn b36_the_recorder_is_bounded_and_in_order_and_off_by_default() {
    for keep in [0, 1, 3, 100] {
        let config = Config::builder().record_frames(keep).build().unwrap();
        let (mut peer, key) = client_with(&config);
        peer.feed(&[data(3, b"one"), wndinc(3, 7)].concat()[..21]);
        peer.mux.write(key, b"three").unwrap();
        peer.sent();
        let log = peer.mux.frames();
        let expected = [
            (FrameDirection::Sent, Kind::Data, 0, None),
            (FrameDirection::Received, Kind::Data, 3, None),
            (FrameDirection::Sent, Kind::Data, 5, None),
        ];
        // Of the WNDINC not all has come.
        let from = expected.len().saturating_sub(keep);
        let frames: Vec<_> = log
            .as_slice()
            .iter()
            .map(|frame| (frame.direction, frame.kind, frame.length, frame.value))
            .collect();
        assert_eq!(frames, expected[from..], "{keep}");
        assert!(log.as_slice().iter().all(|frame| frame.at.is_none()));
        assert_eq!(log.passed(), if keep == 0 { 0 } else { 3 });
    }
}

#[test]
fn a_protocol_error_of_either_side_ends_with_the_last_frames() {
    let config = Config::builder().record_frames(2).build().unwrap();
    let (mut peer, _) = client_with(&config);
    peer.feed([data(3, b"fine"), syn(3, b"twice")].concat());
    let end = peer.mux.end().unwrap();
    assert!(end.is_protocol_error());
    assert_eq!(
        end.frames().unwrap().to_string(),
        "received  DATA    id 3       length 4       flags -\n\
         received  DATA    id 3       length 5       flags SYN"
    );
    // The peer blames us.
    let (mut peer, key) = client_with(&config);
    peer.mux.write(key, b"x").unwrap();
    peer.sent();
    peer.feed(go_away(0, ErrorCode::PROTOCOL_ERROR.get(), b"why"));
    peer.mux.handle_eof();
    let frames = peer.mux.end().unwrap().frames().unwrap().to_string();
    assert!(
        frames.ends_with("received  GOAWAY  id 0       length 11      flags -  ProtocolError (1)"),
        "{frames}"
    );
    // No error, no frames; and none if they are not wanted.
    let (mut peer, _) = client_with(&config);
    peer.feed(go_away(3, 0, b""));
    peer.mux.handle_eof();
    assert_eq!(peer.mux.end().unwrap().frames(), None);
    let (mut peer, _) = client();
    peer.feed(syn(3, b"twice"));
    assert_eq!(peer.mux.end().unwrap().frames(), None);
}
