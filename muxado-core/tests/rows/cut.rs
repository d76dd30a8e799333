//! What an end says was cut: what is given up while a session drains, and nobody is told of (S80).

use muxado_core::proto::Batch;
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::wire::{go_away, syn};
use muxado_testkit::{Ending, Peer};

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

#[test]
fn s80_a_stream_in_the_background_keeps_no_session_and_is_no_loss() {
    for (first, closes) in [(true, false), (false, false), (true, true)] {
        let mut peer = Peer::new(Side::Client);
        let stream = peer.mux.open().unwrap();
        peer.mux.write(stream, b"a").unwrap();
        if first {
            peer.mux.set_background(stream);
            peer.mux.set_background(stream);
        }
        match closes {
            true => peer.mux.close(ErrorCode::NO_ERROR, b""),
            false => peer.mux.drain(),
        }
        if !first {
            assert!(peer.sent() == syn(3, b"a") && !peer.mux.wants_transmit());
            peer.mux.set_background(stream);
            assert!(peer.mux.wants_transmit());
        }
        // What it had to say goes out before the end, but for a close.
        let sent =
            if first && !closes { [syn(3, b"a"), go_away(0, 0, b"")].concat() } else { go_away(0, 0, b"") };
        assert_eq!(peer.sent(), sent);
        assert!(peer.mux.end().unwrap().cut().is_nothing());
        assert!(matches!(peer.read_all(stream).1, Ending::Failed(..)));
    }
}

/// It has finished and waits for credit, and somebody still reads it.
#[test]
fn s80_a_stream_in_the_background_that_a_close_cuts_is_no_loss() {
    let mut peer = Peer::new(Side::Client);
    let stream = peer.mux.open().unwrap();
    while peer.mux.write(stream, &[7; 16 * 1024]).unwrap() > 0 {
        peer.sent();
    }
    peer.mux.finish(stream).unwrap();
    peer.mux.set_background(stream);
    peer.mux.close(ErrorCode::NO_ERROR, b"");
    peer.sent();
    assert!(peer.mux.end().unwrap().cut().is_nothing());
}

#[test]
fn s80_a_stream_in_the_background_that_always_has_more_keeps_no_goodbye_back() {
    let mut peer = Peer::new(Side::Client);
    let stream = peer.mux.open().unwrap();
    peer.mux.set_background(stream);
    peer.mux.write(stream, &[7; 1000]).unwrap();
    peer.mux.drain();
    for _ in 0..3 {
        let mut batch = Batch::contiguous();
        peer.mux.poll_transmit(&mut batch, 1);
        if peer.mux.end().is_some() {
            return;
        }
        assert_eq!(peer.mux.write(stream, &[7; 1000]).unwrap(), 0);
    }
    panic!("it goes on and on");
}

#[test]
fn s80_a_stream_in_the_background_that_is_over_or_gone_is_not_counted_twice() {
    let mut peer = Peer::new(Side::Client);
    let streams = [(); 2].map(|()| peer.mux.open().unwrap());
    for stream in streams {
        peer.mux.write(stream, b"a").unwrap();
    }
    peer.mux.set_background(streams[0]);
    peer.drop_stream(streams[0]);
    peer.sent();
    peer.mux.set_background(streams[0]);
    peer.mux.drain();
    assert_eq!(peer.sent(), b"", "the other one is waited for");
    peer.mux.handle_deadline();
    assert_eq!(peer.mux.end().unwrap().cut().streams, 1);
}
