//! One stream and full frames, each way, with and without copies at the application's end.

use bytes::Bytes;
use muxado_core::Side;
use muxado_core::proto::Read;
use muxado_frame::{Flags, StreamId, data_header, wndinc};

use super::Machine;
use crate::measure::{FRAME, Fault, Outcome, Tally, repeat};

/// Frames between two receipts: half a window.
const ROUND: u64 = 8;

/// The stream of the client's that all of it passes on.
fn id() -> StreamId {
    StreamId::first(Side::Client)
}

pub(super) fn send_copied(amount: u64) -> Outcome {
    let data = vec![7; FRAME];
    send(amount, |machine, key| Ok(machine.mux.write(key, &data)?))
}

pub(super) fn send_bytes(amount: u64) -> Outcome {
    let data = Bytes::from(vec![7; FRAME]);
    send(amount, |machine, key| Ok(machine.mux.write_bytes(key, &mut data.clone())?))
}

fn send(
    amount: u64,
    mut write: impl FnMut(&mut Machine, muxado_core::proto::StreamKey) -> Result<usize, Fault>,
) -> Outcome {
    let mut machine = Machine::new(Side::Client);
    let key = machine.mux.open()?;
    let receipt = wndinc(id(), 0x2_0000);
    repeat(amount / ROUND, |_| {
        for _ in 0..ROUND {
            if write(&mut machine, key)? != FRAME {
                return Err("a write was not taken whole".into());
            }
        }
        machine.send();
        machine.feed(&receipt);
        Ok(())
    })?;
    Ok(Tally::default())
}

/// Half a window of full frames.
fn half_a_window() -> Vec<u8> {
    let header = data_header(id(), 0x4000, Flags::NONE);
    let payload = vec![7; FRAME];
    (0..ROUND).flat_map(|_| [&header[..], &payload].concat()).collect()
}

pub(super) fn receive_copied(amount: u64) -> Outcome {
    let (mut machine, wire) = (Machine::new(Side::Server), half_a_window());
    machine.feed(&data_header(id(), 0, Flags::SYN));
    let key = machine.mux.accept()?.ok_or("no stream")?;
    let mut room = vec![0; 64 * 1024];
    repeat(amount / ROUND, |_| {
        machine.feed(&wire);
        machine.read_into(key, &mut room)?;
        machine.send();
        Ok(())
    })?;
    Ok(Tally::default())
}

pub(super) fn receive_bytes(amount: u64) -> Outcome {
    let (mut machine, wire) = (Machine::new(Side::Server), Bytes::from(half_a_window()));
    machine.feed(&data_header(id(), 0, Flags::SYN));
    let key = machine.mux.accept()?.ok_or("no stream")?;
    repeat(amount / ROUND, |_| {
        machine.feed_shared(wire.clone());
        while let Read::Chunk(chunk) = machine.mux.read(key, usize::MAX)? {
            drop(chunk);
        }
        machine.send();
        Ok(())
    })?;
    Ok(Tally::default())
}
