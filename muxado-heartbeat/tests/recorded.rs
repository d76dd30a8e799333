//! The recorded heartbeats: fed the beats that the existing peers sent, do we answer what was answered.
#![allow(clippy::unwrap_used, reason = "tests")]

use muxado_core::rt::Runtime;
use muxado_core::{Config, Side};
use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_testkit::{Faced, World, alone, frames_of, payload_of, recorded, wire};
use muxado_typed::Typed;

/// A server that answers beats and sends none, fed one stream of a recorded client in pieces. What it sends.
fn answers(peer: &[Vec<u8>], piece: usize) -> Vec<u8> {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let typed = Typed::new(Faced::new(&one.session, &world));
    let config = HeartbeatConfig::default().without_beats();
    let heartbeat = world.block_on(Heartbeat::start(typed, config)).unwrap();
    world.spawn(async move { while heartbeat.accept().await.is_ok() {} });
    for piece in peer.concat().chunks(piece) {
        one.from_peer.inject(piece);
        world.settle();
    }
    one.to_peer.take()
}

#[test]
fn s91_recorded_beats_are_answered_as_they_were() {
    for name in ["heartbeat", "ngrok_server_heartbeat"] {
        let session = recorded(name);
        let peer = frames_of(3, &session.client);
        for piece in [1, 3, usize::MAX] {
            let sent = answers(&peer, piece);
            assert_eq!(payload_of(3, &sent), payload_of(3, &session.server), "{name}");
        }
    }
}

/// The recorded server took the end for a beat, and went on sending zeros.
#[test]
fn s91_the_end_of_a_recorded_stream_of_beats_is_no_beat() {
    let session = recorded("ngrok_server_heartbeat_eof");
    let sent = answers(&frames_of(3, &session.client), usize::MAX);
    assert_eq!(payload_of(3, &sent), [1, 2, 3, 4]);
    assert!(sent.ends_with(&wire::fin(3)), "{sent:?}");
}
