//! The machine alone, without driver, lock, waker or transport: its commands, its `handle_*` and `poll_*`.

mod bulk;
mod churn;
mod small;

use std::hint::black_box;

use bytes::Bytes;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, Side};

use crate::measure::{Fault, Measure, Unit};

pub(crate) const MEASURES: &[Measure] = &[
    Measure::new("machine/send-copied", Unit::BulkFrame, 2000, bulk::send_copied),
    Measure::new("machine/send-bytes", Unit::BulkFrame, 10_000, bulk::send_bytes),
    Measure::new("machine/receive-copied", Unit::BulkFrame, 2000, bulk::receive_copied),
    Measure::new("machine/receive-bytes", Unit::BulkFrame, 10_000, bulk::receive_bytes),
    Measure::new("machine/send-small", Unit::Frame, 20_000, small::send),
    Measure::new("machine/receive-small", Unit::Frame, 20_000, small::receive),
    Measure::new("machine/credit", Unit::Frame, 20_000, small::credit),
    Measure::new("machine/open-streams", Unit::Stream, 8000, churn::open),
    Measure::new("machine/accept-streams", Unit::Stream, 8000, churn::accept),
];

/// Bytes put into one batch, as the driver does it.
const BATCH: usize = 256 * 1024;

/// A machine and what its owner needs around it.
pub(crate) struct Machine {
    pub(crate) mux: Mux,
    batch: Batch,
}

impl Machine {
    pub(crate) fn new(side: Side) -> Machine {
        Machine { mux: Mux::new(side, &Config::default()), batch: Batch::vectored() }
    }

    /// One read of the transport whose bytes are copied where they are kept.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_slice(bytes);
            bytes = bytes.get(taken..).unwrap_or(&[]);
        }
        self.look();
    }

    /// One read of the transport, of which slices may be kept.
    pub(crate) fn feed_shared(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_bytes(&bytes);
            _ = bytes.split_to(taken.min(bytes.len()));
        }
        self.look();
    }

    /// Sends all there is. The transport takes it at once.
    pub(crate) fn send(&mut self) {
        loop {
            self.mux.poll_transmit(&mut self.batch, BATCH);
            let len = self.batch.len();
            if len == 0 {
                break;
            }
            self.batch.slices().for_each(|slice| _ = black_box(slice));
            self.batch.advance(len);
            self.batch.drop_copied();
            self.mux.handle_written(len);
        }
        self.look();
    }

    /// Reads a stream to where it stands, copying what there is to `room`. Whether it has ended.
    pub(crate) fn read_into(&mut self, key: StreamKey, room: &mut [u8]) -> Result<bool, Fault> {
        loop {
            match self.mux.read(key, room.len())? {
                Read::Chunk(chunk) => {
                    if let Some(place) = room.get_mut(..chunk.len()) {
                        place.copy_from_slice(&chunk);
                    }
                    black_box(&mut *room);
                }
                Read::End => return Ok(true),
                _ => return Ok(false),
            }
        }
    }

    /// Both handles of a stream are dropped.
    pub(crate) fn release(&mut self, key: StreamKey) {
        self.mux.release_send(key);
        self.mux.release_recv(key);
        self.look();
    }

    /// Takes the events, as the owner must.
    fn look(&mut self) {
        while let Some(event) = self.mux.poll_event() {
            black_box(event);
        }
    }
}
