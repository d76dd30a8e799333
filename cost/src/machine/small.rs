//! Many streams and small frames, each way, and credit that comes back for them.

use muxado_core::Side;
use muxado_core::proto::StreamKey;
use muxado_frame::{Flags, StreamId, data_header, wndinc};

use super::Machine;
use crate::measure::{Fault, Outcome, Tally, repeat};

/// Streams that take turns.
const STREAMS: u64 = 32;

/// Payload of a small frame, in bytes.
const SMALL: usize = 64;

/// Rounds after which the peer returns credit: half a window of small frames.
const HALF: u64 = 2048;

fn ids() -> Vec<StreamId> {
    let first = StreamId::first(Side::Client);
    let all = std::iter::successors(Some(first), |id| id.next());
    all.zip(0..STREAMS).map(|(id, _)| id).collect()
}

fn opened() -> Result<(Machine, Vec<StreamKey>), Fault> {
    let mut machine = Machine::new(Side::Client);
    let keys = (0..STREAMS).map(|_| machine.mux.open()).collect::<Result<Vec<_>, _>>()?;
    Ok((machine, keys))
}

/// One small write on each stream, then all of them out.
pub(super) fn send(amount: u64) -> Outcome {
    let (mut machine, keys) = opened()?;
    let receipts: Vec<u8> = ids().into_iter().flat_map(|id| wndinc(id, 0x2_0000)).collect();
    let data = [7; SMALL];
    repeat(amount / STREAMS, |round| {
        for key in &keys {
            machine.mux.write(*key, &data)?;
        }
        machine.send();
        if (round + 1) % HALF == 0 {
            machine.feed(&receipts);
        }
        Ok(())
    })?;
    Ok(Tally::default())
}

/// One small frame for each stream in one read, then all of them read.
pub(super) fn receive(amount: u64) -> Outcome {
    let mut machine = Machine::new(Side::Server);
    for id in ids() {
        machine.feed(&data_header(id, 0, Flags::SYN));
    }
    let mut keys = Vec::new();
    while let Some(key) = machine.mux.accept()? {
        keys.push(key);
    }
    let frame = |id| [&data_header(id, 64, Flags::NONE)[..], &[7; SMALL]].concat();
    let wire: Vec<u8> = ids().into_iter().flat_map(frame).collect();
    let mut room = [0; SMALL];
    repeat(amount / STREAMS, |_| {
        machine.feed(&wire);
        for key in &keys {
            machine.read_into(*key, &mut room)?;
        }
        machine.send();
        Ok(())
    })?;
    Ok(Tally::default())
}

/// As `send`, with credit back for every frame: what that costs beyond `send` is the cost of WNDINC.
pub(super) fn credit(amount: u64) -> Outcome {
    let (mut machine, keys) = opened()?;
    let receipts: Vec<u8> = ids().into_iter().flat_map(|id| wndinc(id, 64)).collect();
    let data = [7; SMALL];
    repeat(amount / STREAMS, |_| {
        for key in &keys {
            machine.mux.write(*key, &data)?;
        }
        machine.send();
        machine.feed(&receipts);
        Ok(())
    })?;
    Ok(Tally::default())
}
