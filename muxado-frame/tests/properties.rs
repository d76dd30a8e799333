//! What holds for all headers, all sequences of frames, all bytes and all ways to cut them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in what its tests share")]

use muxado_frame::{
    DecodeError, Decoder, ErrorCode, Flags, Header, Item, Kind, MAX_LENGTH, StreamId, data_header, go_away,
    rst, wndinc,
};
use proptest::{collection::vec, prelude::*};

/// A frame as its sender means it.
#[derive(Clone, Debug, PartialEq)]
enum Frame {
    Data { id: StreamId, flags: Flags, payload: Vec<u8> },
    Rst { id: StreamId, code: ErrorCode },
    WndInc { id: StreamId, increment: u32 },
    GoAway { last: Option<StreamId>, code: ErrorCode, debug: Vec<u8> },
    Unknown { header: Header, body: Vec<u8> },
}

impl Frame {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Data { id, flags, payload } => {
                [&data_header(*id, payload.len() as u32, *flags)[..], payload].concat()
            }
            Self::Rst { id, code } => rst(*id, *code).to_vec(),
            Self::WndInc { id, increment } => wndinc(*id, *increment).to_vec(),
            Self::GoAway { last, code, debug } => {
                [&go_away(*last, *code, debug.len() as u32)[..], debug].concat()
            }
            Self::Unknown { header, body } => [&header.encode()[..], body].concat(),
        }
    }

    /// What a decoder has to report for it.
    fn seen(&self) -> Seen {
        let (item, body) = match self.clone() {
            Self::Data { id, flags, payload } => {
                (Item::Data { id: id.get(), length: payload.len() as u32, flags }, payload)
            }
            Self::Rst { id, code } => (Item::Rst { id: id.get(), code, flags: Flags::NONE }, Vec::new()),
            Self::WndInc { id, increment } => {
                (Item::WndInc { id: id.get(), increment, flags: Flags::NONE }, Vec::new())
            }
            Self::GoAway { last, code, debug } => (
                Item::GoAway {
                    last: last.map_or(0, StreamId::get),
                    code,
                    debug_len: debug.len() as u32,
                    flags: Flags::NONE,
                },
                debug,
            ),
            Self::Unknown { header, body } => (Item::Unknown { header }, body),
        };
        Seen { item, body, complete: true }
    }
}

/// An item with all its body pieces joined.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    item: Item,
    body: Vec<u8>,
    /// Whether the body, if there is one, came to its last piece.
    complete: bool,
}

fn body_len(item: Item) -> u32 {
    match item {
        Item::Data { length, .. } => length,
        Item::GoAway { debug_len, .. } => debug_len,
        Item::Unknown { header } => header.length(),
        Item::Rst { .. } | Item::WndInc { .. } | Item::Body { .. } => 0,
    }
}

type Outcome = (Vec<Seen>, Result<bool, DecodeError>);

/// Feeds the pieces and checks each step; the end is whether it was idle, or the error.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new();
    let mut seen: Vec<Seen> = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let (taken, item) = match decoder.decode(piece) {
                Ok(step) => step,
                Err(error) => return (seen, Err(error)),
            };
            assert!(0 < taken && taken <= piece.len(), "it makes progress");
            match item {
                None => assert_eq!(taken, piece.len(), "it only stops early for an item"),
                Some(Item::Body { len, last }) => {
                    assert_eq!(len, taken, "a body piece is all that was taken");
                    let open = seen.last_mut().unwrap();
                    assert!(!open.complete);
                    open.body.extend(&piece[taken - len..taken]);
                    open.complete = last;
                }
                Some(item) => {
                    assert!(seen.last().is_none_or(|before| before.complete));
                    seen.push(Seen { item, body: Vec::new(), complete: body_len(item) == 0 });
                }
            }
            piece = &piece[taken..];
        }
    }
    (seen, Ok(decoder.is_idle()))
}

/// Cuts `bytes` into pieces of these sizes, again and again.
fn cut<'a>(mut bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, rest) = bytes.split_at_checked(size).unwrap_or((bytes, &[]));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fn id() -> impl Strategy<Value = StreamId> {
    prop_oneof![1..16_u32, 1..=StreamId::MAX.get(), Just(StreamId::MAX.get())]
        .prop_map(|id| StreamId::new(id).unwrap())
}

fn code() -> impl Strategy<Value = ErrorCode> {
    prop_oneof![0..20_u32, any::<u32>()].prop_map(ErrorCode::new)
}

fn flags() -> impl Strategy<Value = Flags> {
    (0..16_u8).prop_map(Flags::from_bits)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => vec(any::<u8>(), 0..24), 1 => vec(any::<u8>(), 0..600)]
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (id(), flags(), body()).prop_map(|(id, flags, payload)| Frame::Data { id, flags, payload }),
        (id(), code()).prop_map(|(id, code)| Frame::Rst { id, code }),
        (id(), 1..=0x7FFF_FFFF_u32).prop_map(|(id, increment)| Frame::WndInc { id, increment }),
        (proptest::option::of(id()), code(), body()).prop_map(|(last, code, debug)| Frame::GoAway {
            last,
            code,
            debug
        }),
        (4..16_u8, flags(), any::<u32>(), body()).prop_map(|(kind, flags, id, body)| {
            let header = Header::new(Kind::from_bits(kind), flags, body.len() as u32, id).unwrap();
            Frame::Unknown { header, body }
        }),
    ]
}

/// Bytes that get further than random ones: headers with short lengths and mostly sound ids among noise.
fn almost_frames() -> impl Strategy<Value = Vec<u8>> {
    let header = (0..5_u8, flags(), prop_oneof![Just(4), Just(8), 0..12_u32], 0..4_u32).prop_map(
        |(kind, flags, length, id)| {
            let id = if kind == 3 { id / 3 } else { id };
            Header::new(Kind::from_bits(kind), flags, length, id).unwrap().encode().to_vec()
        },
    );
    let part = prop_oneof![
        4 => frame().prop_map(|frame| frame.encode()),
        2 => header,
        1 => vec(any::<u8>(), 0..12),
    ];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![3 => 1..20_usize, 1 => 1..400_usize], 1..12)
}

proptest! {
    #[test]
    fn every_eight_bytes_survive_as_a_header(bytes: [u8; 8]) {
        prop_assert_eq!(Header::decode(bytes).encode(), bytes);
    }

    #[test]
    fn every_header_survives_as_bytes(kind: u8, flags: u8, length in 0..=MAX_LENGTH, stream_id: u32) {
        let (kind, flags) = (Kind::from_bits(kind), Flags::from_bits(flags));
        let header = Header::new(kind, flags, length, stream_id).unwrap();
        prop_assert_eq!(Header::decode(header.encode()), header);
        prop_assert_eq!(
            (header.kind(), header.flags(), header.length(), header.stream_id()),
            (kind, flags, length, stream_id)
        );
    }

    #[test]
    fn lengths_above_24_bits_make_no_header(length in MAX_LENGTH + 1..) {
        prop_assert_eq!(Header::new(Kind::Data, Flags::NONE, length, 3), None);
    }

    #[test]
    fn s18_frames_decode_to_what_was_sent_however_they_are_cut(frames in vec(frame(), 0..8), sizes in sizes()) {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        let expected: Outcome = (frames.iter().map(Frame::seen).collect(), Ok(true));
        prop_assert_eq!(&decode([&bytes[..]]), &expected);
        prop_assert_eq!(&decode(bytes.chunks(1)), &expected);
        prop_assert_eq!(&decode(cut(&bytes, &sizes)), &expected);
    }

    #[test]
    fn s18_any_bytes_end_the_same_however_they_are_cut(bytes in almost_frames(), sizes in sizes()) {
        let whole = decode([&bytes[..]]);
        prop_assert_eq!(&decode(bytes.chunks(1)), &whole);
        prop_assert_eq!(&decode(cut(&bytes, &sizes)), &whole);
    }

    #[test]
    fn s05_a_session_that_ends_inside_a_frame_is_not_idle(frames in vec(frame(), 1..4), at: prop::sample::Index) {
        let ends: Vec<usize> = frames
            .iter()
            .scan(0, |end, frame| {
                *end += frame.encode().len();
                Some(*end)
            })
            .collect();
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        let cut = at.index(bytes.len() + 1);
        prop_assert_eq!(decode([&bytes[..cut]]).1, Ok(cut == 0 || ends.contains(&cut)));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..4096), sizes in sizes()) {
        prop_assert_eq!(decode(cut(&bytes, &sizes)), decode([&bytes[..]]));
    }
}
