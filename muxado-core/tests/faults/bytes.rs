//! What the peer sends, spoiled at every single byte: on the machine alone, and through the driver.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use muxado_core::proto::StreamKey;
use muxado_core::{Config, EndCause, Side};
use muxado_testkit::{Ending, Peer, wire};

use crate::app::{Running, Told, ensure, judge, written};
use crate::recording::{Frame, Recording, all, kind};

/// A direction up to this size is spoiled at every byte.
const SHORT: usize = 400;

/// A longer one at this many bytes of its beginning, and around the ends of so many frames.
const PREFIX: usize = 120;
const FRAMES: usize = 12;

/// How far around the end of a frame: its header, and one more.
const AROUND: usize = 9;

/// What happens at one byte of what the peer sends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    End,
    Failure,
    Stall,
    Flip(u8),
    Delete,
    Double,
    Insert,
    /// Eight bytes more, as one existing peer reads behind a GOAWAY.
    InsertEight(u8),
}

use Fault::{Delete, Double, End, Failure, Flip, Insert, InsertEight, Stall};

impl Fault {
    /// What arrives.
    fn spoil(self, bytes: &[u8], at: usize) -> Vec<u8> {
        let (before, rest) = bytes.split_at(at);
        let Some((byte, after)) = rest.split_first() else { return before.to_vec() };
        match self {
            End | Failure | Stall => before.to_vec(),
            Flip(mask) => [before, &[byte ^ mask], after].concat(),
            Delete => [before, after].concat(),
            Double => [before, &[*byte], rest].concat(),
            Insert => [before, &[0x2A], rest].concat(),
            InsertEight(filler) => [before, &[filler; 8], rest].concat(),
        }
    }
}

/// Where a direction is spoiled.
fn places(recording: &Recording, side: Side) -> Vec<usize> {
    let party = recording.party(side);
    let len = beginning(recording, side).len();
    if len <= SHORT {
        return (0..=len).collect();
    }
    let ends = party.frames.iter().take(FRAMES).map(|frame| frame.at.end);
    let near =
        ends.filter(|end| *end <= len).flat_map(|end| end.saturating_sub(AROUND)..=len.min(end + AROUND));
    let mut places: Vec<usize> = (0..PREFIX).chain(near).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn everywhere(
    recordings: &[Recording],
    faults: &[Fault],
    play: impl Fn(&Spoiled<'_>, Fault, usize) -> Result<(), String>,
) {
    for recording in recordings {
        for side in [Side::Client, Side::Server] {
            let bytes = beginning(recording, side.peer());
            let short = |payload: Vec<u8>| payload[..payload.len().min(1000)].to_vec();
            let writes = written(recording, side).into_iter().map(short).collect();
            let spoiled = Spoiled { recording, side, bytes, writes };
            for at in places(recording, side.peer()) {
                for fault in faults {
                    if let Err(what) = play(&spoiled, *fault, at) {
                        panic!("{}, we are the {side}, {fault:?} at byte {at}: {what}", recording.name);
                    }
                }
            }
        }
    }
}

/// Those that between them have everything a session can have: the driver makes no difference to the others.
fn distinct() -> Vec<Recording> {
    const NAMES: [&str; 16] = [
        "data_after_fin",
        "goaway_graceful_overread",
        "goaway_last_stream_id",
        "half_close_opener",
        "hello",
        "ngrok_client_close",
        "ngrok_client_hello",
        "ngrok_server_hello",
        "rst_from_peer",
        "server_initiated",
        "session_close_streams_open",
        "stray_frames",
        "syn_fin_with_data",
        "typed_stream",
        "unknown_frame_type",
        "write_empty_loses_syn",
    ];
    let chosen: Vec<Recording> =
        all().into_iter().filter(|recording| NAMES.contains(&&*recording.name)).collect();
    assert_eq!(chosen.len(), NAMES.len());
    chosen
}

/// One side of a recording, played by ours, and what the other says.
struct Spoiled<'a> {
    recording: &'a Recording,
    side: Side,
    bytes: &'a [u8],
    writes: Vec<Vec<u8>>,
}

/// The end of a long recording adds nothing once the beginning is spoiled.
fn beginning(recording: &Recording, side: Side) -> &[u8] {
    let bytes = &recording.party(side).bytes;
    &bytes[..bytes.len().min(8 * 1024)]
}

/// The machine with an application that opens what the recorded one did, accepts, reads everything and answers.
fn on_the_machine(spoiled: &Spoiled<'_>, fault: Fault, at: usize) -> Result<(), String> {
    let mut peer = Peer::new(spoiled.side);
    let mut held: Vec<StreamKey> = Vec::new();
    for payload in &spoiled.writes {
        let key = peer.mux.open().unwrap();
        let _ = peer.mux.write(key, payload);
        peer.mux.finish(key).unwrap();
        held.push(key);
    }
    let _ = peer.sent();
    let wire = fault.spoil(spoiled.bytes, at);
    match at % 3 {
        0 => peer.feed(&wire),
        1 => peer.feed_shared(Bytes::from(wire.clone())),
        _ => peer.feed_cut(&wire, [at, at + 1, at + 8]),
    }
    let _ = peer.sent();
    held.extend(peer.accept_all());
    let mut told: Vec<Told> = held.iter().map(|key| look(&mut peer, *key)).collect();
    for key in &held {
        let _ = peer.mux.write(*key, b"the answer");
        let _ = peer.mux.finish(*key);
    }
    let _ = peer.sent();
    peer.mux.audit()?;
    match fault {
        Failure => peer.mux.handle_failure(EndCause::Transport(io::ErrorKind::ConnectionReset.into())),
        Stall => peer.mux.handle_deadline(),
        _ => peer.mux.handle_eof(),
    }
    let _ = peer.sent();
    for (told, key) in told.iter_mut().zip(&held) {
        let last = look(&mut peer, *key);
        told.read.extend(last.read);
        told.clean |= last.clean;
        peer.drop_stream(*key);
    }
    ensure(peer.mux.end().is_some(), || "the session goes on".into())?;
    ensure(peer.mux.stats().streams == 0, || format!("{} streams are left", peer.mux.stats().streams))?;
    peer.mux.audit()?;
    judge(&wire, &told)
}

fn look(peer: &mut Peer, key: StreamKey) -> Told {
    let id = peer.mux.stream_id(key).map(muxado_core::StreamId::get);
    let (read, ending) = peer.read_all(key);
    Told { id, read, clean: ending == Ending::Fin }
}

/// The same through the driver, with everybody in a task of his own.
fn through_the_driver(spoiled: &Spoiled<'_>, fault: Fault, at: usize) -> Result<(), String> {
    let running = Running::start(spoiled.side, &Config::default(), &spoiled.writes);
    let wire = fault.spoil(spoiled.bytes, at);
    running.one.from_peer.inject(&wire);
    running.world.settle();
    let limit = match fault {
        Failure => {
            running.one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset));
            Duration::ZERO
        }
        // Nothing says that nothing more will come: it is for the application to set a limit.
        Stall => {
            drop(running.one.session.drain(Duration::from_secs(1)));
            Duration::from_millis(1500)
        }
        _ => {
            running.one.from_peer.cut();
            Duration::ZERO
        }
    };
    let (_, told) = running.finish(limit)?;
    judge(&wire, &told)
}

#[test]
fn f20_f21_f25_an_end_a_failure_or_silence_at_every_byte_wakes_everybody() {
    everywhere(&distinct(), &[End, Failure, Stall], through_the_driver);
}

#[test]
fn f26_bytes_changed_everywhere_are_survived_by_the_driver() {
    everywhere(&distinct(), &[Flip(0xFF), Delete, Double, InsertEight(0)], through_the_driver);
}

#[test]
fn f26_a_flipped_bit_in_every_byte_is_survived_by_the_machine() {
    let bits = [1, 2, 16, 32, 128].map(Flip);
    // One bit of payload is as good as another.
    everywhere(&all(), &[Flip(0xFF)], on_the_machine);
    everywhere(&all(), &bits, |spoiled, fault, at| {
        let frames = &spoiled.recording.party(spoiled.side.peer()).frames;
        let payload =
            |frame: &Frame| frame.kind == kind::DATA && frame.at.start + 8 < at && at < frame.at.end;
        if frames.iter().any(payload) { Ok(()) } else { on_the_machine(spoiled, fault, at) }
    });
}

#[test]
fn f26_bytes_lost_doubled_or_inserted_everywhere_are_survived_by_the_machine() {
    let faults = [Delete, Double, Insert, InsertEight(0)];
    everywhere(&all(), &faults, on_the_machine);
}

#[test]
fn f29_a_goodbye_cut_after_each_of_its_bytes_has_no_effect() {
    let goodbye = wire::go_away(0, 7, b"why");
    for at in 0..goodbye.len() {
        let running = Running::start(Side::Client, &Config::default(), &[b"x".to_vec()]);
        running.one.from_peer.inject(&goodbye[..at]);
        running.one.from_peer.cut();
        let (end, told) = running.finish(Duration::ZERO).unwrap();
        assert!(matches!(end.cause(), EndCause::PeerEof) && end.peer_goodbye().is_none(), "{at}: {end}");
        assert_eq!(told, [Told { id: Some(3), read: Vec::new(), clean: false }], "{at}");
    }
}

#[test]
fn f30_everything_said_twice_is_survived() {
    for recording in all() {
        for side in [Side::Client, Side::Server] {
            let writes = written(&recording, side);
            let frames = &recording.party(side.peer()).frames;
            let bytes = beginning(&recording, side.peer());
            let each = frames.iter().filter_map(|frame| bytes.get(frame.at.clone()));
            for said in [[bytes, bytes].concat(), each.flat_map(|frame| [frame, frame].concat()).collect()] {
                let running = Running::start(side, &Config::default(), &writes);
                running.one.from_peer.inject(&said);
                running.one.from_peer.cut();
                let (_, told) = running.finish(Duration::ZERO).unwrap();
                judge(&said, &told).unwrap();
            }
        }
    }
}
