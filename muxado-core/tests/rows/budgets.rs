//! The bounds B of docs/behaviour.md that can be seen on the machine: exact counts, on both sides of each limit.

use muxado_core::proto::{Read, StreamKey};
use muxado_core::{Config, ErrorCode, Side};
use muxado_testkit::wire::{data, fin, go_away, rst, syn, syn_fin, wndinc};
use muxado_testkit::{Ending, Peer};

const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;

fn server() -> Peer {
    Peer::new(Side::Server)
}

/// A stream that the peer opens, and our application answers with FIN and drops.
fn exchange(peer: &mut Peer, id: u32) {
    peer.feed(syn_fin(id, b""));
    let key = peer.mux.accept().unwrap().unwrap();
    peer.mux.finish(key).unwrap();
    assert_eq!(peer.sent(), fin(id));
    peer.drop_stream(key);
}

#[test]
fn b09_of_1024_dead_ids_the_oldest_is_forgotten() {
    let id = |number: u32| 3 + 2 * number;
    let mut peer = server();
    for number in 0..1024 {
        peer.feed(data(id(number), b"x"));
        assert_eq!(peer.sent(), rst(id(number), 4));
    }
    peer.feed(data(id(0), b"x"));
    assert_eq!(peer.sent(), b"", "remembered, and within the credit it had");
    peer.feed(data(id(1024), b"x"));
    assert_eq!(peer.sent(), rst(id(1024), 4));
    peer.feed(data(id(1), b"x"));
    assert_eq!(peer.sent(), b"", "the second oldest is still remembered");
    peer.feed(data(id(0), b"x"));
    assert_eq!(peer.sent(), rst(id(0), 4), "the oldest had been forgotten");
}

#[test]
fn b11_a_live_stream_has_one_rst_to_send_whatever_comes() {
    let mut peer = server();
    peer.feed([syn_fin(3, b"a"), syn(5, b"b")].concat());
    let keys = peer.accept_all();
    for _ in 0..300 {
        peer.feed([data(3, b"after fin"), wndinc(3, 1), data(5, b"x")].concat());
        peer.mux.reset(keys[1], ErrorCode::STREAM_RESET).unwrap();
    }
    // Data for 3 after its RST was decided counts as for a dead stream.
    assert_eq!(peer.sent(), [rst(3, 4), rst(5, 7)].concat());
    assert_eq!(peer.mux.end(), None);
}

#[test]
fn b12_credit_that_cannot_go_out_is_one_number_a_stream() {
    let mut peer = server();
    peer.feed([syn(3, b""), syn(5, b"")].concat());
    let keys = peer.accept_all();
    for round in 0..4 {
        for (id, key) in [(3, keys[0]), (5, keys[1])] {
            peer.feed(data(id, &[round; 64 * 1024]));
            while let Ok(Read::Chunk(_)) = peer.mux.read(key, 1000) {}
            peer.mux.handle_credit_due();
        }
    }
    // 128 KiB were due twice, and all of it a last time.
    assert_eq!(peer.sent(), [wndinc(3, 256 * 1024), wndinc(5, 256 * 1024)].concat());
    assert_eq!(peer.sent(), b"");
}

#[test]
fn b16_credit_saturates_and_what_it_allows_is_bounded_elsewhere() {
    let mut peer = server();
    peer.feed(syn(3, b""));
    let key = peer.accept_all()[0];
    for _ in 0..40_000 {
        peer.feed(wndinc(3, 0x7FFF_FFFF));
    }
    assert_eq!(peer.mux.end(), None);
    let mut queued = 0;
    loop {
        match peer.mux.write(key, &[0; 5000]).unwrap() {
            0 => break,
            some => queued += some,
        }
    }
    assert_eq!(queued, 256 * 1024, "the queue of the stream bounds it (B14), not the credit");
}

#[test]
fn b17_of_the_peers_text_1024_bytes_are_kept_however_it_comes() {
    for chunk in [1, 7, 1023, 1024, 1025, 5000] {
        for (len, kept) in [(1023, 1023), (1024, 1024), (1025, 1024), (3000, 1024)] {
            let mut peer = server();
            let text: Vec<u8> = (0..len).map(|at: usize| (at % 251) as u8).collect();
            go_away(0, 7, &text).chunks(chunk).for_each(|piece| peer.feed(piece));
            peer.mux.handle_eof();
            let end = peer.mux.end().unwrap();
            assert_eq!(end.text(), &text[..kept], "{len} bytes in pieces of {chunk}");
        }
    }
}

/// One reset charge: a stream that is reset before anybody accepted it.
fn reset(peer: &mut Peer, id: u32) {
    peer.feed([syn(id, b""), rst(id, 6)].concat());
}

#[test]
fn f71_b18_a_thousand_resets_and_one_for_each_stream_brought_to_its_end() {
    for earned in [0, 1, 7] {
        let mut peer = server();
        let mut ids = (3..).step_by(2);
        (0..1000).for_each(|_| reset(&mut peer, ids.next().unwrap()));
        assert_eq!(peer.mux.end(), None, "a thousand are free");
        (0..earned).for_each(|_| exchange(&mut peer, ids.next().unwrap()));
        (0..earned).for_each(|_| reset(&mut peer, ids.next().unwrap()));
        assert_eq!(peer.mux.end(), None, "{earned} were earned");
        reset(&mut peer, ids.next().unwrap());
        assert_eq!(peer.mux.end().unwrap().code(), CALM, "{earned} and no more");
    }
}

#[test]
fn b18_work_is_not_saved_up_and_only_ends_of_ours_count() {
    let mut peer = server();
    let mut ids = (3..).step_by(2);
    (0..50).for_each(|_| exchange(&mut peer, ids.next().unwrap()));
    // Streams that we never finished earn nothing: dropped, reset by us, refused.
    for _ in 0..50 {
        peer.feed(syn_fin(ids.next().unwrap(), b""));
        let key = peer.mux.accept().unwrap().unwrap();
        peer.drop_stream(key);
        peer.sent();
    }
    (0..1000).for_each(|_| reset(&mut peer, ids.next().unwrap()));
    assert_eq!(peer.mux.end(), None);
    reset(&mut peer, ids.next().unwrap());
    assert_eq!(peer.mux.end().unwrap().code(), CALM);
}

#[test]
fn f71_b19_glitches_are_earned_by_bytes_and_by_ends_and_never_above_the_start() {
    let mut peer = server();
    peer.feed(syn(1, b""));
    let reader = peer.accept_all()[0];
    let read = |peer: &mut Peer, bytes: usize| {
        peer.feed(data(1, &vec![0; bytes]));
        assert_eq!(peer.read_all(reader).0.len(), bytes);
        peer.sent();
    };
    // Nothing was spent, so nothing can be earned.
    read(&mut peer, 64 * 1024);
    let mut ids = (3..).step_by(2);
    (0..20).for_each(|_| exchange(&mut peer, ids.next().unwrap()));
    peer.feed(data(1, b"").repeat(10_000));
    assert_eq!(peer.mux.end(), None, "ten thousand are free");
    read(&mut peer, 4096);
    exchange(&mut peer, ids.next().unwrap());
    peer.feed(data(1, b"").repeat(2));
    assert_eq!(peer.mux.end(), None, "one for 4 KiB, one for a stream");
    read(&mut peer, 4095);
    peer.feed(data(1, b""));
    assert_eq!(peer.mux.end().unwrap().code(), CALM, "a byte too little");
}

#[test]
fn b19_bytes_that_nobody_consumed_earn_nothing() {
    let mut peer = server();
    peer.feed([syn(1, b""), syn(3, b"")].concat());
    let keys = peer.accept_all();
    peer.feed(data(1, b"").repeat(10_000));
    // Unread, thrown away by a dropped reader, or for a dead stream.
    peer.feed(data(1, &[0; 100_000]));
    peer.mux.release_recv(keys[1]);
    peer.feed(data(3, &[0; 100_000]));
    assert_eq!(peer.mux.end(), None);
    peer.feed(data(1, b""));
    assert_eq!(peer.mux.end().unwrap().code(), CALM);
}

/// The ids of the DATA frames that go out, in order.
fn order(peer: &mut Peer) -> Vec<u32> {
    let (sent, mut ids, mut at) = (peer.sent(), Vec::new(), 0);
    while at < sent.len() {
        let head: [u8; 8] = sent[at..at + 8].try_into().unwrap();
        ids.push(u32::from_be_bytes([head[4], head[5], head[6], head[7]]));
        at += 8 + usize::from(head[0]) * 65_536 + usize::from(head[1]) * 256 + usize::from(head[2]);
    }
    ids
}

#[test]
fn b26_each_stream_stands_in_the_send_order_once() {
    let mut peer = server();
    peer.feed([syn(3, b""), syn(5, b"")].concat());
    let keys = peer.accept_all();
    let frame = [0; 16 * 1024];
    for key in [keys[0], keys[1]] {
        for _ in 0..8 {
            assert_eq!(peer.mux.write(key, &frame[..8192]), Ok(8192));
            // Credit, priorities and flushes make it ready again and again.
            peer.feed([wndinc(3, 1), wndinc(5, 1)].concat());
            peer.mux.flush(key).unwrap();
            peer.mux.set_priority(key, 1);
            peer.mux.set_priority(key, 0);
        }
    }
    assert_eq!(order(&mut peer), [3, 5, 3, 5, 3, 5, 3, 5], "16 KiB each in turn");
}

#[test]
fn b27_the_table_holds_the_live_streams_and_no_more() {
    let limit = 4;
    let config = Config::builder().max_inbound_streams(limit).max_outbound_streams(limit).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    let opened: Vec<StreamKey> = std::iter::from_fn(|| peer.mux.open().ok()).collect();
    assert_eq!(opened.len(), limit);
    let mut ids = (3..).step_by(2);
    // Finished by both sides and still held: as many again may come.
    for _ in 0..limit {
        let id = ids.next().unwrap();
        peer.feed(syn_fin(id, b""));
        let key = peer.mux.accept().unwrap().unwrap();
        peer.mux.finish(key).unwrap();
        assert_eq!(peer.sent(), fin(id));
    }
    for id in ids.take(100) {
        peer.feed(syn(id, b""));
    }
    assert_eq!(peer.mux.stats().streams, 3 * limit, "twice the limit of the peer's, and ours");
    assert_eq!((peer.mux.stats().refused, peer.mux.end()), (96, None));
}

#[test]
fn b31_no_history_of_ids_is_kept() {
    let mut peer = server();
    exchange(&mut peer, 7);
    exchange(&mut peer, 3);
    exchange(&mut peer, 7);
    exchange(&mut peer, 7);
    assert_eq!(
        (peer.mux.end(), peer.mux.stats().late_syns),
        (None, 3),
        "used again, or late, is all the same"
    );
}

#[test]
fn b04_bytes_that_nobody_wants_are_not_unread() {
    let config = Config::builder().max_session_recv(10).build().unwrap();
    let mut peer = Peer::with(Side::Server, &config);
    peer.feed(syn(3, b""));
    let key = peer.accept_all()[0];
    peer.mux.release_recv(key);
    peer.feed(data(3, &[0; 200]));
    assert_eq!(peer.sent(), b"", "thrown away, whatever the cap");
    assert_eq!(peer.write_ending(key), Ending::Open);
}
