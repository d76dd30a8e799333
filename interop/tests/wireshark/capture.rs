//! Captures in the format of libpcap: what two sides said, in the segments of TCP connections, cut, doubled and mixed up
//! as wanted. Ethernet and IPv4 are as plain as they may be, check sums are left at 0, which tshark does not look at.

use std::fs;
use std::path::Path;

use muxado_tokio::core::Side;

/// The port of every server: one that tshark knows no protocol for.
pub(crate) const SERVER_PORT: u16 = 47_100;

/// Segments come one after the other in this many microseconds.
const STEP: u32 = 100;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// What one side said at once.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) from: Side,
    pub(crate) bytes: Vec<u8>,
}

/// One TCP connection, from its first segment to its last.
#[derive(Debug)]
pub(crate) struct Connection {
    port: u16,
    segments: Vec<Segment>,
    /// Of each packet so much is captured at the most.
    captured: usize,
}

#[derive(Clone, Debug)]
struct Segment {
    from: Side,
    flags: u8,
    /// The number of the first byte, and the one expected of the other side.
    sequence: u32,
    ack: u32,
    bytes: Vec<u8>,
}

impl Connection {
    /// The client's port tells connections of one capture apart. No segment has more than `piece` bytes.
    pub(crate) fn new(port: u16, turns: &[Turn], piece: usize) -> Connection {
        let mut connection = Connection { port, segments: Vec::new(), captured: usize::MAX };
        let mut next = [u32::MAX - 500, 2000];
        connection.push(&mut next, Side::Client, SYN, &[]);
        connection.push(&mut next, Side::Server, SYN | ACK, &[]);
        connection.push(&mut next, Side::Client, ACK, &[]);
        for turn in turns {
            for bytes in turn.bytes.chunks(piece) {
                connection.push(&mut next, turn.from, PSH | ACK, bytes);
            }
        }
        connection.push(&mut next, Side::Client, FIN | ACK, &[]);
        connection.push(&mut next, Side::Server, FIN | ACK, &[]);
        connection
    }

    fn push(&mut self, next: &mut [u32; 2], from: Side, flags: u8, bytes: &[u8]) {
        let own = usize::from(from == Side::Server);
        let ack = if flags & ACK == 0 { 0 } else { next[1 - own] };
        let sequence = next[own];
        self.segments.push(Segment { from, flags, sequence, ack, bytes: bytes.to_vec() });
        let numbered = bytes.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        next[own] = sequence.wrapping_add(numbered);
    }

    /// No more of a packet is captured than this many bytes, headers included.
    pub(crate) fn captured_up_to(mut self, bytes: usize) -> Connection {
        self.captured = bytes;
        self
    }

    /// Every `n`th segment comes once more, after its successor.
    pub(crate) fn repeating(mut self, n: usize) -> Connection {
        let last = self.segments.len() - 2;
        for at in (4..last).rev().step_by(n) {
            let again = self.segments[at - 1].clone();
            self.segments.insert(at + 1, again);
        }
        self
    }

    /// Every `n`th segment comes before its predecessor, if both are of the same side.
    pub(crate) fn swapping(mut self, n: usize) -> Connection {
        let last = self.segments.len() - 2;
        for at in (4..last).step_by(n) {
            if self.segments[at - 1].from == self.segments[at].from {
                self.segments.swap(at - 1, at);
            }
        }
        self
    }
}

/// Writes a capture of these connections, one after the other.
pub(crate) fn write(path: &Path, connections: &[Connection]) {
    let mut file = Vec::new();
    file.extend_from_slice(&0xA1B2_C3D4_u32.to_le_bytes());
    for half in [2_u16, 4] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    // Time zone, accuracy, longest packet, Ethernet.
    for word in [0_u32, 0, 0x4_0000, 1] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let mut now = 0;
    for connection in connections {
        for segment in &connection.segments {
            let packet = segment.packet(connection.port);
            let captured = &packet[..packet.len().min(connection.captured)];
            for word in [now / 1_000_000, now % 1_000_000, captured.len() as u32, packet.len() as u32] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            file.extend_from_slice(captured);
            now += STEP;
        }
    }
    fs::write(path, file).unwrap();
}

impl Segment {
    fn packet(&self, client_port: u16) -> Vec<u8> {
        let ends = [([10, 0, 0, 1], client_port), ([10, 0, 0, 2], SERVER_PORT)];
        let (source, target) = match self.from {
            Side::Client => (ends[0], ends[1]),
            Side::Server => (ends[1], ends[0]),
        };
        let mut packet = Vec::new();
        for end in [target, source] {
            packet.extend_from_slice(&[2, 0, 0, 0, 0, end.0[3]]);
        }
        packet.extend_from_slice(&[0x08, 0x00, 0x45, 0]);
        packet.extend_from_slice(&u16::try_from(40 + self.bytes.len()).unwrap().to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 64, 6, 0, 0]);
        packet.extend_from_slice(&source.0);
        packet.extend_from_slice(&target.0);
        packet.extend_from_slice(&source.1.to_be_bytes());
        packet.extend_from_slice(&target.1.to_be_bytes());
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.ack.to_be_bytes());
        packet.extend_from_slice(&[0x50, self.flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        packet.extend_from_slice(&self.bytes);
        packet
    }
}
