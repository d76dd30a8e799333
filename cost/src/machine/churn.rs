//! A request and its answer on a stream of their own, seen from the side that opens it and from the one that accepts it.

use muxado_core::Side;
use muxado_frame::{Flags, StreamId, data_header};

use super::Machine;
use crate::measure::{Fault, Outcome, Tally, repeat};

/// Bytes of a request and of an answer.
const MESSAGE: [u8; 100] = [7; 100];

/// Sessions, one after the other: the hash of each has other keys, and its own luck.
const SESSIONS: u64 = 8;

/// Other streams that are open meanwhile, so that the tables are not empty.
const OTHERS: usize = 32;

pub(super) fn open(amount: u64) -> Outcome {
    (0..SESSIONS).try_for_each(|_| open_streams(amount / SESSIONS))?;
    Ok(Tally::default())
}

fn open_streams(amount: u64) -> Result<(), Fault> {
    let mut machine = Machine::new(Side::Client);
    for _ in 0..OTHERS {
        let key = machine.mux.open()?;
        machine.mux.flush(key)?;
    }
    machine.send();
    let mut room = [0; 128];
    repeat(amount, |_| {
        let key = machine.mux.open()?;
        machine.mux.write(key, &MESSAGE)?;
        machine.mux.finish(key)?;
        machine.send();
        let id = machine.mux.stream_id(key).ok_or("no id")?;
        machine.feed(&answer(id));
        if !machine.read_into(key, &mut room)? {
            return Err("the answer has no end".into());
        }
        machine.release(key);
        Ok(())
    })
}

/// DATA and FIN, as ours sends them.
fn answer(id: StreamId) -> [u8; 116] {
    let mut frames = [0; 116];
    frames[..8].copy_from_slice(&data_header(id, 100, Flags::NONE));
    frames[8..108].copy_from_slice(&MESSAGE);
    frames[108..].copy_from_slice(&data_header(id, 0, Flags::FIN));
    frames
}

pub(super) fn accept(amount: u64) -> Outcome {
    (0..SESSIONS).try_for_each(|_| accept_streams(amount / SESSIONS))?;
    Ok(Tally::default())
}

fn accept_streams(amount: u64) -> Result<(), Fault> {
    let mut machine = Machine::new(Side::Server);
    let mut id = StreamId::first(Side::Client);
    for _ in 0..OTHERS {
        machine.feed(&data_header(id, 0, Flags::SYN));
        machine.mux.accept()?;
        id = id.next().ok_or("no id left")?;
    }
    let mut room = [0; 128];
    repeat(amount, |_| {
        let mut request = answer(id);
        request[..8].copy_from_slice(&data_header(id, 100, Flags::SYN));
        machine.feed(&request);
        let key = machine.mux.accept()?.ok_or("no stream")?;
        if !machine.read_into(key, &mut room)? {
            return Err("the request has no end".into());
        }
        machine.mux.write(key, &MESSAGE)?;
        machine.mux.finish(key)?;
        machine.send();
        machine.release(key);
        id = id.next().ok_or("no id left")?;
        Ok(())
    })
}
