//! A heartbeat whose own program was held up: a machine that slept, a callback that blocked.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side};
use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_testkit::{Faced, Sleep, World, pipe, wire};
use muxado_typed::Typed;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A runtime whose clock goes on while nothing else does.
#[derive(Clone)]
struct HeldUp {
    world: World,
    lost: Arc<Mutex<Duration>>,
}

impl Runtime for HeldUp {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future);
    }

    fn now(&self) -> Instant {
        self.world.now() + *self.lost.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.world.sleep(duration)
    }
}

/// What the peer said in time lies there unread when the heartbeat's task is the first to go on.
#[test]
fn whoever_was_held_up_does_not_take_the_peer_for_dead() {
    for says_something in [true, false] {
        let (world, lost) = (World::new(), Arc::default());
        let (near, far) = pipe(1 << 16);
        let from_peer = near.read.lane();
        let runtime = HeldUp { world: world.clone(), lost };
        let config = Config::default();
        let (session, driver) =
            Session::from_halves(Side::Client, near.read, near.write, &config, runtime.clone());
        world.spawn(async move { drop(driver.await) });
        let typed = Typed::new(Faced::new(&session, &runtime));
        let heartbeat = world.block_on(Heartbeat::start(typed, HeartbeatConfig::default())).unwrap();
        world.settle();
        *runtime.lost.lock().unwrap() += secs(30);
        heartbeat.set_interval(secs(10)); // wakes the heartbeat's task
        if says_something {
            from_peer.inject(&wire::syn(2, b"x"));
        }
        world.settle();
        assert_eq!(session.end(), None);
        world.block_on(world.sleep(secs(20)));
        assert_eq!(session.end().is_some(), !says_something, "not put off for ever");
        drop(far);
    }
}
