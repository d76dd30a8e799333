//! B35 with a driver, which has the clock: a delay between two sessions does not cap a stream at a window for each round trip.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side};
use muxado_testkit::{Reader, World, Writer, alone, pipe, start, wire};

const DELAY: Duration = Duration::from_millis(50);

/// More than is ever on its way.
const ROOM: usize = 1 << 27;

/// Hands on what comes, a while later.
async fn carry(world: World, mut from: Reader, to: Writer) {
    let to = Arc::new(Mutex::new(to));
    let mut room = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut room).await {
        let (clock, to, piece) = (world.clone(), to.clone(), room[..len].to_vec());
        world.spawn(async move {
            clock.sleep(DELAY).await;
            let written = to.lock().unwrap().write_all(&piece).now_or_never();
            written.expect("there is room").unwrap();
        });
    }
}

/// How long `len` bytes take from a client to a server far away.
fn upload(len: usize, config: &Config) -> Duration {
    let world = World::new();
    let ((client, near), (far, server)) = (pipe(ROOM), pipe(ROOM));
    let client = start(&world, Side::Client, client, config);
    let server = start(&world, Side::Server, server, config);
    world.spawn(carry(world.clone(), near.read, far.write));
    world.spawn(carry(world.clone(), far.read, near.write));
    world.spawn(async move {
        let mut stream = client.open().await.unwrap();
        stream.write_all(&vec![7; len]).await.unwrap();
        stream.close().await.unwrap();
        client.closed().await;
    });
    world.block_on(async {
        let mut stream = server.accept().await.unwrap();
        let mut all = 0;
        while let Some(chunk) = stream.read_chunk(usize::MAX).await.unwrap() {
            all += chunk.len();
        }
        assert_eq!(all, len);
    });
    world.elapsed()
}

#[test]
fn b35_the_driver_tells_the_time_and_a_stream_outgrows_its_window() {
    let len = 32 << 20;
    let took = upload(len, &Config::default());
    assert!(took < 10 * 2 * DELAY, "{took:?}: ten round trips are enough for a line without a limit");
    let without = Config::builder().extra_credit(0).build().unwrap();
    assert!(upload(len, &without) > 100 * 2 * DELAY, "a window for each round trip");
}

/// However old the session is when the first bytes come that count: time begins to matter with them.
#[test]
fn b35_the_first_round_begins_when_its_credit_is_returned() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    world.block_on(world.sleep(Duration::from_secs(5)));
    one.from_peer.inject(&wire::syn(3, b""));
    let (_send, recv) = world.block_on(one.session.accept()).unwrap().into_split();
    // What comes is thrown away, and its credit returned in the same step.
    drop(recv);
    let half_a_window = wire::data(3, &[0; 16 * 1024]).repeat(8);
    for delay in [DELAY, Duration::from_millis(1), Duration::ZERO] {
        one.from_peer.inject(&half_a_window);
        world.settle();
        world.block_on(world.sleep(delay));
    }
    // A window in a millisecond, for a round of 51, twice.
    let extra = one.session.stats().extra_credit;
    assert!((1..=2 * 51 * 256 * 1024).contains(&extra), "{extra}");
}

#[test]
fn b35_only_a_peer_on_another_machine_has_credit_in_advance() {
    let v4 = |last| SocketAddr::from(([192, 0, 2, last], 1000));
    let here = SocketAddr::from(([127, 0, 0, 1], 1000));
    let windows = |local, peer| {
        let world = World::new();
        let (near, far) = pipe(ROOM);
        let (session, driver) =
            Session::from_halves(Side::Server, near.read, near.write, &Config::default(), world.clone());
        session.set_addresses(local, peer);
        session.set_addresses(peer.and(Some(v4(1))), peer.and(Some(v4(2)))); // A second statement is none.
        world.spawn(driver.map(drop));
        far.write.lane().inject(&[wire::syn(3, b""), wire::data(3, &[0; 16 * 1024]).repeat(8)].concat());
        let mut stream = world.block_on(session.accept()).unwrap();
        world.block_on(stream.read_exact(&mut [0; 128 * 1024])).unwrap();
        world.settle();
        session.stats().extra_credit / (256 * 1024)
    };
    assert_eq!(windows(Some(v4(1)), Some(v4(2))), 3);
    assert_eq!(windows(Some(v4(1)), Some(v4(1))), 0, "one machine by its own address");
    assert_eq!(windows(Some(here), Some(here)), 0);
    assert_eq!(windows(None, None), 0);
    assert_eq!(windows(None, Some(v4(2))), 0, "who knows where this end is?");
}
