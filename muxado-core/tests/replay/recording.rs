//! A recorded session: the JSON as it is, and the frames that are cut out of its bytes.
//!
//! Fields that no test looks at are ignored, so that recordings of the same form with more in them can be read too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use muxado_frame::Side;
use muxado_testkit::expand;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names another folder of recordings.
pub(crate) const FOLDER: &str = "MUXADO_VECTORS";

#[derive(Debug, Deserialize)]
struct Json {
    name: String,
    client: String,
    server: String,
    config: BySide<Option<Limits>>,
    client_app: Vec<Call>,
    server_app: Vec<Call>,
    client_to_server: Value,
    server_to_client: Value,
    client_to_server_len: usize,
    server_to_client_len: usize,
    client_to_server_sha256: String,
    server_to_client_sha256: String,
    timeline: String,
    transport_end: TransportEnd,
    outcome: BySide<Option<Outcome>>,
}

#[derive(Debug, Deserialize)]
struct BySide<T> {
    client: T,
    server: T,
}

/// The settings of one side. Each implementation has its own words for them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Limits {
    #[serde(alias = "max_window_size", alias = "window_size")]
    pub(crate) window: Option<u32>,
    #[serde(alias = "accept_backlog", alias = "accept_queue_size")]
    pub(crate) backlog: Option<usize>,
    #[serde(alias = "stream_limit")]
    pub(crate) streams: Option<usize>,
}

/// What an application did, and what it got.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) op: String,
    pub(crate) stream: Option<u32>,
    pub(crate) stream_type: Option<u32>,
    #[serde(default)]
    pub(crate) len: usize,
    pub(crate) error: Option<Failure>,
}

impl Call {
    pub(crate) fn is(&self, ops: &[&str]) -> bool {
        ops.contains(&self.op.as_str())
    }
}

/// A recorded error. Time limits of the recorder have no code.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Outcome {
    #[serde(default)]
    pub(crate) streams: BTreeMap<String, StreamOutcome>,
    #[serde(default)]
    pub(crate) session: SessionOutcome,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StreamOutcome {
    pub(crate) read_len: usize,
    pub(crate) read_sha256: String,
    pub(crate) read_end: ReadEnd,
    pub(crate) write_error: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ReadEnd {
    Words(String),
    Error(Failure),
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SessionOutcome {
    pub(crate) local_error: Option<Failure>,
    pub(crate) remote_error: Option<Failure>,
    pub(crate) remote_debug_hex: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TransportEnd {
    client_to_server: String,
    server_to_client: String,
}

/// The kinds of frames (docs/protocol.md, "Frame").
pub(crate) mod kind {
    pub(crate) const RST: u8 = 0;
    pub(crate) const DATA: u8 = 1;
    pub(crate) const WNDINC: u8 = 2;
    pub(crate) const GOAWAY: u8 = 3;
}

/// A frame of a recording. Its header is read here and not by the decoder under test.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) fin: bool,
    pub(crate) syn: bool,
    pub(crate) id: u32,
    /// Where it stands among the bytes of its direction.
    pub(crate) at: Range<usize>,
    pub(crate) body: Bytes,
}

impl Frame {
    /// The number at `offset` of the body, 0 if the body ends before.
    pub(crate) fn number(&self, offset: usize) -> u32 {
        self.body.get(offset..offset + 4).map_or(0, number)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The frames of a direction, in order, and the one that it ends inside of.
pub(crate) fn frames(bytes: &Bytes) -> (Vec<Frame>, Option<Frame>) {
    let mut frames = Vec::new();
    let mut start = 0;
    while let Some(header) = bytes.get(start..start + 8) {
        let length = usize::try_from(number(&header[..3])).unwrap();
        let end = start + 8 + length;
        let (kind, flags) = (header[3] >> 4, header[3] & 0xF);
        let frame = Frame {
            kind,
            fin: kind == kind::DATA && flags & 1 != 0,
            syn: kind == kind::DATA && flags & 2 != 0,
            id: number(&header[4..]),
            at: start..end,
            body: bytes.slice(start + 8..end.min(bytes.len())),
        };
        if end > bytes.len() {
            return (frames, Some(frame));
        }
        frames.push(frame);
        start = end;
    }
    (frames, None)
}

/// What one side sent, did and got.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) implementation: String,
    pub(crate) limits: Option<Limits>,
    pub(crate) calls: Vec<Call>,
    pub(crate) bytes: Bytes,
    pub(crate) frames: Vec<Frame>,
    /// What came of the frame that was not sent to its end.
    pub(crate) torn: Option<Frame>,
    /// Its direction of the transport ended with a reset, not with an end of file.
    pub(crate) reset: bool,
    pub(crate) outcome: Outcome,
}

impl Party {
    /// Whether the recording says nothing of what its application saw stream by stream: there was none, or it
    /// only kept a heartbeat.
    pub(crate) fn is_silent(&self) -> bool {
        self.implementation == "raw" || self.calls.iter().any(|call| call.op.starts_with("heartbeat"))
    }
}

/// One recorded session.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) name: String,
    client: Party,
    server: Party,
    /// Whose frames went over the wire, and how many of them before the other's.
    pub(crate) timeline: Vec<(Side, usize)>,
}

impl Recording {
    pub(crate) fn party(&self, side: Side) -> &Party {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    fn read(path: &Path) -> Recording {
        let text = std::fs::read_to_string(path).unwrap();
        let json: Json =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let to_server = Bytes::from(expand(&json.client_to_server));
        let to_client = Bytes::from(expand(&json.server_to_client));
        assert_eq!(
            (to_server.len(), sha256(&to_server)),
            (json.client_to_server_len, json.client_to_server_sha256),
            "{}: the client's bytes",
            json.name
        );
        assert_eq!(
            (to_client.len(), sha256(&to_client)),
            (json.server_to_client_len, json.server_to_client_sha256),
            "{}: the server's bytes",
            json.name
        );
        let party = |implementation, limits, calls, bytes, end: String, outcome: Option<Outcome>| {
            let ((frames, torn), outcome) = (frames(&bytes), outcome.unwrap_or_default());
            Party { implementation, limits, calls, bytes, frames, torn, reset: end == "reset", outcome }
        };
        let ends = json.transport_end;
        let recording = Recording {
            client: party(
                json.client,
                json.config.client,
                json.client_app,
                to_server,
                ends.client_to_server,
                json.outcome.client,
            ),
            server: party(
                json.server,
                json.config.server,
                json.server_app,
                to_client,
                ends.server_to_client,
                json.outcome.server,
            ),
            timeline: json.timeline.split_whitespace().map(run).collect(),
            name: json.name,
        };
        for side in [Side::Client, Side::Server] {
            let runs = recording.timeline.iter().filter(|(whose, _)| *whose == side);
            let in_timeline: usize = runs.map(|(_, count)| count).sum();
            assert_eq!(in_timeline, recording.party(side).frames.len(), "{}: timeline", recording.name);
        }
        recording
    }
}

fn run(token: &str) -> (Side, usize) {
    let side = match &token[..1] {
        "c" => Side::Client,
        "s" => Side::Server,
        other => panic!("{other} is no side"),
    };
    (side, token[1..].parse().unwrap())
}

/// Every recording of the folder, in the order of their names.
pub(crate) fn all() -> Vec<Recording> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sessions");
    let folder = std::env::var_os(FOLDER).map_or_else(own, PathBuf::from);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no recordings in {}", folder.display());
    paths.iter().map(|path| Recording::read(path)).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
