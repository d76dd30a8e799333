//! The recorded typed sessions: fed what the existing peers sent, whole and byte by byte, do we accept what they opened,
//! and send what they were sent.
#![allow(clippy::unwrap_used, reason = "tests")]

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::{Config, Side};
use muxado_testkit::{Alone, Faced, World, alone, frames_of, payload_of, recorded};
use muxado_typed::Typed;

/// Of the two sides, and of type 42: see the recordings.
const SESSIONS: [&str; 2] = ["typed_stream", "ngrok_server_typed"];

fn start(side: Side) -> (World, Alone, Typed<Faced>) {
    let world = World::new();
    let one = alone(&world, side, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    (world, one, typed)
}

/// Gives the peer's bytes in pieces of so many.
fn feed(world: &World, one: &Alone, bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece) {
        one.from_peer.inject(piece);
        world.settle();
    }
}

/// Opens a stream, says something and finishes; accepts one, hears something, answers and finishes. The peer's GOAWAY is
/// left out: what we answer would not be sent after it.
fn plays(side: Side, peer: &[u8], says: &[u8], hears: &[u8], answers: &[u8], piece: usize) -> Vec<u8> {
    let (world, one, typed) = start(side);
    let mut opened = world.block_on(typed.open(42)).unwrap();
    world.block_on(opened.write_all(says)).unwrap();
    world.block_on(opened.close()).unwrap();
    world.settle();
    let end = frames_of(0, peer).concat();
    feed(&world, &one, peer.strip_suffix(&end[..]).unwrap(), piece);
    let mut accepted = world.block_on(typed.accept()).unwrap();
    assert_eq!(accepted.stream_type().get(), 42);
    let mut heard = Vec::new();
    world.block_on(accepted.read_to_end(&mut heard)).unwrap();
    assert_eq!(heard, hears);
    world.block_on(accepted.write_all(answers)).unwrap();
    world.block_on(accepted.close()).unwrap();
    world.settle();
    one.to_peer.take()
}

#[test]
fn s90_a_server_accepts_and_opens_what_the_recorded_server_did() {
    for name in SESSIONS {
        let session = recorded(name);
        for piece in [1, usize::MAX] {
            let sent =
                plays(Side::Server, &session.client, b"typed push", b"typed hello", b"typed world", piece);
            for stream in [2, 3] {
                assert_eq!(
                    payload_of(stream, &sent),
                    payload_of(stream, &session.server),
                    "{name}, {stream}"
                );
            }
        }
    }
}

#[test]
fn s90_a_client_opens_and_accepts_what_the_recorded_client_did() {
    for name in SESSIONS {
        let session = recorded(name);
        for piece in [1, usize::MAX] {
            let sent = plays(Side::Client, &session.server, b"typed hello", b"typed push", b"", piece);
            assert_eq!(payload_of(3, &sent), payload_of(3, &session.client), "{name}");
        }
    }
}

/// Go's own acceptor takes the first two bytes for the type, and the other two for data.
#[test]
fn s90_the_recorded_split_type_is_put_together() {
    let session = recorded("typed_stream_split_type");
    let (world, one, typed) = start(Side::Server);
    feed(&world, &one, &session.client, usize::MAX);
    let mut stream = world.block_on(typed.accept()).unwrap();
    assert_eq!(stream.stream_type().get(), 0x0102_0304);
    let mut rest = Vec::new();
    world.block_on(stream.read_to_end(&mut rest)).unwrap();
    assert_eq!(rest, b"rest");
}
