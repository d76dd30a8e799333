//! Heartbeats in virtual time while a session drains.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, SessionEnd, Side};
use muxado_heartbeat::{Beat, Heartbeat, HeartbeatConfig};
use muxado_testkit::{Faced, World, alone, connected, poll, wire};
use muxado_typed::Typed;

const BEATS: [u8; 4] = [0xFF; 4];

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

async fn started(world: &World, session: &Session, config: HeartbeatConfig) -> Heartbeat<Faced> {
    let typed = Typed::new(Faced::new(session, world));
    Heartbeat::start(typed, config).await.unwrap()
}

/// Five minutes, which is longer than silence may last.
async fn answer_late(mut stream: impl AsyncWrite + Unpin, clock: &World) {
    clock.sleep(secs(300)).await;
    let _ = stream.write_all(b"done").await;
    let _ = stream.close().await;
}

/// The answer comes, and nothing is lost when the drain is over.
async fn is_whole(mut asking: impl AsyncRead + Unpin, drained: impl Future<Output = SessionEnd>, case: &str) {
    let mut answer = String::new();
    asking.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "done", "{case}");
    let end = drained.await;
    assert!(end.is_clean() && end.cut().is_nothing(), "{case}: {end} {:?}", end.cut());
}

/// A request takes longer than silence may last, and both ends have a heartbeat. That one of them drains meanwhile must not
/// make the other believe that it is gone, and a heartbeat must not hold the drain up once the request is answered.
#[test]
fn s91_beats_go_on_while_a_session_drains() {
    for (draining, peer_drains) in [(Side::Server, false), (Side::Server, true), (Side::Client, false)] {
        let world = World::new();
        let config = Config::builder().peer_drains(peer_drains).drain_timeout(secs(600)).build().unwrap();
        let pair = connected(&world, 1 << 16, &config);
        let (client, server) = world.block_on(async {
            let config = HeartbeatConfig::default();
            (started(&world, &pair.client, config.clone()).await, started(&world, &pair.server, config).await)
        });
        let accepting = client.clone();
        world.spawn(async move { while accepting.accept().await.is_ok() {} });
        let (clock, drained) =
            (world.clone(), if draining == Side::Server { &pair.server } else { &pair.client });
        world.spawn(async move {
            while let Ok(stream) = server.accept().await {
                answer_late(stream, &clock).await;
            }
        });
        world.block_on(async {
            let mut asking = client.open(1).await.unwrap();
            asking.close().await.unwrap();
            world.sleep(secs(1)).await;
            let drained = drained.drain(secs(400));
            is_whole(asking, drained, &format!("{draining:?} {peer_drains}")).await;
        });
        assert_eq!(world.elapsed().as_secs(), 300, "{draining:?} {peer_drains}");
    }
}

/// A drain without a limit of its own does not wait for a peer that is gone.
#[test]
fn s91_silence_ends_a_drain_as_well() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let config = HeartbeatConfig::default().on_beat(move |beat| tell.lock().unwrap().push(beat));
    let heartbeat = world.block_on(started(&world, &one.session, config));
    let _asking = world.block_on(heartbeat.open(1)).unwrap();
    one.session.go_away();
    let end = world.block_on(one.session.closed());
    assert_eq!(end.text(), b"no sign of life");
    world.block_on(world.sleep(secs(100)));
    assert_eq!(*told.lock().unwrap(), [Beat::Silence { lasted: secs(25) }], "said once");
    assert_eq!(world.tasks(), 0);
}

/// The answer comes in five minutes. A peer that beats meanwhile is told that its streams are not wanted, which is no reason to
/// believe that nobody is there.
#[test]
fn s91_a_drain_that_refuses_the_stream_of_beats_is_no_silence() {
    for (peer_drains, both) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::new();
        let config = Config::builder().peer_drains(peer_drains).drain_timeout(secs(600)).build().unwrap();
        let pair = connected(&world, 1 << 16, &config);
        let server = Typed::new(Faced::new(&pair.server, &world));
        let clock = world.clone();
        world.spawn(async move {
            while let Ok(stream) = server.accept().await {
                answer_late(stream, &clock).await;
            }
        });
        world.block_on(async {
            let client = Typed::new(Faced::new(&pair.client, &world));
            let mut asking = client.open(1).await.unwrap();
            asking.close().await.unwrap();
            world.sleep(secs(1)).await;
            let _client = Heartbeat::start(client, HeartbeatConfig::default()).await.unwrap();
            let drained = pair.server.drain(secs(400)); // the stream of beats is on its way
            if both {
                pair.client.go_away();
            }
            is_whole(asking, drained, &format!("{peer_drains} {both}")).await;
        });
        assert_eq!(world.elapsed().as_secs(), 300, "{peer_drains} {both}");
    }
}

/// A peer that refuses the stream of beats is asked again, and what says no is alive.
#[test]
fn s91_a_refusal_is_a_sign_of_life_and_no_more_than_that() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let heartbeat = world.block_on(started(&world, &one.session, HeartbeatConfig::default()));
    for round in 0..100 {
        world.settle();
        let (id, sent) = (3 + 2 * round, one.to_peer.take());
        let first = wire::syn(id, if round == 0 { &BEATS } else { b"\xFF\xFF\xFF\xFFbeat" });
        assert_eq!((&sent[..12], sent.len()), (&first[..12], 16 + if round == 0 { 8 } else { 0 }), "{round}");
        one.from_peer.inject(&wire::rst(id, 5));
        world.block_on(world.sleep(secs(11)));
    }
    // Whoever asks at once is not told to wait.
    heartbeat.set_interval(secs(1000));
    world.settle();
    one.from_peer.inject(&wire::rst(203, 9));
    world.settle();
    drop(one.to_peer.take());
    let mut beat = Box::pin(heartbeat.beat(secs(5)));
    assert!(poll(&mut beat, Waker::noop()).is_pending());
    world.settle();
    let sent = one.to_peer.take();
    assert_eq!(sent.len(), 8 + 8);
    one.from_peer.inject(&wire::data(205, &sent[12..]));
    assert_eq!(world.block_on(beat), Ok(Duration::ZERO));
    let answered = world.elapsed();
    heartbeat.set_interval(secs(10));
    let end = world.block_on(one.session.closed());
    assert_eq!(end.text(), b"no sign of life");
    assert_eq!((world.elapsed() - answered).as_millis(), 25_000 + 250);
}

/// There is nothing between beats then, so there has to be something between refusals.
#[test]
fn s91_a_peer_that_refuses_is_not_asked_without_end() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let config = HeartbeatConfig::default().interval(Duration::ZERO).tolerance(secs(10));
    let _heartbeat = world.block_on(started(&world, &one.session, config));
    for id in [3, 5, 7] {
        world.settle();
        let sent = one.to_peer.take();
        assert_eq!((&sent[4..12], sent.len() <= 24), (&wire::syn(id, &BEATS)[4..], true), "{id}");
        one.from_peer.inject(&wire::rst(id, 5));
        world.block_on(world.sleep(secs(6)));
    }
    // Nor is a session that lets nobody ask, by a heartbeat that would begin anew at once.
    one.session.go_away();
    one.from_peer.inject(&wire::rst(9, 5));
    let polls = world.polls();
    world.block_on(world.sleep(secs(1)));
    assert!(world.polls() - polls < 100, "{}", world.polls() - polls);
}

/// Streams have come before that, and are served all the same.
#[test]
fn s91_a_heartbeat_may_start_when_its_session_drains_or_is_over() {
    for is_over in [false, true] {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        one.from_peer.inject(&[wire::syn(3, b"\0\0\0\x01hello"), wire::fin(3)].concat());
        world.settle();
        let own = one.session.try_open().unwrap();
        one.session.go_away();
        if is_over {
            one.from_peer.cut();
        }
        world.settle();
        assert_eq!(one.session.end().is_some(), is_over);
        let heartbeat = world.block_on(started(&world, &one.session, HeartbeatConfig::default()));
        let mut text = String::new();
        let mut stream = world.block_on(heartbeat.accept()).unwrap();
        world.block_on(stream.read_to_string(&mut text)).unwrap();
        assert_eq!(text, "hello");
        if !is_over {
            // Nobody can be asked, and so nobody is silent.
            world.block_on(world.sleep(secs(100)));
            assert!(one.session.end().is_none());
            world.block_on(stream.close()).unwrap();
        }
        drop((stream, own, one.peer));
        world.block_on(one.session.closed());
        assert!(world.block_on(heartbeat.accept()).is_err());
    }
}
