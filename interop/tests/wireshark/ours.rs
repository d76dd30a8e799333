//! Sessions of ours: is every frame found, wherever segments begin and end, over TLS too; are typed and heartbeat streams
//! named; can a stream be followed; and is nothing said to be wrong.

use std::time::Duration;

use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_testkit::unhex;
use muxado_tokio::Session;
use muxado_tokio::core::Side;
use muxado_typed::Typed;
use tokio::io::AsyncWriteExt;

use crate::capture::{Connection, Turn};
use crate::frames::said;
use crate::sessions::{bulk, plain, read_all, small_talk, tls};
use crate::tshark::{Found, Tshark, folder};

/// Segments that hold many frames.
const LONG: usize = 60_000;

/// That the captures hold the frames of `turns`, all of them and no other, on each of these ports.
fn assert_found(found: &Found, turns: &[Turn], ports: impl IntoIterator<Item = u16>) {
    let mut left: Vec<_> = found.keys().copied().collect();
    for port in ports {
        for side in [Side::Client, Side::Server] {
            let key = (port, side == Side::Client);
            let (found, said) = (&found[&key], said(turns, side));
            assert_eq!(found.frames, said.frames, "{key:?}");
            assert!(found.payload == said.payload, "{key:?}: other payload");
            left.retain(|left| *left != key);
        }
    }
    assert_eq!(left, [], "found where there is nothing");
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn every_frame_is_found_however_its_segments_are_cut() {
    let turns = plain(small_talk);
    let pieces = [1, 2, 3, 5, 7, 8, 9, 11, 13, 1460, LONG];
    let connections: Vec<_> =
        (40_000..).zip(pieces).map(|(port, piece)| Connection::new(port, &turns, piece)).collect();
    let tshark = Tshark::plain(&connections);
    assert_found(&tshark.found(), &turns, (40_000..).take(pieces.len()));
    assert_eq!(tshark.broken(), []);
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn frames_share_segments() {
    let turns = plain(small_talk);
    let infos = Tshark::plain(&[Connection::new(40_000, &turns, LONG)]).infos();
    assert!(infos.iter().any(|info| info.contains("SYN 11 bytes, DATA[")), "{infos:#?}");
    // All that a side said in one segment each.
    let once: Vec<Turn> = [Side::Client, Side::Server]
        .map(|from| {
            let said = turns.iter().filter(|turn| turn.from == from);
            Turn { from, bytes: said.flat_map(|turn| turn.bytes.clone()).collect() }
        })
        .to_vec();
    let tshark = Tshark::plain(&[Connection::new(40_000, &once, LONG)]);
    assert_eq!(tshark.fields("muxado", &["frame.number"]).len(), 2);
    assert_found(&tshark.found(), &turns, [40_000]);
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn segments_that_come_twice_or_late_change_nothing() {
    let turns = plain(small_talk);
    // Not both in one connection: where they meet in one frame, Wireshark since 4.2 loses what follows, of any protocol.
    let connections = [
        Connection::new(40_000, &turns, 100).repeating(3),
        Connection::new(40_001, &turns, 100).swapping(5),
        Connection::new(40_002, &turns, 11).repeating(5),
        Connection::new(40_003, &turns, 11).swapping(7),
    ];
    for passes in ["-n", "-2"] {
        let tshark = Tshark::plain(&connections).set("tcp.reassemble_out_of_order", "TRUE").arg(passes);
        assert_found(&tshark.found(), &turns, 40_000..40_004);
        assert_eq!(tshark.broken(), []);
    }
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn credit_is_followed_through_more_than_a_window() {
    let turns = plain(bulk);
    let tshark =
        Tshark::plain(&[Connection::new(40_000, &turns, 1460), Connection::new(40_001, &turns, LONG)]);
    assert_found(&tshark.found(), &turns, [40_000, 40_001]);
    assert_eq!(tshark.broken(), []);
    // What an early smaller window would have allowed.
    let strict = Tshark::plain(&[Connection::new(40_000, &turns, 1460)]).set("muxado.window", "1000");
    assert!(strict.broken().iter().any(|(_, rule)| rule == "broken.window"));
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn both_passes_and_any_order_see_the_same() {
    let turns = plain(small_talk);
    let connections = [Connection::new(40_000, &turns, 50), Connection::new(40_001, &turns, LONG)];
    let [once, twice] = ["-n", "-2"].map(|passes| Tshark::plain(&connections).arg("-n").arg(passes));
    assert_eq!(once.infos(), twice.infos());
    assert_eq!(once.run(&["-Omuxado"]), twice.run(&["-Omuxado"]));
    // A filter on the second pass leaves out packets that the first has seen.
    assert_eq!(twice.fields("muxado.type==3", &["muxado.text"]), [["bye"], ["bye"]]);
    assert_found(&twice.found(), &turns, [40_000, 40_001]);
}

/// Beats of the client's, and streams of types 42 and 43 of the two sides.
async fn typed(client: &Session, server: &Session) {
    let (client, server) = (Typed::new(client.clone()), Typed::new(server.clone()));
    let answering = HeartbeatConfig::default().without_beats();
    let server = Heartbeat::start(server, answering).await.unwrap();
    let heartbeat = Heartbeat::start(client.clone(), HeartbeatConfig::default()).await.unwrap();
    let accepting = server.clone();
    let accepted = tokio::spawn(async move { accepting.accept().await.unwrap() });
    for _ in 0..2 {
        heartbeat.beat(Duration::from_secs(10)).await.unwrap();
    }
    let mut asking = client.open(42).await.unwrap().into_inner();
    asking.write_all(b"typed").await.unwrap();
    asking.shutdown().await.unwrap();
    let accepted = accepted.await.unwrap();
    assert_eq!(accepted.stream_type().get(), 42);
    assert_eq!(read_all(&mut accepted.into_inner()).await, b"typed");
    let mut pushing = server.get_ref().open(43).await.unwrap().into_inner();
    pushing.write_all(b"back").await.unwrap();
    pushing.shutdown().await.unwrap();
    assert_eq!(read_all(&mut heartbeat.accept().await.unwrap().into_inner()).await, b"back");
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn typed_and_heartbeat_streams_are_named() {
    let turns = plain(typed);
    let pieces = [1, 3, LONG];
    let connections: Vec<_> =
        (40_000..).zip(pieces).map(|(port, piece)| Connection::new(port, &turns, piece)).collect();
    let tshark = Tshark::plain(&connections).set("muxado.typed", "TRUE").arg("-2");
    assert_found(&tshark.found(), &turns, 40_000..40_003);
    assert_eq!(tshark.broken(), []);
    let streams = |kind: u32, from: &str| {
        let opened = format!("tcp.port==40000 && muxado.flags.syn==1 && muxado.from==\"{from}\"");
        tshark.fields(&format!("{opened} && muxado.stream_type=={kind}"), &["muxado.stream"]).concat()
    };
    assert_eq!(streams(u32::MAX, "client"), ["3"]);
    assert_eq!((streams(42, "client"), streams(43, "server")), (vec!["5".into()], vec!["2".into()]));
    assert_eq!((streams(42, "server").len(), streams(43, "client").len()), (0, 0));
    assert_beats(&tshark);
    // Heartbeats are known by their type, whether streams have types or not.
    let untyped = Tshark::plain(&connections[..1]);
    assert_eq!(untyped.fields("muxado.stream_type==42", &["frame.number"]).len(), 0);
    assert_ne!(untyped.fields("muxado.stream_type==4294967295", &["frame.number"]).len(), 0);
    let info = untyped.infos().concat();
    assert!(info.contains("DATA[3] SYN heartbeat") && info.contains("DATA[3] echo "), "{info}");
}

/// That each beat is tied to its echo, and that the time between is that between the two packets.
fn assert_beats(tshark: &Tshark) {
    let beats = tshark
        .fields("muxado.beat", &["frame.number", "frame.time_relative", "muxado.beat", "muxado.echo_in"]);
    let echoes = tshark.fields(
        "muxado.echo",
        &["frame.number", "frame.time_relative", "muxado.echo", "muxado.beat_in", "muxado.rtt"],
    );
    assert_eq!((beats.len(), echoes.len()), (6, 6));
    for (beat, echo) in beats.iter().zip(&echoes) {
        assert_eq!((&beat[2], &beat[3]), (&echo[2], &echo[0]));
        assert_eq!(echo[3], beat[0]);
        let [sent, came, rtt] = [&beat[1], &echo[1], &echo[4]].map(|text| text.parse::<f64>().unwrap());
        assert!((came - sent - rtt).abs() < 1e-6, "{sent} to {came}, said to be {rtt}");
    }
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn a_stream_can_be_followed() {
    let turns = plain(async |client, server| {
        small_talk(client, server).await;
        bulk(client, server).await;
    });
    let connections = [Connection::new(40_000, &turns, 1460), Connection::new(40_001, &turns, LONG)];
    for session in 0..2 {
        let bytes = |what: &str| {
            let tshark = Tshark::plain(&connections).set("muxado.follow", &format!("{session}/{what}"));
            let rows = tshark.fields("muxado.follow", &["muxado.follow"]).concat().join("");
            unhex(&rows.replace(',', ""))
        };
        assert_eq!(bytes("3/client"), b"who is there?");
        assert_eq!(bytes("3/server"), [b'a'; 3000]);
        assert_eq!(bytes("3"), [&b"who is there?"[..], &[b'a'; 3000]].concat());
        assert_eq!(bytes("2/server"), b"news");
        let bulk: Vec<u8> = (0..1_200_000_u32).map(|at| (at % 251) as u8).collect();
        assert!(bytes("13/client") == bulk);
        assert_eq!(bytes("99"), b"");
    }
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn sessions_over_tls_are_found_by_their_keys() {
    let folder = folder();
    let keys = folder.path().join("keys");
    let (inside, outside) = tls(&keys, small_talk);
    let with_keys = |tshark: Tshark| tshark.set("tls.keylog_file", &keys.to_string_lossy());
    // Since 4.2 Wireshark takes 40000 for SAP's.
    let client = 41_000;
    for piece in [1460, LONG] {
        let connections = [Connection::new(client, &outside, piece)];
        // Nothing says that this is muxado but what was agreed in the handshake.
        assert_found(&with_keys(Tshark::new(&connections)).found(), &inside, [client]);
        let told = Tshark::new(&connections).arg("-dtls.port==47100,muxado");
        assert_found(&with_keys(told).found(), &inside, [client]);
        assert_eq!(Tshark::new(&connections).fields("muxado", &["frame.number"]).len(), 0);
    }
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn ports_can_be_set_for_good() {
    let turns = plain(small_talk);
    let connections = [Connection::new(40_000, &turns, 1460)];
    assert_found(&Tshark::new(&connections).set("muxado.tcp_ports", "1-5,47100").found(), &turns, [40_000]);
    assert!(Tshark::new(&connections).found().is_empty());
}
