//! Recorded frames of the existing implementations: every field decodes to what they saw, in every split, and
//! encodes to the bytes they sent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in what its tests share"
)]

use muxado_frame::{
    DecodeError, Decoder, ErrorCode, Flags, HEADER_LEN, Header, Item, Kind, StreamId, data_header, go_away,
    rst, wndinc,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    hex: String,
    ok: bool,
    /// The bytes end before the body does: after the header, or after the fixed part of a GOAWAY.
    #[serde(default)]
    partial: bool,
    frame: Option<Frame>,
    error: Option<String>,
    #[serde(default)]
    go_encodes_the_same: bool,
    #[serde(rename = "checked_with")]
    _checked_with: String,
    #[serde(rename = "error_text")]
    _error_text: Option<String>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Frame {
    r#type: String,
    type_code: u8,
    flags: u8,
    stream_id: u32,
    length: u32,
    fin: Option<bool>,
    syn: Option<bool>,
    payload: Option<String>,
    error_code: Option<u32>,
    increment: Option<u32>,
    last_stream_id: Option<u32>,
    debug: Option<String>,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        unhex(&self.hex)
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/frames.json")).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the decoder made of some pieces: the items other than body, the body, and how it ended.
struct Decoded {
    items: Vec<Item>,
    body: Vec<u8>,
    taken: usize,
    error: Option<DecodeError>,
    idle: bool,
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new();
    let mut decoded = Decoded { items: Vec::new(), body: Vec::new(), taken: 0, error: None, idle: true };
    for mut piece in pieces {
        while !piece.is_empty() {
            let (taken, item) = match decoder.decode(piece) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(decoder.decode(&[0]), Err(error), "it stays failed");
                    decoded.error = Some(error);
                    return decoded;
                }
            };
            match item {
                Some(Item::Body { len, .. }) => decoded.body.extend(&piece[taken - len..taken]),
                item => decoded.items.extend(item),
            }
            decoded.taken += taken;
            piece = &piece[taken..];
        }
    }
    decoded.idle = decoder.is_idle();
    decoded
}

/// Whole, byte by byte, and cut in two at each place.
fn in_every_split(bytes: &[u8], check: impl Fn(Decoded)) {
    check(decode([bytes]));
    check(decode(bytes.chunks(1)));
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        check(decode([front, back]));
    }
}

/// The decoded frame in the words of the vectors. Only the header tells the flags of frames other than DATA.
fn describe(bytes: &[u8], decoded: &Decoded, partial: bool) -> Frame {
    let header = Header::decode(*bytes.first_chunk().unwrap());
    assert_eq!(header.encode(), bytes[..HEADER_LEN]);
    let mut frame = Frame {
        type_code: header.kind().bits(),
        flags: header.flags().bits(),
        stream_id: header.stream_id(),
        length: header.length(),
        ..Frame::default()
    };
    let body = (!partial).then(|| hex(&decoded.body));
    assert_eq!(decoded.items.len(), 1, "{:?}", decoded.items);
    match decoded.items[0] {
        Item::Data { id, length, flags } => {
            assert_eq!((id, length, flags), (header.stream_id(), header.length(), header.flags()));
            frame.r#type = "DATA".into();
            frame.fin = Some(flags.fin());
            frame.syn = Some(flags.syn());
            frame.payload = body;
        }
        Item::Unknown { header: seen } => {
            assert_eq!(seen, header);
            frame.r#type = "UNKNOWN".into();
            frame.payload = body;
        }
        Item::Rst { id, code, flags } => {
            assert_eq!((id, flags), (header.stream_id(), header.flags()));
            frame.r#type = "RST".into();
            frame.error_code = Some(code.get());
        }
        Item::WndInc { id, increment, flags } => {
            assert_eq!((id, flags), (header.stream_id(), header.flags()));
            frame.r#type = "WNDINC".into();
            frame.increment = Some(increment);
        }
        Item::GoAway { last, code, debug_len, flags } => {
            assert_eq!((debug_len, flags), (header.length() - 8, header.flags()));
            frame.r#type = "GOAWAY".into();
            frame.last_stream_id = Some(last);
            frame.error_code = Some(code.get());
            frame.debug = body;
        }
        Item::Body { .. } => unreachable!("bodies are collected apart"),
    }
    frame
}

/// The frame as our functions send it.
fn encode(frame: &Frame) -> Vec<u8> {
    let id = || StreamId::new(frame.stream_id).unwrap();
    let code = || ErrorCode::new(frame.error_code.unwrap());
    let kind = Kind::from_bits(frame.type_code);
    let flags = Flags::from_bits(frame.flags);
    let (fixed, body) = match kind {
        Kind::Data => (data_header(id(), frame.length, flags).to_vec(), frame.payload.as_ref()),
        Kind::Rst => (rst(id(), code()).to_vec(), None),
        Kind::WndInc => (wndinc(id(), frame.increment.unwrap()).to_vec(), None),
        Kind::GoAway => {
            let last = StreamId::new(frame.last_stream_id.unwrap());
            (go_away(last, code(), frame.length - 8).to_vec(), frame.debug.as_ref())
        }
        Kind::Unknown(_) => {
            let header = Header::new(kind, flags, frame.length, frame.stream_id).unwrap();
            (header.encode().to_vec(), frame.payload.as_ref())
        }
    };
    [fixed, body.map_or(Vec::new(), |body| unhex(body))].concat()
}

#[test]
fn the_file_is_the_one_that_was_recorded() {
    let all = vectors();
    assert_eq!(all.len(), 182);
    assert_eq!(all.iter().filter(|vector| vector.ok).count(), 160);
    assert!(
        all.iter().all(|vector| vector.ok == vector.frame.is_some() && vector.ok != vector.error.is_some())
    );
}

#[test]
fn s18_valid_frames_decode_to_the_recorded_fields_in_every_split() {
    for vector in vectors().into_iter().filter(|vector| vector.ok) {
        let bytes = vector.bytes();
        in_every_split(&bytes, |decoded| {
            let name = &vector.name;
            assert_eq!(decoded.error, None, "{name}");
            assert_eq!(decoded.taken, bytes.len(), "{name}");
            assert_eq!(decoded.idle, !vector.partial, "{name}");
            assert_eq!(Some(describe(&bytes, &decoded, vector.partial)), vector.frame, "{name}");
        });
    }
}

#[test]
fn invalid_frames_are_refused_on_the_last_header_byte_in_every_split() {
    for vector in vectors().into_iter().filter(|vector| !vector.ok) {
        let name = &vector.name;
        let bytes = vector.bytes();
        let code = match vector.error.as_deref() {
            Some("frame_size") => ErrorCode::FRAME_SIZE_ERROR,
            Some("protocol") => ErrorCode::PROTOCOL_ERROR,
            other => panic!("{name}: unknown class {other:?}"),
        };
        in_every_split(&bytes, |decoded| {
            assert_eq!(decoded.error.map(|error| error.code()), Some(code), "{name}");
            assert_eq!((decoded.items.len(), decoded.body.len()), (0, 0), "{name}");
        });
        assert_eq!(decode(bytes.chunks(1)).taken, HEADER_LEN - 1, "{name}");
        assert_eq!(decode([&bytes[..HEADER_LEN]]).error.map(|error| error.code()), Some(code), "{name}");
    }
}

#[test]
fn w03_frames_that_go_can_send_encode_to_the_same_bytes() {
    let mut compared = 0;
    for vector in vectors() {
        // Go has no way to pack a frame of unknown kind, so those are not marked.
        let unknown = vector.frame.as_ref().is_some_and(|frame| frame.r#type == "UNKNOWN");
        if let Some(frame) = vector.frame.as_ref().filter(|_| vector.go_encodes_the_same || unknown) {
            assert_eq!(hex(&encode(frame)), vector.hex, "{}", vector.name);
            compared += 1;
        }
    }
    assert_eq!(compared, 56 + 34);
}
