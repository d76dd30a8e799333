//! What the fuzz targets start from: the frame vectors, the recorded sessions and the rows of the catalogue, each in the
//! form that its target reads.

use std::fs;
use std::path::Path;

use muxado_core::Side;
use muxado_testkit::{catalog, recordings, unhex};
use serde_json::Value;

/// Longer seeds are cut: a fuzzer learns nothing from the second kilobyte of a bulk transfer.
const MOST: usize = 2048;

/// Bytes that a peer sends, and to whom.
#[derive(Clone)]
struct Talk {
    name: String,
    to: Side,
    opens: usize,
    drains: bool,
    bytes: Vec<u8>,
}

/// The seeds of one target, by name.
pub(crate) fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    let talks = [frames(), sessions(), rows(), floods()].concat();
    match target {
        "decode" => talks.iter().map(|talk| (talk.name.clone(), [&[7, 9], talk.cut()].concat())).collect(),
        "roundtrip" => talks.iter().map(|talk| (talk.name.clone(), as_list(talk.cut()))).collect(),
        "session_bytes" => talks.iter().enumerate().flat_map(|(at, talk)| talk.for_session(at)).collect(),
        // Their inputs are choices, to which no bytes of a peer can be translated.
        "session_ops" | "two_node" => (0..64).map(choices).collect(),
        other => panic!("no seeds for {other}"),
    }
}

impl Talk {
    fn cut(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(MOST)]
    }

    /// Once without an application, and once with one that does different things from seed to seed.
    fn for_session(&self, at: usize) -> [(String, Vec<u8>); 2] {
        let opens = u8::try_from(self.opens.min(3)).unwrap() << 6;
        let setup = opens | u8::from(self.to == Side::Client);
        let at = u8::try_from(at % 251).unwrap();
        let way = if self.drains { 10 } else { at % 12 };
        let seed =
            |name: &str, knobs: [u8; 4]| (format!("{}_{name}", self.name), [&knobs[..], self.cut()].concat());
        [seed("alone", [setup, 5, 0, 0]), seed("used", [setup, 3 + at % 20, 1 + at, way])]
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Every frame of the frame vectors, allowed or not, behind the SYN of the stream they name.
fn frames() -> Vec<Talk> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../muxado-frame/tests/vectors/frames.json");
    let frame = |entry: &Value| Talk {
        name: format!("frame_{}", entry["name"].as_str().unwrap()),
        to: Side::Client,
        opens: 1,
        drains: false,
        bytes: unhex(entry["hex"].as_str().unwrap()),
    };
    read_json(&path).as_array().unwrap().iter().map(frame).collect()
}

/// Both directions of every recorded session.
fn sessions() -> Vec<Talk> {
    let both = recordings().into_iter().flat_map(|(name, recorded)| {
        let talk = |direction: &str, to, opens, bytes| Talk {
            name: format!("session_{name}_{direction}"),
            to,
            opens,
            drains: false,
            bytes,
        };
        [
            talk("client_to_server", Side::Server, 0, recorded.client),
            talk("server_to_client", Side::Client, 3, recorded.server),
        ]
    });
    both.filter(|talk| !talk.bytes.is_empty()).collect()
}

fn rows() -> Vec<Talk> {
    let rows = catalog::rows().into_iter();
    let talk = |row: catalog::Row| Talk {
        name: row.name.to_owned(),
        to: row.side,
        opens: row.opens,
        drains: row.drains,
        bytes: row.bytes(),
    };
    rows.map(talk).collect()
}

fn floods() -> Vec<Talk> {
    let floods = catalog::floods().into_iter();
    let talk = |flood: catalog::Flood| Talk {
        name: format!("flood_{}", flood.name),
        to: flood.side,
        opens: flood.opens,
        drains: flood.drains,
        bytes: flood.bytes(100),
    };
    floods.map(talk).collect()
}

/// Whole frames in the form that `roundtrip` reads: a byte that chooses the type, then the numbers, then the payload.
fn as_list(mut bytes: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let Some((body, rest)) = rest.split_at_checked(length) else { break };
        let (kind, flags, id) = (header[3] >> 4, header[3] & 0xF, &header[4..]);
        match (kind, body.split_at_checked(8)) {
            (1, _) => {
                let body = &body[..body.len().min(255)];
                list.extend([&[flags << 4 | 1], id, &[body.len() as u8], body].concat());
            }
            (0 | 2, _) => list.extend([&[kind], id, body].concat()),
            (3, Some((numbers, text))) => {
                let text = &text[..text.len().min(255)];
                list.extend([&[0x13], numbers, &[text.len() as u8], text].concat());
            }
            _ => {}
        }
        bytes = rest;
    }
    list
}

/// As good as random, of many lengths: even numbers make small bytes, of which most choices are made.
fn choices(number: u64) -> (String, Vec<u8>) {
    let mut state = number;
    let byte = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let byte = (state >> 56) as u8;
        if number % 2 == 0 { byte % 16 } else { byte }
    };
    (format!("choices_{number:02}"), (0..20 + number * number / 2).map(byte).collect())
}
