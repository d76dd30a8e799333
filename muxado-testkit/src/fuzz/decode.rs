//! The target `decode`: any bytes, split anywhere, are read as section 2 of docs/protocol.md says.

use muxado_frame::Decoder;

use super::naive::{self, End, Frame};
use super::source::Dice;
use muxado_frame::Item;

/// The first two bytes choose how the rest is split; the rest is decoded whole, so split, and byte by byte.
///
/// # Panics
/// If the split matters, the result is not that of the naive reading, or a step makes no progress.
pub fn decode(data: &[u8]) {
    let Some(([seed, most], bytes)) = data.split_first_chunk() else { return };
    let (frames, end) = naive::frames(bytes);
    let expected = (frames.into_iter().map(Frame::reported).collect(), end);
    let mut dice = Dice::new(u64::from(*seed));
    let random = || 1 + dice.below(1 + usize::from(*most));
    assert_eq!(decode_cut(bytes, || usize::MAX), expected, "whole");
    assert_eq!(decode_cut(bytes, random), expected, "split");
    assert_eq!(decode_cut(bytes, || 1), expected, "byte by byte");
}

/// What a decoder finds in `bytes` that come in pieces of these sizes.
pub(super) fn decode_cut(bytes: &[u8], mut size: impl FnMut() -> usize) -> (Vec<Frame>, End) {
    let mut decoder = Decoder::new();
    let mut found: Vec<Frame> = Vec::new();
    let mut missing = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (mut piece, after) = rest.split_at(size().min(rest.len()));
        while !piece.is_empty() {
            let (taken, item) = match decoder.decode(piece) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(decoder.decode(piece), Err(error), "it stays failed");
                    assert!(!decoder.is_idle(), "it stays failed");
                    return (found, End::of(Err(error)));
                }
            };
            assert!(0 < taken && taken <= piece.len(), "{taken} of {} bytes taken", piece.len());
            match item {
                None => assert_eq!(taken, piece.len(), "it stopped early for nothing"),
                Some(Item::Body { len, last }) => {
                    assert_eq!(len, taken, "a piece of a body is all that was taken");
                    assert!(len <= missing, "{len} bytes of body where {missing} were announced");
                    missing -= len;
                    assert_eq!(last, missing == 0, "the last piece is the one that completes the body");
                    let Some(frame) = found.last_mut() else { break };
                    frame.body.extend_from_slice(&piece[..taken]);
                }
                Some(item) => {
                    assert_eq!(missing, 0, "{item:?} within a body");
                    let frame = Frame::of(item);
                    missing = frame.length - frame.body.len();
                    found.push(frame);
                }
            }
            assert_eq!(decoder.decode(&[]), Ok((0, None)), "nothing comes of nothing");
            piece = &piece[taken..];
        }
        rest = after;
    }
    (found, End::of(Ok(decoder.is_idle())))
}
