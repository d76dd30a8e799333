//! Two sides with the same limits never refuse each other while both behave.

use muxado_core::proto::{Mux, Read};
use muxado_core::{Config, Side};
use muxado_testkit::{Peer, wire};

fn finish(mux: &mut Mux, read_all: bool) {
    let stream = mux.accept().unwrap().unwrap();
    while read_all && matches!(mux.read(stream, 99), Ok(Read::Chunk(_))) {}
    mux.finish(stream).unwrap();
}

#[test]
fn b06_finished_streams_that_are_still_held_leave_room_for_as_many_again() {
    let config = Config::builder().max_inbound_streams(2).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    for id in [3, 5, 7, 9] {
        peer.feed(wire::syn_fin(id, b"request"));
        finish(&mut peer.mux, true);
        assert_eq!(peer.sent(), wire::fin(id), "stream {id} is served, and its handles are kept");
    }
    peer.feed(wire::syn_fin(11, b"request"));
    assert_eq!(peer.sent(), wire::rst(11, 5), "twice the limit is held: that is too slow");
}

#[test]
fn b06_unread_or_reset_streams_count_until_they_are_dropped() {
    let config = Config::builder().max_inbound_streams(2).build().unwrap();
    let mut unread = Peer::with(Side::Server, &config);
    for id in [3, 5] {
        unread.feed(wire::syn_fin(id, b"request"));
        finish(&mut unread.mux, false);
        assert_eq!(unread.sent(), wire::fin(id));
    }
    unread.feed(wire::syn(7, b""));
    assert_eq!(unread.sent(), wire::rst(7, 5), "what is not read still takes memory");

    // V01: a peer that resets its streams while they are worked on gets no room for more.
    let mut reset = Peer::with(Side::Server, &config);
    for id in [3, 5] {
        reset.feed(wire::syn(id, b"request"));
        reset.mux.accept().unwrap().unwrap();
        reset.feed(wire::rst(id, 6));
    }
    reset.feed(wire::syn(7, b""));
    assert_eq!(reset.sent(), wire::rst(7, 5));
}
