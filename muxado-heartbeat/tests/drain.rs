//! Heartbeats in virtual time while a session drains.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side};
use muxado_heartbeat::{Beat, Heartbeat, HeartbeatConfig};
use muxado_testkit::{Faced, World, alone, connected};
use muxado_typed::Typed;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

async fn started(world: &World, session: &Session, config: HeartbeatConfig) -> Heartbeat<Faced> {
    let typed = Typed::new(Faced { session: session.clone(), runtime: world.clone() });
    Heartbeat::start(typed, config).await.unwrap()
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
            while let Ok(mut stream) = server.accept().await {
                clock.sleep(secs(300)).await;
                let _ = stream.write_all(b"done").await;
                let _ = stream.close().await;
            }
        });
        world.block_on(async {
            let mut asking = client.open(1).await.unwrap();
            asking.close().await.unwrap();
            world.sleep(secs(1)).await;
            let drained = drained.drain(secs(400));
            let mut answer = String::new();
            asking.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "done");
            let end = drained.await;
            assert!(end.is_clean() && end.cut().is_nothing(), "{end} {:?}", end.cut());
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
