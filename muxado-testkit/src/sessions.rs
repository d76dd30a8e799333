//! Sessions in a [`World`]: two of ours with a pipe between them, or one whose peer is literal bytes.

use std::time::Duration;

use muxado_core::face::Face;
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side, Stream};

use crate::pipe::{End, Lane, pipe};
use crate::watch::Watched;
use crate::world::World;

/// A client and a server session of ours, driven by `world`, with a pipe of `capacity` bytes each way between them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connected {
    /// The client's session.
    pub client: Session,
    /// The server's session.
    pub server: Session,
    /// What the client writes.
    pub to_server: Lane,
    /// What the server writes.
    pub to_client: Lane,
}

/// A session of ours as a face: on virtual time, or on a runtime of the test's own.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct Faced<R = World> {
    /// The session.
    pub session: Session,
    /// Its runtime.
    pub runtime: R,
}

impl<R: Clone> Faced<R> {
    /// The same session, on this runtime.
    pub fn new(session: &Session, runtime: &R) -> Faced<R> {
        Faced { session: session.clone(), runtime: runtime.clone() }
    }
}

impl<R: Runtime> Face for Faced<R> {
    type Stream = Stream;
    type Runtime = R;

    fn core(&self) -> &Session {
        &self.session
    }

    fn runtime(&self) -> R {
        self.runtime.clone()
    }

    fn wrap(&self, stream: Stream) -> Stream {
        stream
    }
}

/// Connects two sessions of ours.
#[must_use]
pub fn connected(world: &World, capacity: usize, config: &Config) -> Connected {
    let (near, far) = pipe(capacity);
    let (to_server, to_client) = (near.write.lane(), far.write.lane());
    let client = start(world, Side::Client, near, config);
    let server = start(world, Side::Server, far, config);
    Connected { client, server, to_server, to_client }
}

/// One session of ours, and the lanes on which a peer made of literal bytes reads and writes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Alone {
    /// The session.
    pub session: Session,
    /// Put the peer's bytes here.
    pub from_peer: Lane,
    /// Take ours from here.
    pub to_peer: Lane,
    /// Keeps the peer's end of the transport open.
    pub peer: End,
}

/// Starts one session whose peer is literal bytes.
#[must_use]
pub fn alone(world: &World, side: Side, config: &Config) -> Alone {
    let (near, peer) = pipe(1 << 20);
    let (from_peer, to_peer) = (near.read.lane(), near.write.lane());
    Alone { session: start(world, side, near, config), from_peer, to_peer, peer }
}

/// Starts a session over one end of a pipe, its driver spawned in `world` and watched.
#[must_use]
pub fn start(world: &World, side: Side, end: End, config: &Config) -> Session {
    let (session, driver) = Session::from_halves(side, end.read, end.write, config, world.clone());
    world.spawn(async move {
        Watched::new(driver.vectored(true)).await;
    });
    session
}

/// Lets a lane take `bytes` in each tenth of a second of virtual time, until it is closed.
pub fn slow(world: &World, lane: Lane, bytes: usize) {
    lane.set(|mood| mood.budget = Some(0));
    let clock = world.clone();
    world.spawn(async move {
        while !lane.is_closed() {
            clock.sleep(Duration::from_millis(100)).await;
            lane.set(|mood| mood.budget = Some(bytes));
        }
    });
}
