//! The recorded sessions cut off at every byte: an end of stream is clean only if its FIN had come whole.

use std::collections::{BTreeMap, BTreeSet};

use muxado_frame::Side;

use crate::app::{Cut, Feed, play};
use crate::recording::{Frame, Party, kind};
use crate::report::{End, Report};

/// Directions up to this size are cut at every byte.
const EVERY_BYTE: usize = 64 * 1024;

/// How many more cuts a longer direction gets, spread evenly.
const SPREAD: usize = 2000;

/// How far around the end of each of its frames it is cut at every byte: a header and one more.
const AROUND: usize = 9;

fn cuts(frames: &[Frame], len: usize) -> BTreeSet<usize> {
    if len <= EVERY_BYTE {
        return (0..=len).collect();
    }
    let near = |at: usize| at.saturating_sub(AROUND)..=len.min(at + AROUND);
    let ends = frames.iter().flat_map(|frame| near(frame.at.end));
    near(0).chain(ends).chain((0..=SPREAD).map(|nth| len * nth / SPREAD)).collect()
}

/// What a direction carries for one stream.
#[derive(Debug, Default)]
struct Carried {
    payload: Vec<u8>,
    /// Where the first FIN frame ends.
    fin: Option<usize>,
}

fn carried(party: &Party) -> BTreeMap<u32, Carried> {
    let mut streams: BTreeMap<u32, Carried> = BTreeMap::new();
    for frame in party.frames.iter().chain(&party.torn).filter(|frame| frame.kind == kind::DATA) {
        let stream = streams.entry(frame.id).or_default();
        stream.payload.extend_from_slice(&frame.body);
        if frame.fin {
            stream.fin.get_or_insert(frame.at.end);
        }
    }
    streams
}

fn cut_everywhere(failure: bool) {
    let mut clean_ends = 0;
    for recording in crate::recording::all() {
        for side in [Side::Client, Side::Server] {
            let peer = recording.party(side.peer());
            let carried = carried(peer);
            for at in cuts(&peer.frames, peer.bytes.len()) {
                let feed = if at % 2 == 0 { Feed::Shared } else { Feed::Whole };
                let report = play(&recording, side, feed, Some(Cut { at, failure }));
                let place = format!("{}, {side}, cut at {at}", recording.name);
                clean_ends += check(&place, at, &report, &carried);
            }
        }
    }
    assert!(clean_ends > 0, "no stream ever ended: the recordings had nothing to cut");
}

/// Says how many streams came to a clean end.
fn check(place: &str, at: usize, report: &Report, carried: &BTreeMap<u32, Carried>) -> usize {
    assert!(report.end.is_some(), "{place}: the session goes on");
    let mut clean_ends = 0;
    for held in &report.streams {
        let (payload, fin) = match carried.get(&held.id) {
            Some(stream) => (&stream.payload[..], stream.fin),
            None => (&[][..], None),
        };
        assert!(payload.starts_with(&held.read), "{place}: stream {} reads what was not sent", held.id);
        if held.end == Some(End::Eof) {
            assert!(fin.is_some_and(|end| end <= at), "{place}: stream {} ends without its FIN", held.id);
            clean_ends += 1;
        }
    }
    clean_ends
}

#[test]
fn f20_an_end_at_any_byte_is_no_clean_end_of_a_stream() {
    cut_everywhere(false);
}

#[test]
fn f21_a_failure_at_any_byte_is_no_clean_end_of_a_stream() {
    cut_everywhere(true);
}
