//! Once all that grows has grown, nothing is allocated for a frame, a turn of a stream or a stream: the machine, one side of
//! it, each way. What a whole session allocates, with what its application is given, is counted in `muxado-tokio/tests`.

use bytes::Bytes;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, Side};
use muxado_testkit::wire::{DATA, FIN, SYN, data, header, syn, wndinc};
use stats_alloc::INSTRUMENTED_SYSTEM;

use crate::alone;
use crate::attacks::calls;

/// A full frame's payload, in bytes.
const FULL: usize = 16 * 1024;

/// A machine and the batch that goes round with it, as a driver has them.
struct Machine {
    mux: Mux,
    batch: Batch,
}

impl Machine {
    fn new(side: Side) -> Machine {
        Machine { mux: Mux::new(side, &Config::default()), batch: Batch::vectored() }
    }

    /// A server with the streams that its peer has opened and its application accepted.
    fn accepted(streams: u32) -> (Machine, Vec<StreamKey>) {
        let mut machine = Machine::new(Side::Server);
        ids(streams).for_each(|id| machine.feed(&syn(id, b"")));
        let keys = std::iter::from_fn(|| machine.mux.accept().unwrap()).collect();
        (machine, keys)
    }

    /// A client with so many open streams.
    fn opened(streams: u32) -> (Machine, Vec<StreamKey>) {
        let mut machine = Machine::new(Side::Client);
        let keys = (0..streams).map(|_| machine.mux.open().unwrap()).collect();
        (machine, keys)
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_slice(bytes);
            bytes = &bytes[taken..];
        }
        self.look();
    }

    fn feed_shared(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_bytes(&bytes);
            drop(bytes.split_to(taken));
        }
        self.look();
    }

    /// All goes out. How many frames that were.
    fn send(&mut self) -> u64 {
        let before = self.mux.stats().frames_sent;
        self.mux.poll_transmit(&mut self.batch, usize::MAX);
        let len = self.batch.len();
        self.batch.advance(len);
        self.mux.handle_written(len);
        self.look();
        self.mux.stats().frames_sent - before
    }

    /// Reads what there is. How many bytes that were.
    fn read(&mut self, key: StreamKey) -> usize {
        let mut len = 0;
        while let Read::Chunk(chunk) = self.mux.read(key, usize::MAX).unwrap() {
            len += chunk.len();
        }
        len
    }

    fn look(&mut self) {
        while self.mux.poll_event().is_some() {}
    }
}

/// The ids of the first streams that a client opens.
fn ids(streams: u32) -> impl Iterator<Item = u32> {
    (0..streams).map(|number| 3 + 2 * number)
}

/// Allocations for a hundred frames, or whatever `round` counts. It does the same each time it is called. What the test
/// harness allocates meanwhile is a few.
fn for_a_hundred(mut round: impl FnMut() -> u64) -> f64 {
    (0..50).for_each(|_| _ = round());
    let before = INSTRUMENTED_SYSTEM.stats();
    let mut frames = 0;
    while frames < 10_000 {
        frames += round();
    }
    calls(before, INSTRUMENTED_SYSTEM.stats()) as f64 * 100.0 / frames as f64
}

/// Fails if there is one allocation for a hundred frames or streams, or more.
#[track_caller]
fn assert_none(what: &str, streams: u32, for_a_hundred: f64) {
    assert!(for_a_hundred < 1.0, "{what} on {streams} streams: {for_a_hundred} allocations for a hundred");
}

#[test]
fn b37_nothing_is_allocated_for_a_frame_that_is_sent() {
    let _turn = alone();
    for streams in [1, 2, 16, 64] {
        let (mut machine, keys) = Machine::opened(streams);
        let receipts: Vec<u8> = ids(streams).flat_map(|id| wndinc(id, 100)).collect();
        let each = for_a_hundred(|| {
            keys.iter().for_each(|key| assert_eq!(machine.mux.write(*key, &[7; 100]), Ok(100)));
            let frames = machine.send();
            machine.feed(&receipts);
            frames
        });
        assert_none("a copy of little", streams, each);

        let (mut machine, keys) = Machine::opened(streams);
        let receipts: Vec<u8> = ids(streams).flat_map(|id| wndinc(id, FULL as u32)).collect();
        let bytes = Bytes::from(vec![7; FULL]);
        let each = for_a_hundred(|| {
            let mut frames = 0;
            for key in &keys {
                assert_eq!(machine.mux.write_bytes(*key, &mut bytes.clone()), Ok(FULL));
                frames += machine.send();
            }
            machine.feed(&receipts);
            frames
        });
        assert_none("owned bytes", streams, each);
    }
}

#[test]
fn nothing_is_allocated_for_a_frame_that_comes() {
    let _turn = alone();
    for streams in [1, 2, 16, 64] {
        let (mut machine, keys) = Machine::accepted(streams);
        let frames: Bytes = ids(streams).flat_map(|id| data(id, &[7; FULL])).collect();
        let each = for_a_hundred(|| {
            machine.feed_shared(frames.clone());
            keys.iter().for_each(|key| assert_eq!(machine.read(*key), FULL));
            machine.send();
            u64::from(streams)
        });
        assert_none("slices", streams, each);
    }
}

#[test]
fn nothing_is_allocated_for_a_stream_that_comes_and_goes() {
    let _turn = alone();
    for streams in [1, 2, 16, 64] {
        let (mut machine, mut id, mut keys) = (Machine::new(Side::Client), 3, Vec::new());
        let each = for_a_hundred(|| {
            for _ in 0..streams {
                let key = machine.mux.open().unwrap();
                assert_eq!(machine.mux.write(key, &[7; 100]), Ok(100));
                machine.mux.finish(key).unwrap();
                keys.push(key);
            }
            machine.send();
            for key in keys.drain(..) {
                machine.feed(&header(DATA, FIN, 0, id));
                assert_eq!(machine.mux.read(key, 1), Ok(Read::End));
                machine.mux.release_send(key);
                machine.mux.release_recv(key);
                id += 2;
            }
            u64::from(streams)
        });
        assert_none("streams that are opened", streams, each);

        let (mut machine, mut id) = (Machine::new(Side::Server), 3);
        let each = for_a_hundred(|| {
            for _ in 0..streams {
                machine.feed(&header(DATA, SYN, 0, id));
                machine.feed(&header(DATA, FIN, 0, id));
                id += 2;
            }
            while let Some(key) = machine.mux.accept().unwrap() {
                assert_eq!(machine.mux.read(key, 1), Ok(Read::End));
                assert_eq!(machine.mux.write(key, &[7; 100]), Ok(100));
                machine.mux.finish(key).unwrap();
                machine.mux.release_send(key);
                machine.mux.release_recv(key);
            }
            machine.send();
            u64::from(streams)
        });
        assert_none("streams that are accepted", streams, each);
    }
}
