//! Decision 5, W18 and B14: how much a writer may queue, who goes first, and that nobody is forgotten.

use bytes::Bytes;
use muxado_core::Config;
use muxado_core::proto::{Batch, Event, StreamKey};
use muxado_frame::{Decoder, ErrorCode, Side};
use muxado_testkit::Peer;
use muxado_testkit::wire::{data, header, rst, syn, wndinc};

const KIB: usize = 1024;

fn client_with(config: &Config, streams: usize) -> (Peer, Vec<StreamKey>) {
    let mut peer = Peer::with(Side::Client, config);
    let keys: Vec<StreamKey> = (0..streams).map(|_| peer.mux.open().unwrap()).collect();
    for key in &keys {
        peer.mux.flush(*key).unwrap();
    }
    peer.sent();
    (peer, keys)
}

/// Writes until there is no more room, and says how much was taken.
fn fill(peer: &mut Peer, stream: StreamKey) -> usize {
    let mut taken = 0;
    loop {
        match peer.mux.write(stream, &[0; 1000]).unwrap() {
            0 => return taken,
            more => taken += more,
        }
    }
}

/// Two streams of a higher priority whose queues fill the session, and others behind them.
fn full_session(others: usize) -> (Peer, Vec<StreamKey>, Vec<StreamKey>) {
    let (mut peer, mut keys) = client_with(&Config::default(), 2 + others);
    for key in &keys[..2] {
        peer.mux.set_priority(*key, 1);
        assert_eq!(fill(&mut peer, *key), 256 * KIB);
    }
    peer.events();
    let others = keys.split_off(2);
    (peer, keys, others)
}

fn writables(peer: &mut Peer) -> Vec<StreamKey> {
    let events = peer.events().into_iter();
    events.filter_map(|event| if let Event::Writable(key) = event { Some(key) } else { None }).collect()
}

#[test]
fn one_stream_may_queue_its_credit_or_256_kib() {
    let (mut peer, keys) = client_with(&Config::default(), 1);
    assert_eq!(fill(&mut peer, keys[0]), 256 * KIB);
    for (window, taken) in [(100 * KIB, 100 * KIB), (KIB, 16 * KIB), (KIB * KIB, 256 * KIB)] {
        let config = Config::builder().window(window as u32).window_agreed_out_of_band().build().unwrap();
        let (mut peer, keys) = client_with(&config, 1);
        assert_eq!(fill(&mut peer, keys[0]), taken, "window {window}");
    }
}

#[test]
fn a_full_session_leaves_16_kib_to_everybody() {
    let (mut peer, full, others) = full_session(3);
    for key in others {
        assert_eq!(fill(&mut peer, key), 16 * KIB);
    }
    for key in full {
        assert_eq!(peer.mux.write(key, b"x"), Ok(0));
    }
    assert_eq!(peer.mux.stats().sendable_bytes, (512 + 3 * 16) * KIB);
}

#[test]
fn bytes_that_wait_for_credit_do_not_count() {
    let (mut peer, keys) = client_with(&Config::default(), 100);
    let (healthy, stuck) = keys.split_last().unwrap();
    for key in stuck {
        // Each uses up its window, then queues what it always may, for which there is no credit.
        assert_eq!(fill(&mut peer, *key), 256 * KIB);
        peer.sent();
        assert_eq!(fill(&mut peer, *key), 16 * KIB);
    }
    assert_eq!(peer.mux.stats().sendable_bytes, 0);
    assert_eq!(fill(&mut peer, *healthy), 256 * KIB, "the stuck ones stall nobody");
    assert_eq!(peer.sent().len(), 256 * KIB + 16 * 8);
}

#[test]
fn waiting_writers_are_told_in_order_once_half_is_free() {
    let (mut peer, full, others) = full_session(3);
    let [a, b, c] = others[..] else { panic!("three") };
    for key in [b, c, a] {
        assert_eq!(fill(&mut peer, key), 16 * KIB);
    }
    let told = loop {
        assert!(peer.mux.stats().sendable_bytes > 256 * KIB, "at half at the latest");
        peer.sent_up_to(1, usize::MAX);
        let told: Vec<_> = writables(&mut peer).into_iter().filter(|key| !full.contains(key)).collect();
        if !told.is_empty() {
            break told;
        }
    };
    assert_eq!(told, [b, c, a]);
    assert_eq!(peer.mux.stats().sendable_bytes, 256 * KIB);
}

#[test]
fn nobody_is_forgotten_when_the_queues_of_others_vanish() {
    let (mut peer, full, others) = full_session(3);
    let [a, b, c] = others[..] else { panic!("three") };
    for key in [c, a, b] {
        assert_eq!(fill(&mut peer, key), 16 * KIB);
    }
    assert_eq!(writables(&mut peer), []);
    peer.feed([rst(3, 6), rst(5, 6)].concat());
    assert_eq!(writables(&mut peer), [full[0], full[1], c, a, b], "in the order of waiting");
    for key in full {
        assert!(peer.mux.write(key, b"x").is_err());
    }
    assert_eq!(
        fill(&mut peer, c),
        512 * KIB / 3 - 16 * KIB,
        "its share among three that have something to send"
    );
}

#[test]
fn nobody_is_forgotten_when_the_first_in_line_goes_away() {
    let (mut peer, full, others) = full_session(3);
    let [a, b, c] = others[..] else { panic!("three") };
    for key in [a, b, c] {
        fill(&mut peer, key);
    }
    peer.drop_stream(a);
    peer.mux.finish(b).unwrap();
    for key in &full {
        peer.mux.reset(*key, ErrorCode::STREAM_CANCELLED).unwrap();
    }
    assert_eq!(writables(&mut peer), [full[0], full[1], c]);
}

#[test]
fn a_newcomer_does_not_overtake_the_line() {
    let config = Config::builder().session_send_queue(64 * KIB).max_frame(8 * KIB as u32).build().unwrap();
    let (mut peer, keys) = client_with(&config, 3);
    let [first, waiting, newcomer] = keys[..] else { panic!("three") };
    peer.mux.set_priority(first, 1);
    assert_eq!(fill(&mut peer, first), 64 * KIB);
    assert_eq!(fill(&mut peer, waiting), 16 * KIB);
    peer.sent_up_to(5 * 8 * KIB, usize::MAX);
    assert_eq!(writables(&mut peer), []);
    // 40 of 80 KiB are left: there is room for 24 more, of which a third of 64 would be its share, but somebody stands in line for it.
    assert_eq!(peer.mux.stats().sendable_bytes, 40 * KIB);
    assert_eq!(peer.mux.write(newcomer, &[0; 24 * KIB]), Ok(16 * KIB));
}

#[test]
fn a_writer_at_its_own_limit_stands_in_nobodys_way() {
    let config = Config::builder().send_queue(32 * KIB).build().unwrap();
    let (mut peer, keys) = client_with(&config, 2);
    assert_eq!(fill(&mut peer, keys[0]), 32 * KIB);
    assert_eq!(
        fill(&mut peer, keys[1]),
        32 * KIB,
        "the session is not full, so nobody stands in line for it"
    );
    assert_eq!(writables(&mut peer), []);
    peer.sent();
    assert_eq!(writables(&mut peer).len(), 2);
}

#[test]
fn a_writer_without_credit_is_told_when_credit_comes() {
    let config = Config::builder().window(1).window_agreed_out_of_band().build().unwrap();
    let (mut peer, keys) = client_with(&config, 1);
    assert_eq!(fill(&mut peer, keys[0]), 16 * KIB);
    assert_eq!(peer.sent(), data(3, b"\0"));
    assert_eq!(writables(&mut peer), [], "one byte is not worth a wake");
    peer.feed(wndinc(3, 8 * KIB as u32));
    peer.sent();
    assert_eq!(writables(&mut peer), keys);
}

#[test]
fn a_writer_whose_queue_is_still_full_is_not_told() {
    let config = Config::builder().window(1).window_agreed_out_of_band().send_queue(1).build().unwrap();
    let (mut peer, keys) = client_with(&config, 1);
    assert_eq!(peer.mux.write(keys[0], b"ab"), Ok(1));
    peer.sent();
    assert_eq!(peer.mux.write(keys[0], b"bc"), Ok(1));
    assert_eq!(peer.mux.write(keys[0], b"c"), Ok(0));
    peer.events();
    peer.feed(wndinc(3, 1));
    assert_eq!(writables(&mut peer), [], "credit alone makes no room");
    assert_eq!(peer.sent(), data(3, b"b"));
    assert_eq!(writables(&mut peer), keys);
}

/// A batch is full at its limit: what goes out next is decided when the transport can take more.
#[test]
fn b15_a_batch_takes_no_frame_once_it_has_reached_its_limit() {
    for (limit, frames) in [(12, 1), (13, 1), (14, 2), (26, 2), (27, 3)] {
        let (mut peer, keys) = client_with(&Config::default(), 3);
        for key in &keys {
            assert_eq!(peer.mux.write(*key, b"hello"), Ok(5));
        }
        let mut batch = Batch::contiguous();
        peer.mux.poll_transmit(&mut batch, limit);
        assert_eq!(batch.len(), 13 * frames, "limit {limit}");
    }
}

#[test]
fn room_that_was_reserved_is_taken_until_it_is_used() {
    let (mut peer, keys) = client_with(&Config::default(), 3);
    assert_eq!(peer.mux.reserve(keys[0], usize::MAX), Ok(256 * KIB));
    assert_eq!(peer.mux.reserve(keys[1], usize::MAX), Ok(256 * KIB));
    assert_eq!(fill(&mut peer, keys[2]), 16 * KIB);
    assert_eq!(peer.mux.write(keys[0], b"x"), Ok(0));
    peer.mux.commit(keys[0], Bytes::from_static(b"less")).unwrap();
    peer.feed(rst(5, 6));
    assert_eq!(writables(&mut peer), [], "the writer of a stream that is gone still copies");
    assert!(peer.mux.commit(keys[1], Bytes::from_static(b"late")).is_err());
    assert_eq!(writables(&mut peer), [keys[2], keys[0]], "what was not used is free");
    assert_eq!(peer.sent(), [data(7, &[0; 16 * KIB]), data(3, b"less")].concat());
    assert_eq!(fill(&mut peer, keys[0]) + fill(&mut peer, keys[2]), (256 + 240) * KIB - 4);
}

#[test]
fn streams_take_turns_of_one_frame_and_priorities_go_first() {
    let config = Config::builder().max_frame(4).build().unwrap();
    let (mut peer, keys) = client_with(&config, 3);
    for (key, bytes) in keys.iter().zip([b"aaaaaaaa", b"bbbbbbbb", b"cccccccc"]) {
        peer.mux.write(*key, bytes).unwrap();
    }
    peer.mux.set_priority(keys[2], 5);
    let [a, b, c] = [data(3, b"aaaa"), data(5, b"bbbb"), data(7, b"cccc")];
    let expected = [&c[..], &c, &a, &b, &a, &b].concat();
    assert_eq!(peer.sent(), expected);
}

#[test]
fn w18_every_pull_is_whole_frames() {
    let config = Config::builder().max_frame(100).build().unwrap();
    let (mut peer, keys) = client_with(&config, 2);
    peer.mux.write(keys[0], &[1; 250]).unwrap();
    peer.mux.write(keys[1], &[2; 50]).unwrap();
    peer.mux.finish(keys[1]).unwrap();
    let mut pulls = 0;
    loop {
        let pulled = peer.sent_up_to(1, usize::MAX);
        if pulled.is_empty() {
            break;
        }
        pulls += 1;
        let mut decoder = Decoder::new();
        let mut rest = &pulled[..];
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest).unwrap().0..];
        }
        assert!(decoder.is_idle());
    }
    assert_eq!(pulls, 4);
    // And many frames come in one pull.
    peer.mux.write(keys[0], &[1; 250]).unwrap();
    assert_eq!(peer.sent().len(), 250 + 3 * 8);
}

#[test]
fn w07_the_first_frame_carries_what_it_may() {
    let mut peer = Peer::new(Side::Client);
    let stream = peer.mux.open().unwrap();
    let mut chunk = Bytes::from(vec![7; 40 * KIB]);
    assert_eq!(peer.mux.write_bytes(stream, &mut chunk), Ok(40 * KIB));
    assert!(chunk.is_empty());
    let expected = [
        syn(3, &[7; 16 * KIB]),
        data(3, &[7; 16 * KIB]),
        header(1, 0, 8 * KIB as u32, 3).to_vec(),
        vec![7; 8 * KIB],
    ];
    assert_eq!(peer.sent(), expected.concat());
}
