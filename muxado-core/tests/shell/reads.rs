//! Messages around the size up to which they are copied under the lock, read with little and with much room.

use futures_util::AsyncReadExt;
use muxado_core::{Config, Side};
use muxado_testkit::{World, alone, wire};

/// Bytes that tell where they are.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

#[test]
fn every_byte_comes_once_whatever_the_sizes() {
    for len in [1, 2, 255, 256, 257, 512, 513, 2047, 2048, 5000] {
        for room in [1, 255, 256, 257, 1000, 10_000] {
            // The end is there already, or comes later; what is read comes in one frame, or small ones follow a large one.
            for (first, ends) in [(0, true), (0, false), (3000, true), (3000, false)] {
                let world = World::new();
                let one = alone(&world, Side::Server, &Config::default());
                let all = bytes(first + len);
                one.from_peer.inject(&wire::syn(3, &all[..first]));
                one.from_peer.inject(&wire::data(3, &all[first..]));
                if ends {
                    one.from_peer.inject(&wire::fin(3));
                }
                let mut stream = world.block_on(one.session.accept()).unwrap();
                world.settle();
                let mut read = Vec::new();
                while read.len() < all.len() {
                    let mut buffer = vec![0; room];
                    let count = world.block_on(stream.read(&mut buffer)).unwrap();
                    assert!(count > 0, "{len} bytes behind {first} into {room}");
                    read.extend_from_slice(&buffer[..count]);
                }
                assert_eq!(read, all, "{len} bytes behind {first} into {room}");
                one.from_peer.inject(&if ends { Vec::new() } else { wire::fin(3) });
                assert_eq!(world.block_on(stream.read(&mut [0])).unwrap(), 0);
                assert_eq!(one.session.stats().unread_bytes, 0);
            }
        }
    }
}

#[test]
fn a_small_message_that_was_read_gives_its_credit_back() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&wire::syn(3, b""));
    let mut stream = world.block_on(one.session.accept()).unwrap();
    let message = bytes(200);
    // Ten windows in all: without credit the peer would break a rule.
    for _ in 0..10 * 256 * 1024 / message.len() {
        one.from_peer.inject(&wire::data(3, &message));
        let mut buffer = [0; 256];
        let count = world.block_on(stream.read(&mut buffer)).unwrap();
        assert_eq!(buffer[..count], message);
    }
}
