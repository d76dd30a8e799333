//! The recorded sessions, for tests that want a few of their frames. Those of the core judge whole ones.

use std::path::Path;

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
}

/// Reads the recording of a session by its name.
///
/// # Panics
/// If there is none, or it is not of the form that the recordings have.
#[must_use]
pub fn recorded(name: &str) -> Recorded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../muxado-core/tests/vectors/sessions");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    Recorded { client: bytes(&json["client_to_server"]), server: bytes(&json["server_to_client"]) }
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

/// A string of hexadecimal, or a list of such and of bytes that are repeated.
fn bytes(wire: &Value) -> Vec<u8> {
    match wire {
        Value::String(hex) => from_hex(hex),
        Value::Array(parts) => parts.iter().flat_map(bytes).collect(),
        part => {
            let count = part["count"].as_u64().unwrap() as usize;
            from_hex(part["repeat"].as_str().unwrap()).repeat(count)
        }
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
