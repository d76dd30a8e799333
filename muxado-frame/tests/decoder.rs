//! What the decoder takes, reports and refuses, call by call.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in what its tests share")]

use muxado_frame::{
    DecodeError, Decoder, ErrorCode, Flags, Header, Item, Kind, MAX_LENGTH, Side, StreamId, data_header,
    go_away, rst, wndinc,
};

fn id() -> StreamId {
    StreamId::first(Side::Client)
}

/// A header with any of its fields wrong.
fn header(kind: u8, length: u32, stream_id: u32) -> [u8; 8] {
    Header::new(Kind::from_bits(kind), Flags::NONE, length, stream_id).unwrap().encode()
}

#[test]
fn s12_to_s17_a_header_with_a_fault_is_refused_before_its_body() {
    let size = |kind, length| DecodeError::FrameSize { kind, length };
    let zero = |kind| DecodeError::ZeroStreamId { kind };
    let table = [
        (header(0, 0, 3), size(Kind::Rst, 0)),
        (header(0, 3, 3), size(Kind::Rst, 3)),
        (header(0, 5, 3), size(Kind::Rst, 5)),
        (header(0, MAX_LENGTH, 3), size(Kind::Rst, MAX_LENGTH)),
        (header(2, 3, 3), size(Kind::WndInc, 3)),
        (header(2, 5, 3), size(Kind::WndInc, 5)),
        (header(3, 0, 0), size(Kind::GoAway, 0)),
        (header(3, 7, 0), size(Kind::GoAway, 7)),
        (header(0, 4, 0), zero(Kind::Rst)),
        (header(1, 0, 0), zero(Kind::Data)),
        (header(1, MAX_LENGTH, 0), zero(Kind::Data)),
        (header(2, 4, 0), zero(Kind::WndInc)),
        (header(3, 8, 1), DecodeError::NonZeroStreamId { id: 1 }),
        (header(3, 8, 0x8000_0000), DecodeError::NonZeroStreamId { id: 0x8000_0000 }),
    ];
    for (bytes, error) in table {
        assert_eq!(Decoder::new().decode(&bytes), Err(error));
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&bytes[..7]), Ok((7, None)));
        assert_eq!(decoder.decode(&bytes[7..]), Err(error));
    }
}

#[test]
fn with_two_faults_the_length_counts() {
    for (bytes, kind, length) in [
        (header(0, 3, 0), Kind::Rst, 3),
        (header(2, 0, 0), Kind::WndInc, 0),
        (header(3, 7, 3), Kind::GoAway, 7),
    ] {
        assert_eq!(Decoder::new().decode(&bytes), Err(DecodeError::FrameSize { kind, length }));
    }
}

#[test]
fn an_increment_without_its_low_31_bits_is_refused_when_it_is_complete() {
    for increment in [[0, 0, 0, 0], [0x80, 0, 0, 0]] {
        let bytes = [&header(2, 4, 7)[..], &increment].concat();
        assert_eq!(Decoder::new().decode(&bytes), Err(DecodeError::ZeroIncrement { id: 7 }));
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&bytes[..11]), Ok((11, None)));
        assert_eq!(decoder.decode(&bytes[11..]), Err(DecodeError::ZeroIncrement { id: 7 }));
    }
}

#[test]
fn the_reserved_bit_of_an_increment_is_ignored() {
    let bytes = [&header(2, 4, 7)[..], &[0x80, 0, 0, 1]].concat();
    assert_eq!(
        Decoder::new().decode(&bytes),
        Ok((12, Some(Item::WndInc { id: 7, increment: 1, flags: Flags::NONE })))
    );
}

#[test]
fn s11_the_reserved_bit_of_a_stream_id_is_reported() {
    let raw = 0x8000_0003;
    let data = Item::Data { id: raw, length: 0, flags: Flags::NONE };
    assert_eq!(Decoder::new().decode(&header(1, 0, raw)), Ok((8, Some(data))));
    let bytes = [&header(0, 4, raw)[..], &[0, 0, 0, 7]].concat();
    let rst = Item::Rst { id: raw, code: ErrorCode::STREAM_RESET, flags: Flags::NONE };
    assert_eq!(Decoder::new().decode(&bytes), Ok((12, Some(rst))));
}

#[test]
fn it_stays_failed_whatever_comes() {
    let mut decoder = Decoder::new();
    let error = DecodeError::ZeroStreamId { kind: Kind::Data };
    assert_eq!(decoder.decode(&header(1, 5, 0)), Err(error));
    for input in [&b""[..], b"hello", &data_header(id(), 0, Flags::FIN)] {
        assert_eq!(decoder.decode(input), Err(error));
        assert!(!decoder.is_idle());
    }
}

#[test]
fn one_call_ends_with_the_item_however_much_follows() {
    let frames: [(&[u8], usize); 5] = [
        (&data_header(id(), 0, Flags::SYN), 8),
        (&data_header(id(), 5, Flags::SYN), 8),
        (&rst(id(), ErrorCode::NO_ERROR), 12),
        (&wndinc(id(), 1), 12),
        (&go_away(None, ErrorCode::NO_ERROR, 9), 16),
    ];
    for (frame, len) in frames {
        let bytes = [frame, &[0xAA; 40]].concat();
        for cut in 0..len {
            let mut decoder = Decoder::new();
            assert_eq!(decoder.decode(&bytes[..cut]), Ok((cut, None)));
            assert_eq!(decoder.is_idle(), cut == 0);
            let (taken, item) = decoder.decode(&bytes[cut..]).unwrap();
            assert_eq!(cut + taken, len);
            assert!(item.is_some());
        }
    }
}

#[test]
fn empty_input_changes_nothing() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&[]), Ok((0, None)));
    assert!(decoder.is_idle());

    let header = data_header(id(), 2, Flags::NONE);
    decoder.decode(&header[..3]).unwrap();
    assert_eq!(decoder.decode(&[]), Ok((0, None)));
    let data = Item::Data { id: 3, length: 2, flags: Flags::NONE };
    assert_eq!(decoder.decode(&header[3..]), Ok((5, Some(data))));
    assert_eq!(decoder.decode(&[]), Ok((0, None)), "inside a body");
    assert_eq!(decoder.decode(b"ab"), Ok((2, Some(Item::Body { len: 2, last: true }))));
}

#[test]
fn s07_a_body_comes_in_the_pieces_of_the_input_and_ends_at_its_length() {
    let starts: [&[u8]; 3] =
        [&data_header(id(), 5, Flags::FIN), &go_away(None, ErrorCode::NO_ERROR, 5), &header(9, 5, 0)];
    for start in starts {
        let mut decoder = Decoder::new();
        decoder.decode(start).unwrap();
        assert!(!decoder.is_idle());
        assert_eq!(decoder.decode(b"he"), Ok((2, Some(Item::Body { len: 2, last: false }))));
        assert!(!decoder.is_idle());
        assert_eq!(decoder.decode(b"llo world"), Ok((3, Some(Item::Body { len: 3, last: true }))));
        assert!(decoder.is_idle());
    }
}

#[test]
fn frames_without_a_body_leave_it_idle() {
    let frames: [&[u8]; 5] = [
        &data_header(id(), 0, Flags::FIN),
        &header(4, 0, 0),
        &rst(id(), ErrorCode::NO_ERROR),
        &wndinc(id(), 1),
        &go_away(Some(id()), ErrorCode::NO_ERROR, 0),
    ];
    for frame in frames {
        let mut decoder = Decoder::new();
        let (taken, item) = decoder.decode(frame).unwrap();
        assert_eq!(taken, frame.len());
        assert!(item.is_some());
        assert!(decoder.is_idle());
    }
}

#[test]
fn b02_the_longest_frame_passes_through_a_decoder_of_a_few_words() {
    assert!(size_of::<Decoder>() <= 32, "sixteen bytes and what they are: {}", size_of::<Decoder>());
    let piece = vec![0x5A; 65_536];
    let starts: [(&[u8], u32); 3] = [
        (&data_header(id(), MAX_LENGTH, Flags::NONE), MAX_LENGTH),
        (&go_away(None, ErrorCode::NO_ERROR, MAX_LENGTH - 8), MAX_LENGTH - 8),
        (&header(15, MAX_LENGTH, u32::MAX), MAX_LENGTH),
    ];
    for (start, length) in starts {
        let mut decoder = Decoder::new();
        decoder.decode(start).unwrap();
        let mut left = length as usize;
        while left > 0 {
            let len = left.min(piece.len());
            left -= len;
            assert_eq!(decoder.decode(&piece), Ok((len, Some(Item::Body { len, last: left == 0 }))));
        }
        assert!(decoder.is_idle());
    }
}
