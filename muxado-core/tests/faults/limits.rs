//! Clocks, limits and ids at their ends (F70, F71, F81 to F84).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::proto::StreamKey;
use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, OpenError, Session, Side, StreamId};
use muxado_testkit::{Ending, Host, Pair, Peer, Sleep, Watched, World, catalog, connected, pipe, wire};

use crate::app::Running;

/// A clock that is odd in one way, over the timers of a [`World`].
#[derive(Clone, Debug)]
struct Odd {
    world: World,
    /// Each look at the clock moves it on by this.
    leap: Duration,
    /// It follows the world's own.
    runs: bool,
    looks: Arc<AtomicU64>,
    start: Instant,
}

impl Odd {
    fn new(world: &World, leap: Duration, runs: bool) -> Odd {
        Odd { world: world.clone(), leap, runs, looks: Arc::default(), start: world.now() }
    }
}

impl Runtime for Odd {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future);
    }

    fn now(&self) -> Instant {
        let looks = u32::try_from(self.looks.fetch_add(1, Ordering::SeqCst)).unwrap();
        let base = if self.runs { self.world.now() } else { self.start };
        self.leap.checked_mul(looks).and_then(|leap| base.checked_add(leap)).unwrap_or(base + self.leap)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.world.sleep(duration)
    }
}

const FOR_EVER: Duration = Duration::from_nanos(u64::MAX);

#[test]
fn f70_clocks_that_stand_still_or_leap_neither_hang_nor_spin_nor_panic() {
    let clocks = [
        (Duration::ZERO, false),
        (Duration::from_secs(30), true),
        (Duration::from_secs(30), false),
        (FOR_EVER, true),
        (FOR_EVER, false),
    ];
    for (leap, runs) in clocks {
        let world = World::new();
        let (near, far) = pipe(1000);
        let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
        let (session, driver) = Session::from_halves(
            Side::Client,
            near.read,
            near.write,
            &Config::default(),
            Odd::new(&world, leap, runs),
        );
        world.spawn(async {
            Watched::new(driver).await;
        });
        world.block_on(async {
            let mut stream = session.open().await.unwrap();
            stream.write_all(b"question").await.unwrap();
            world.settle();
            from_peer.inject(&wire::data(3, b"answer"));
            stream.read_exact(&mut [0; 6]).await.unwrap();
            // Small credit is due a little later: however the clock goes, it comes.
            world.sleep(Duration::from_secs(1)).await;
            let sent = to_peer.take();
            assert!(sent.ends_with(&wire::wndinc(3, 6)), "{leap:?}, runs {runs}: {sent:?}");
            // A limit passes, by the clock or by the sleep, and a deadline too.
            stream.set_read_deadline(Some(world.now() + Duration::from_secs(1)));
            assert_eq!(stream.read(&mut [0; 9]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            stream.set_read_deadline(None);
            session.drain(Duration::from_secs(5)).await;
            assert!(stream.read(&mut [0; 9]).await.is_err());
        });
        assert!(world.polls() < 200, "{leap:?}, runs {runs}: {} polls", world.polls());
        assert!(world.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn f70_durations_of_any_size_are_no_trouble() {
    for limit in [Duration::ZERO, Duration::from_nanos(1), FOR_EVER, Duration::MAX] {
        let world = World::new();
        let config = Config::builder()
            .credit_delay(limit)
            .write_stall(limit)
            .drain_timeout(limit)
            .close_linger(limit)
            .build()
            .unwrap();
        let pair = connected(&world, 1 << 20, &config);
        world.block_on(async {
            let mut ours = pair.client.open().await.unwrap();
            ours.write_all(&[1; 1000]).await.unwrap();
            let mut theirs = pair.server.accept().await.unwrap();
            theirs.read_exact(&mut [0; 1000]).await.unwrap();
            theirs.write_all(&[2; 1000]).await.unwrap();
            ours.read_exact(&mut [0; 1000]).await.unwrap();
            // Dropped with bytes that cannot go: sweeps come and go.
            ours.write_all(&vec![1; 256 * 1024]).await.unwrap();
            drop(ours);
            world.sleep(Duration::from_millis(100)).await;
            // Two limits at once, and the second is the earlier one.
            drop(pair.client.drain(limit));
            drop(pair.client.drain(Duration::from_secs(1)));
            let mut rest = Vec::new();
            let _ = theirs.read_to_end(&mut rest).await;
            drop(theirs);
            pair.client.closed().await;
            pair.server.close(ErrorCode::NO_ERROR, "").await;
        });
        world.settle();
        assert_eq!(world.tasks(), 0, "{limit:?}");
        assert!(world.polls() < 2000, "{limit:?}: {} polls", world.polls());
    }
}

/// To the nanosecond: nothing before its limit, all of it at its limit.
#[test]
fn f70_limits_pass_exactly_when_they_are_due() {
    for early in [1, 0] {
        let running = Running::start(Side::Client, &Config::default(), &[vec![0; 300_000]]);
        let session = running.one.session.clone();
        drop(session.drain(Duration::from_secs(7)));
        let world = running.world.clone();
        world.block_on(world.sleep(Duration::from_secs(7) - Duration::from_nanos(early)));
        world.settle();
        assert_eq!(session.end().is_some(), early == 0);
    }
}

/// One token more, exactly when a stream has ended or 4 KiB were consumed, and not a byte sooner.
#[test]
fn f71_b18_b19_budgets_are_earned_back_to_the_byte() {
    let resets = |from: u32, count: u32| -> Vec<u8> {
        (from..from + count)
            .flat_map(|n| [wire::syn(3 + 2 * n, b""), wire::rst(3 + 2 * n, 7)].concat())
            .collect()
    };
    for earned in [0, 1] {
        let mut peer = Peer::new(Side::Server);
        peer.feed(resets(0, 1000));
        assert_eq!(peer.mux.end(), None);
        for n in 0..earned {
            peer.feed(wire::syn_fin(5001 + 2 * n, b""));
            let stream = peer.accept_all()[0];
            peer.mux.finish(stream).unwrap();
            assert_eq!(peer.read_all(stream).1, Ending::Fin);
            let _ = peer.sent();
            peer.drop_stream(stream);
        }
        peer.feed(resets(1000, earned));
        assert_eq!(peer.mux.end(), None, "{earned} earned");
        peer.feed(resets(2000, 1));
        assert_eq!(peer.mux.end().unwrap().code(), ErrorCode::ENHANCE_YOUR_CALM);
    }
    for (consumed, earned) in [(4095, 0), (4096, 1), (8191, 1), (8192, 2)] {
        let mut peer = Peer::new(Side::Server);
        peer.feed([wire::syn(3, &vec![0; consumed]), wire::header(15, 0, 0, 2).repeat(10_000)].concat());
        assert_eq!(peer.mux.end(), None);
        let stream = peer.accept_all()[0];
        assert_eq!(peer.read_all(stream).0.len(), consumed);
        peer.feed(wire::header(15, 0, 0, 2).repeat(earned));
        assert_eq!(peer.mux.end(), None, "{consumed} consumed");
        peer.feed(wire::header(15, 0, 0, 2));
        assert_eq!(peer.mux.end().unwrap().code(), ErrorCode::ENHANCE_YOUR_CALM, "{consumed} consumed");
    }
}

fn smallest() -> Config {
    Config::builder()
        .max_inbound_streams(1)
        .max_outbound_streams(1)
        .accept_backlog(1)
        .window(1)
        .window_agreed_out_of_band()
        .max_frame(1)
        .send_queue(1)
        .session_send_queue(1)
        .max_session_recv(1)
        .build()
        .unwrap()
}

fn largest() -> Config {
    Config::builder()
        .max_inbound_streams(usize::MAX)
        .max_outbound_streams(usize::MAX)
        .accept_backlog(usize::MAX)
        .window((1 << 31) - 1)
        .window_agreed_out_of_band()
        .max_frame((1 << 24) - 1)
        .send_queue(usize::MAX)
        .session_send_queue(usize::MAX)
        .max_session_recv(usize::MAX)
        .credit_delay(Duration::MAX)
        .write_stall(Duration::MAX)
        .drain_timeout(Duration::MAX)
        .close_linger(Duration::MAX)
        .build()
        .unwrap()
}

fn nothing() -> Config {
    Config::builder()
        .max_inbound_streams(0)
        .max_outbound_streams(1)
        .accept_backlog(0)
        .max_session_recv(0)
        .peer_drains(true)
        .build()
        .unwrap()
}

/// Every row, on the machine with each of its applications, and through the driver.
fn every_row(config: &Config) {
    for row in catalog::rows() {
        for app in catalog::APPS {
            let mut host = Host::new(row.side, config, app, row.opens);
            row.play(&mut host, usize::MAX, |host, at| {
                host.mux.audit().unwrap_or_else(|what| panic!("{}, {app:?}, byte {at}: {what}", row.name));
            });
            host.mux.handle_credit_due();
            host.mux.handle_sweep();
            host.turn();
            host.mux.handle_eof();
            host.drop_all();
            while let Ok(Some(key)) = host.mux.accept() {
                host.mux.release_send(key);
                host.mux.release_recv(key);
            }
            host.mux.audit().unwrap_or_else(|what| panic!("{}, {app:?}, at the end: {what}", row.name));
            assert_eq!(host.mux.stats().streams, 0, "{}, {app:?}", row.name);
        }
        // What is long is for the machine.
        if row.bytes().len() < 2000 {
            let writes = vec![b"ask".to_vec(); row.opens];
            let running = Running::start(row.side, config, &writes);
            running.one.from_peer.inject(&row.bytes());
            running.one.from_peer.cut();
            running.finish(Duration::ZERO).unwrap_or_else(|what| panic!("{}: {what}", row.name));
        }
    }
}

#[test]
fn f81_every_row_with_all_limits_at_one() {
    every_row(&smallest());
}

#[test]
fn f81_every_row_with_no_place_for_anybody() {
    every_row(&nothing());
}

#[test]
fn f82_every_row_with_all_limits_at_their_most() {
    every_row(&largest());
}

/// Real traffic, one stream after the other.
fn works(config: &Config, capacity: usize, len: usize) {
    let world = World::new();
    let pair = connected(&world, capacity, config);
    let question = vec![7; len];
    world.block_on(async {
        for _ in 0..3 {
            let ask = async {
                let mut ours = pair.client.open().await.unwrap();
                ours.write_all(&question).await.unwrap();
                ours.close().await.unwrap();
                let mut answer = Vec::new();
                ours.read_to_end(&mut answer).await.unwrap();
                assert!(answer == question);
            };
            let echo = async {
                let mut theirs = pair.server.accept().await.unwrap();
                let mut asked = Vec::new();
                theirs.read_to_end(&mut asked).await.unwrap();
                theirs.write_all(&asked).await.unwrap();
                theirs.close().await.unwrap();
            };
            futures_util::join!(ask, echo);
        }
    });
    assert_eq!((pair.client.audit(), pair.server.audit()), (Ok(()), Ok(())));
}

#[test]
fn f81_a_session_with_all_limits_at_one_works() {
    works(&smallest(), 1, 9);
}

#[test]
fn f82_a_session_with_all_limits_at_their_most_works() {
    works(&largest(), 1 << 20, 3_000_000);
}

#[test]
fn f83_s35_the_last_ids_are_used_up_and_no_further() {
    const LAST: u32 = (1 << 31) - 1;
    for (side, first) in [(Side::Client, LAST - 6), (Side::Server, LAST - 7)] {
        let mut peer = Peer::new(side);
        peer.mux.start_ids_at(StreamId::new(first).unwrap());
        let mut open: Vec<StreamKey> = Vec::new();
        let error = loop {
            match peer.mux.open() {
                Ok(key) => open.push(key),
                Err(error) => break error,
            }
        };
        assert_eq!(error, OpenError::StreamsExhausted);
        // One that never went out gives its id to another.
        let unused = open.pop().unwrap();
        peer.drop_stream(unused);
        open.push(peer.mux.open().unwrap());
        for key in &open {
            peer.mux.write(*key, b"x").unwrap();
        }
        // The very last id is kept for the filler of an early GOAWAY.
        let wire: Vec<u8> = (0..3).flat_map(|n| wire::syn(first + 2 * n, b"x")).collect();
        assert_eq!(peer.sent(), wire);
        for key in open {
            peer.mux.finish(key).unwrap();
            let _ = peer.sent();
            peer.drop_stream(key);
            assert_eq!(peer.mux.open(), Err(OpenError::StreamsExhausted), "no id comes back");
        }
        assert_eq!(peer.mux.end(), None, "and the session goes on");
        let theirs = if side == Side::Client { LAST - 1 } else { LAST };
        peer.feed(wire::syn(theirs, b"the peer's last"));
        assert_eq!(peer.accept_all().len(), 1);
        assert_eq!(peer.mux.audit(), Ok(()));
    }
}

/// F84: 256 streams each way, all windows full, nobody reads: what is held is what table B says, on both sides.
#[test]
fn f84_b03_b14_full_windows_on_every_stream_stay_within_the_table() {
    const WINDOW: usize = 256 * 1024;
    let mut pair = Pair::new(&Config::default());
    let keys: Vec<StreamKey> = (0..256).map(|_| pair.client.mux.open().unwrap()).collect();
    let piece = vec![7; 64 * 1024];
    let mut full = false;
    while !full {
        full = true;
        for key in &keys {
            while pair.client.mux.write(*key, &piece).unwrap() > 0 {
                full = false;
            }
        }
        let queued = pair.client.mux.retained();
        assert!(queued <= 2 * (512 * 1024 + 256 * 16 * 1024) + (1 << 20), "{queued} bytes wait to be sent");
        pair.run();
        let _ = pair.client.events();
    }
    let (unread, held) = (pair.server.mux.unread(), pair.server.mux.retained());
    assert_eq!(unread, 256 * WINDOW);
    assert!(held <= 256 * WINDOW + (8 << 20), "{held} bytes are held for {unread}");
    // The session goes on, and nothing is left when it is read.
    for key in pair.server.accept_all() {
        assert_eq!(pair.server.read_all(key).0.len(), WINDOW);
        pair.server.drop_stream(key);
    }
    for key in keys {
        pair.client.drop_stream(key);
    }
    pair.settle();
    assert_eq!((pair.client.mux.stats().streams, pair.server.mux.stats().streams), (0, 0));
    assert!(pair.server.mux.retained() < 1 << 20);
    assert_eq!((pair.client.mux.audit(), pair.server.mux.audit()), (Ok(()), Ok(())));
    assert!(pair.server.mux.end().is_none_or(|end| matches!(end.cause(), EndCause::PeerEof)));
}
