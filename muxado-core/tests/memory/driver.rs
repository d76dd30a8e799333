//! B32 and B34 with a driver: floods that come through a transport in full reads, of which slices are kept.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use futures_util::{AsyncRead, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Session, Side};
use muxado_testkit::catalog::{App, Flood, floods};
use muxado_testkit::{Lane, World, alone as alone_with, pipe, wire};

use crate::bounds::Watch;
use crate::{alone, live};

/// Besides what a machine may hold: shared buffers (B03); the process's pool, the buffer in use and what of it is not
/// handled yet (B01); a batch with its copies (B15). And a MiB for the test's own tasks and pipes.
const TRANSPORT: usize = (8 << 20) + 10 * 256 * 1024 + 3 * 256 * 1024 + (1 << 20);

/// A transport that gives as much of a flood as fits, and looks at the session before each read.
struct Source {
    flood: Flood,
    next: u32,
    left: Vec<u8>,
    /// Bytes a read gives at the most.
    most: usize,
    fed: usize,
    watch: Watch,
    session: Arc<OnceLock<Session>>,
    to_peer: Lane,
}

impl Source {
    fn refill(&mut self) {
        let mut left = std::mem::take(&mut self.left);
        while left.len() < self.most && self.next < self.flood.rounds {
            let (bytes, next) = self.flood.rounds_from(self.next, 4096);
            self.next = next;
            left.extend(bytes);
        }
        self.left = left;
    }

    fn look(&mut self) {
        let what = format!("{} through a driver in reads of {}", self.flood.name, self.most);
        if self.flood.listens {
            drop(self.to_peer.take());
        }
        let stats = self.session.get().unwrap().stats();
        self.watch.check(&what, self.fed, &stats, TRANSPORT + self.left.capacity());
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.look();
        self.refill();
        let len = self.left.len().min(buf.len()).min(self.most);
        if len == 0 {
            return Poll::Pending;
        }
        buf[..len].copy_from_slice(&self.left[..len]);
        self.left.drain(..len);
        self.fed += len;
        Poll::Ready(Ok(len))
    }
}

/// An application as [`App`] says, in one task for each stream.
async fn serve(world: World, session: Session, app: App) {
    let held = Arc::new(Mutex::new(Vec::new()));
    if app == App::Absent {
        session.closed().await;
    }
    while let Ok(mut stream) = session.accept().await {
        match app {
            App::Absent => {}
            App::Holds => held.lock().unwrap().push(stream),
            App::Drops => drop(stream),
            App::Resets => stream.reset(ErrorCode::STREAM_RESET).unwrap(),
            App::Reads | App::Answers => world.spawn(async move {
                if app == App::Answers {
                    let _ = stream.write_all(b"yes").await;
                    let _ = stream.finish();
                }
                while let Ok(Some(_)) = stream.read_chunk(usize::MAX).await {}
            }),
        }
    }
}

/// Plays a flood in reads of at most `most` bytes.
fn play(flood: &Flood, most: usize) {
    let world = World::new();
    let (near, _far) = pipe(1 << 20);
    near.write.lane().set(|mood| mood.stuck = !flood.listens);
    let known = Arc::new(OnceLock::new());
    let source = Source {
        flood: flood.clone(),
        next: 0,
        left: flood.first.clone(),
        most,
        fed: 0,
        watch: Watch::new(),
        session: known.clone(),
        to_peer: near.write.lane(),
    };
    let (session, driver) =
        Session::from_halves(flood.side, source, near.write, &Config::default(), world.clone());
    known.set(session.clone()).unwrap();
    let _opened: Vec<_> = (0..flood.opens).map(|_| world.block_on(session.open()).unwrap()).collect();
    world.spawn(async move {
        driver.await;
    });
    world.spawn(serve(world.clone(), session.clone(), flood.app));
    world.settle();
    assert!(session.stats().frames_received > 200, "{}: {:?}", flood.name, session.stats());
}

#[test]
fn b32_no_flood_through_a_driver_holds_more_than_it_may() {
    let _turn = alone();
    for flood in floods() {
        // One of each kind; those with payload show what is kept of the buffers.
        let kind =
            ["s51_", "s22_", "s53_", "s20_", "s33_", "s39_", "s50_", "s54_", "s74_", "s76_", "s85_", "s89_"];
        if kind.iter().any(|kind| flood.name.starts_with(kind)) {
            play(&flood, 256 * 1024);
            play(&flood, 5000);
        }
    }
}

/// What a server holds is its sessions times the table: nothing is shared but a pool of fixed size.
#[test]
fn b34_every_session_costs_the_same() {
    let _turn = alone();
    // Little is copied; more is a slice of a read buffer, as long as 1 MiB of a session's buffers is not used up (S51).
    for (payload, each) in [(3000, 24 * 1024), (5000, (1 << 20) + 2 * 5000)] {
        let world = World::new();
        let mut sessions = Vec::new();
        let mut one_more = || {
            let before = live();
            let one = alone_with(&world, Side::Server, &Config::default());
            one.from_peer.inject(&[wire::syn(3, &vec![7; payload]), wire::data(5, b"stray")].concat());
            world.settle();
            drop(one.to_peer.take());
            sessions.push(one);
            live().saturating_sub(before)
        };
        // The first ones fill the pool.
        (0..10).for_each(|_| _ = one_more());
        let all: usize = (0..30).map(|_| one_more()).sum();
        assert!(all <= 30 * each, "30 sessions with {payload} bytes unread hold {all}");
    }
}
