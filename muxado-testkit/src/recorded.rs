//! The recorded sessions, for tests that want a few of their frames. Those of the core judge whole ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use muxado_frame::Side;
use serde_json::Value;

use crate::wire;

/// What each side of a recorded session sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// What the client sent.
    pub client: Vec<u8>,
    /// What the server sent.
    pub server: Vec<u8>,
    /// Who sent how many whole frames, in turn.
    pub turns: Vec<(Side, usize)>,
}

/// Reads the recording of a session by its name.
///
/// # Panics
/// If there is none, or it is not of the form that the recordings have.
#[must_use]
pub fn recorded(name: &str) -> Recorded {
    read(&folder().join(format!("{name}.json")))
}

/// All recordings, by name.
///
/// # Panics
/// As [`recorded`].
#[must_use]
pub fn recordings() -> BTreeMap<String, Recorded> {
    let paths = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../muxado-core/tests/vectors/sessions")
}

fn read(path: &Path) -> Recorded {
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Recorded {
        client: expand(&json["client_to_server"]),
        server: expand(&json["server_to_client"]),
        turns: json["timeline"].as_str().unwrap().split_whitespace().map(turn).collect(),
    }
}

/// `c2` is two frames of the client's.
fn turn(text: &str) -> (Side, usize) {
    let (who, frames) = text.split_at(1);
    let side = if who == "c" { Side::Client } else { Side::Server };
    (side, frames.parse().unwrap())
}

/// The frames of one stream, one after the other.
#[must_use]
pub fn frames_of(stream: u32, mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((header, _)) = bytes.split_first_chunk::<8>() {
        let len = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let (frame, rest) = bytes.split_at(header.len() + len);
        if header[4..] == stream.to_be_bytes() {
            frames.push(frame.to_vec());
        }
        bytes = rest;
    }
    frames
}

/// What the DATA frames of one stream carry.
#[must_use]
pub fn payload_of(stream: u32, bytes: &[u8]) -> Vec<u8> {
    let frames = frames_of(stream, bytes);
    let data = frames.iter().filter(|frame| frame[3] >> 4 == wire::DATA);
    data.flat_map(|frame| &frame[8..]).copied().collect()
}

/// The bytes of one direction, as a recording writes them: hexadecimal, or a list of that and of repeats.
///
/// # Panics
/// If they are anything else.
#[must_use]
pub fn expand(wire: &Value) -> Vec<u8> {
    match wire {
        Value::String(hex) => unhex(hex),
        Value::Array(parts) => parts.iter().flat_map(expand).collect(),
        part => expand(&part["repeat"]).repeat(part["count"].as_u64().unwrap() as usize),
    }
}

/// The bytes that hexadecimal digits stand for.
///
/// # Panics
/// If there are others, or their number is odd.
#[must_use]
pub fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0, "odd number of hex digits");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
