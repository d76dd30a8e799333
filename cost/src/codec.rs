//! The frame codec alone: headers written and found.

use std::hint::black_box;

use muxado_frame::{Decoder, ErrorCode, Flags, Side, StreamId, data_header, rst, wndinc};

use crate::measure::{Measure, Outcome, Tally, Unit, repeat};

pub(crate) const MEASURES: &[Measure] = &[
    Measure::new("codec/encode", Unit::Frame, 100_000, encode),
    Measure::new("codec/decode", Unit::Frame, 100_000, decode),
    Measure::new("codec/decode-cut", Unit::Frame, 50_000, decode_cut),
];

/// Payload of the DATA frames here, in bytes. The codec does not look at it.
const PAYLOAD: u32 = 100;

fn encode(amount: u64) -> Outcome {
    let id = black_box(StreamId::first(Side::Client));
    repeat(amount / 4, |_| {
        black_box(data_header(id, black_box(PAYLOAD), Flags::SYN));
        black_box(data_header(id, black_box(PAYLOAD), Flags::NONE));
        black_box(wndinc(id, black_box(0x2_0000)));
        black_box(rst(id, black_box(ErrorCode::STREAM_CANCELLED)));
        Ok(())
    })?;
    Ok(Tally::default())
}

/// Four frames, the four of `encode` with their payloads.
fn wire() -> Vec<u8> {
    let id = StreamId::first(Side::Client);
    let payload = vec![0; 100];
    let data = |flags| [&data_header(id, PAYLOAD, flags)[..], &payload].concat();
    [
        data(Flags::SYN),
        data(Flags::NONE),
        wndinc(id, 0x2_0000).to_vec(),
        rst(id, ErrorCode::STREAM_CANCELLED).to_vec(),
    ]
    .concat()
}

fn decode(amount: u64) -> Outcome {
    let wire = wire();
    let mut decoder = Decoder::new();
    repeat(amount / 4, |_| {
        decode_all(&mut decoder, black_box(&wire))?;
        Ok(())
    })?;
    Ok(Tally::default())
}

/// Every header is in two pieces.
fn decode_cut(amount: u64) -> Outcome {
    let wire = wire();
    let cuts = [5, 113, 221, 233];
    let mut decoder = Decoder::new();
    repeat(amount / 4, |_| {
        let mut from = 0;
        for to in cuts.into_iter().chain([wire.len()]) {
            decode_all(&mut decoder, black_box(wire.get(from..to).unwrap_or(&[])))?;
            from = to;
        }
        Ok(())
    })?;
    Ok(Tally::default())
}

fn decode_all(decoder: &mut Decoder, mut input: &[u8]) -> Result<(), muxado_frame::DecodeError> {
    while !input.is_empty() {
        let (used, item) = decoder.decode(input)?;
        black_box(item);
        input = input.get(used..).unwrap_or(&[]);
    }
    Ok(())
}
