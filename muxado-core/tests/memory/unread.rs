//! B03: what unread bytes hold in memory is their number and little more, whatever pieces they come in and however
//! they are read.

use bytes::Bytes;
use muxado_core::proto::Read;
use muxado_core::{Config, Side};
use muxado_testkit::Peer;
use muxado_testkit::wire::{data, syn};

use crate::alone;
use crate::bounds::Watch;

const WINDOW: usize = 256 * 1024;

/// Fills a window in payloads of `size` bytes, in reads of `read` bytes at the most.
fn fill(peer: &mut Peer, size: usize, read: usize) {
    let payload = vec![7; size];
    let mut left = WINDOW - peer.mux.unread();
    while left > 0 {
        let frame = data(3, &payload[..size.min(left)]);
        left -= size.min(left);
        frame.chunks(read).for_each(|piece| peer.feed(piece));
    }
}

#[test]
fn b03_a_full_window_holds_little_more_than_itself() {
    let _turn = alone();
    for size in [7, 100, 1366, 1500, 2047, 5000, 9000, 16 * 1024, WINDOW] {
        for read in [1700, usize::MAX] {
            let watch = Watch::new();
            let mut peer = Peer::new(Side::Server);
            peer.feed(syn(3, b""));
            fill(&mut peer, size, read);
            let held = watch.held();
            assert_eq!(peer.mux.unread(), WINDOW);
            assert!(
                held <= WINDOW + WINDOW / 8 + 4096,
                "payloads of {size} bytes in reads of {read}: {held} bytes held for {WINDOW}"
            );
        }
    }
}

/// All but the last byte is read, and the window filled again: what is left of the first bytes is one buffer.
#[test]
fn b03_the_last_byte_of_a_window_does_not_hold_all_of_it() {
    let _turn = alone();
    for size in [100, 16 * 1024, WINDOW] {
        let watch = Watch::new();
        let mut peer = Peer::new(Side::Server);
        peer.feed(syn(3, b""));
        let key = peer.accept_all()[0];
        fill(&mut peer, size, usize::MAX);
        let mut left = WINDOW - 1;
        while left > 0 {
            let Ok(Read::Chunk(chunk)) = peer.mux.read(key, left) else { panic!("{left} bytes are missing") };
            left -= chunk.len();
        }
        drop(peer.sent());
        let rest = watch.held();
        assert!(rest <= 24 * 1024, "{size}: {rest} bytes held for one");
        fill(&mut peer, size, usize::MAX);
        let held = watch.held();
        assert!(held <= WINDOW + WINDOW / 8, "{size}: {held} bytes held for {WINDOW}");
    }
}

/// Once everything is read, nothing of it is held.
#[test]
fn b03_a_window_that_was_read_holds_nothing() {
    let _turn = alone();
    for size in [10, 1500, 16 * 1024] {
        let watch = Watch::new();
        let mut peer = Peer::new(Side::Server);
        peer.feed(syn(3, b""));
        let key = peer.accept_all()[0];
        let idle = watch.held();
        fill(&mut peer, size, usize::MAX);
        assert_eq!(peer.read_all(key).0.len(), WINDOW);
        drop(peer.sent());
        let held = watch.held();
        assert!(held <= idle + 16 * 1024, "payloads of {size} bytes: {held} bytes held, {idle} before");
    }
}

/// Small pieces between large ones that are kept without a copy are cut to their size.
#[test]
fn b03_pieces_between_shared_ones_have_no_room_to_spare() {
    let _turn = alone();
    let mut frames = Vec::new();
    while frames.len() < WINDOW / 2 {
        frames.extend(data(3, &[1; 1025]).repeat(2));
        frames.extend(data(3, b"x"));
        frames.extend(data(3, &[2; 2048]));
    }
    let whole = Bytes::from(frames);
    let watch = Watch::new();
    let mut peer = Peer::with(Side::Server, &Config::default());
    peer.feed(syn(3, b""));
    peer.feed_shared(whole);
    // Half of the bytes are slices of a buffer that was there before.
    let (held, copied) = (watch.held(), peer.mux.unread() / 2);
    assert!(held <= copied + copied / 4, "{held} bytes held for {copied} that were copied");
}
