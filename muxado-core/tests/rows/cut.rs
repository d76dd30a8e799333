//! What an end says was cut: what is given up while a session drains, and nobody is told of (S80).

use muxado_frame::Side;
use muxado_testkit::Peer;
use muxado_testkit::wire::go_away;

#[test]
fn s80_what_is_given_up_while_a_session_drains_counts_as_cut() {
    for goaway in [false, true] {
        let mut peer = Peer::new(Side::Client);
        let stream = peer.mux.open().unwrap();
        assert_eq!(peer.mux.write(stream, &[7; 256 * 1024]), Ok(256 * 1024));
        peer.sent();
        assert_eq!(peer.mux.write(stream, &[7; 1000]), Ok(1000), "for which there is no credit");
        peer.drop_stream(stream);
        peer.mux.drain();
        match goaway {
            true => peer.feed(go_away(0, 0, b"")),
            false => (0..3).for_each(|_| peer.mux.handle_sweep()),
        }
        peer.sent();
        let cut = peer.mux.end().unwrap().cut();
        assert_eq!((cut.streams, cut.bytes), (1, 1000), "{goaway}");
    }
}

#[test]
fn s80_what_the_peers_goaway_leaves_out_is_cut_only_if_nobody_is_told() {
    for (is_held, written) in [(true, 1000), (true, 0), (false, 0)] {
        let mut peer = Peer::new(Side::Client);
        let stream = peer.mux.open().unwrap();
        assert_eq!(peer.mux.write(stream, &[7; 256 * 1024]), Ok(256 * 1024));
        peer.sent();
        assert_eq!(peer.mux.write(stream, &vec![7; written]), Ok(written));
        if !is_held {
            peer.mux.finish(stream).unwrap();
            peer.sent();
            peer.drop_stream(stream);
        }
        peer.mux.drain();
        peer.feed(go_away(0, 0, b""));
        peer.sent();
        let end = peer.mux.end().unwrap();
        assert_eq!((end.cut().streams, end.cut().bytes), (0, 0), "{is_held} {written}");
    }
}
