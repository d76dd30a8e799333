//! Heartbeats in virtual time: when beats go out, what counts as life, and when silence has lasted too long.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, Session, Side};
use muxado_heartbeat::{Beat, BeatError, Heartbeat, HeartbeatConfig, Policy};
use muxado_testkit::{Alone, Faced, Sleep, World, alone, connected, counter, poll, slow, wire};
use muxado_typed::{Router, Typed};

const BEATS: [u8; 4] = [0xFF; 4];

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn typed(world: &World, session: &Session) -> Typed<Faced> {
    Typed::new(Faced::new(session, world))
}

fn started(world: &World, one: &Alone, config: HeartbeatConfig) -> Heartbeat<Faced> {
    world.block_on(Heartbeat::start(typed(world, &one.session), config)).unwrap()
}

/// What the task told its callback, and when.
type Told = Arc<Mutex<Vec<(Duration, Beat)>>>;

fn echo(rtt: Duration) -> Beat {
    Beat::Echo { rtt }
}

fn silence(lasted: Duration) -> Beat {
    Beat::Silence { lasted }
}

fn telling(world: &World, config: HeartbeatConfig) -> (HeartbeatConfig, Told) {
    let told = Told::default();
    let (tell, clock) = (told.clone(), world.clone());
    let config = config.on_beat(move |beat| tell.lock().unwrap().push((clock.elapsed(), beat)));
    (config, told)
}

/// Takes the four bytes of one beat out of what was sent, behind `before`.
fn beat(sent: &[u8], before: &[u8]) -> [u8; 4] {
    let rest = sent.strip_prefix(before).unwrap();
    let value = rest.strip_prefix(&wire::data(3, b"")[..0]).unwrap();
    let value: [u8; 4] = value[value.len() - 4..].try_into().unwrap();
    assert_eq!(rest, wire::data(3, &value));
    value
}

/// Reads the peer's streams and answers their beats, until the session ends.
fn serve(world: &World, heartbeat: Heartbeat<Faced>) {
    world.spawn(async move { while heartbeat.accept().await.is_ok() {} });
}

#[test]
fn a_beat_goes_out_at_once_and_after_each_interval_and_its_echo_is_timed() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let (config, told) = telling(&world, HeartbeatConfig::default());
    let heartbeat = started(&world, &one, config);
    world.settle();
    let sent = one.to_peer.take();
    // The type and the first beat may share a frame.
    let first: [u8; 4] = sent[sent.len() - 4..].try_into().unwrap();
    let together = wire::syn(3, &[BEATS, first].concat());
    assert!(sent == together || sent == [wire::syn(3, &BEATS), wire::data(3, &first)].concat(), "{sent:?}");
    world.block_on(world.sleep(Duration::from_millis(30)));
    one.from_peer.inject(&wire::data(3, &first));
    world.settle();
    assert_eq!(heartbeat.rtt(), Some(Duration::from_millis(30)));
    world.block_on(world.sleep(Duration::from_millis(9_969)));
    drop(one.to_peer.take());
    world.block_on(world.sleep(Duration::from_millis(1)));
    let second = beat(&one.to_peer.take(), b"");
    assert_ne!(first, second);
    // An echo in pieces is one echo.
    one.from_peer.inject(&wire::data(3, &second[..1]));
    world.settle();
    one.from_peer.inject(&wire::data(3, &second[1..]));
    world.settle();
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        [(Duration::from_millis(30), echo(Duration::from_millis(30))), (secs(10), echo(Duration::ZERO))]
    );
}

#[test]
fn a_black_hole_is_found_exactly_after_interval_and_tolerance() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let (config, told) =
        telling(&world, HeartbeatConfig::default().policy(Policy::Close(ErrorCode::new(77))));
    let _heartbeat = started(&world, &one, config);
    // The last sign of life: something on another stream.
    world.block_on(world.sleep(secs(3)));
    one.from_peer.inject(&wire::syn(2, b"x"));
    let end = world.block_on(one.session.closed());
    assert_eq!(end.code(), ErrorCode::new(77));
    assert!(matches!(end.cause(), EndCause::Closed { .. }));
    assert_eq!(*told.lock().unwrap(), [(secs(28), silence(secs(25)))]);
}

#[test]
fn silence_may_only_be_reported_again_and_again() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let config = HeartbeatConfig::default().interval(secs(1)).tolerance(secs(2)).policy(Policy::Report);
    let (config, told) = telling(&world, config);
    let _heartbeat = started(&world, &one, config);
    world.block_on(world.sleep(secs(10)));
    assert!(one.session.end().is_none());
    let expected: Vec<_> = [3, 6, 9].map(|at| (secs(at), silence(secs(3)))).into();
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn times_of_zero_are_a_busy_heartbeat_and_no_endless_loop() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let zero = HeartbeatConfig::default().interval(Duration::ZERO).tolerance(Duration::ZERO);
    let (told, clock) = (Told::default(), world.clone());
    let tell = told.clone();
    let config = zero.policy(Policy::Report).on_beat(move |beat| {
        let mut told = tell.lock().unwrap();
        told.push((clock.elapsed(), beat));
        assert!(told.len() <= 3, "told without end");
    });
    let heartbeat = started(&world, &one, config);
    world.settle();
    assert!(told.lock().unwrap().is_empty());
    let ms = Duration::from_millis;
    world.block_on(world.sleep(Duration::from_micros(3500)));
    assert_eq!(*told.lock().unwrap(), [1, 2, 3].map(|at| (ms(at), silence(ms(1)))));
    told.lock().unwrap().clear();
    // The same if it comes to that later.
    heartbeat.set_interval(secs(10));
    world.settle();
    heartbeat.set_tolerance(Duration::ZERO);
    heartbeat.set_interval(Duration::ZERO);
    world.block_on(world.sleep(ms(2)));
    assert_eq!(told.lock().unwrap().len(), 2);
}

/// 200 KB/s, 4 MiB under way in each direction, and one minute: beats are late, but the link is alive.
#[test]
fn a_busy_link_is_never_taken_for_dead_and_beats_go_before_bulk() {
    let world = World::new();
    let pair = connected(&world, 64 * 1024, &Config::default());
    slow(&world, pair.to_server.clone(), 20_000);
    slow(&world, pair.to_client.clone(), 20_000);
    let (config, told) = telling(&world, HeartbeatConfig::default());
    let (client, server) = world.block_on(async {
        let client = Heartbeat::start(typed(&world, &pair.client), config.clone()).await.unwrap();
        let server = Heartbeat::start(typed(&world, &pair.server), config).await.unwrap();
        (client, server)
    });
    for (from, to) in [(client.clone(), server.clone()), (server.clone(), client.clone())] {
        world.spawn(async move {
            let mut bulk = from.open(1).await.unwrap();
            bulk.write_all(&vec![7; 4 << 20]).await.unwrap();
            bulk.close().await.unwrap();
        });
        let tasks = world.clone();
        world.spawn(async move {
            while let Ok(mut stream) = to.accept().await {
                tasks.spawn(async move { drop(stream.read_to_end(&mut Vec::new()).await) });
            }
        });
    }
    world.block_on(world.sleep(secs(60)));
    let told = told.lock().unwrap();
    assert!(told.len() >= 10, "{} echoes", told.len());
    let in_time = |beat: &Beat| matches!(beat, Beat::Echo { rtt } if *rtt < secs(4));
    assert!(told.iter().all(|(_, beat)| in_time(beat)), "{told:?}");
    assert!(pair.client.end().is_none() && pair.server.end().is_none());
}

#[test]
fn an_echo_goes_before_bulk_however_urgent_that_is() {
    let world = World::new();
    let pair = connected(&world, 64 * 1024, &Config::default());
    slow(&world, pair.to_client.clone(), 20_000);
    world.block_on(async {
        let client = Heartbeat::start(typed(&world, &pair.client), HeartbeatConfig::default());
        let server = Heartbeat::start(typed(&world, &pair.server), HeartbeatConfig::default());
        let (client, server) = (client.await.unwrap(), server.await.unwrap());
        serve(&world, server.clone());
        for _ in 0..8 {
            let mut urgent = server.open(1).await.unwrap();
            urgent.get_ref().set_priority(i8::MAX - 1);
            world.spawn(async move { urgent.write_all(&vec![7; 1 << 20]).await.unwrap() });
        }
        let tasks = world.clone();
        let reading = client.clone();
        world.spawn(async move {
            while let Ok(mut stream) = reading.accept().await {
                tasks.spawn(async move { drop(stream.read_to_end(&mut Vec::new()).await) });
            }
        });
        world.sleep(secs(5)).await;
        let rtt = client.beat(secs(10)).await.unwrap();
        assert!(rtt < secs(4), "{rtt:?}");
    });
}

/// A runtime whose tasks begin at once, as on another thread.
#[derive(Clone)]
struct AtOnce(World);

impl Runtime for AtOnce {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut future = Box::pin(future);
        if poll(&mut future, Waker::noop()).is_pending() {
            self.0.spawn(future);
        }
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }
}

/// The first beat finds the type in the stream's queue.
#[test]
fn a_beat_goes_out_whole_however_little_there_is_room_for_at_once() {
    for room in 4..=8 {
        let world = World::new();
        let config = Config::builder().send_queue(room).build().unwrap();
        let pair = connected(&world, 1 << 16, &config);
        let client = Typed::new(Faced { session: pair.client.clone(), runtime: AtOnce(world.clone()) });
        world.block_on(async {
            let quiet = HeartbeatConfig::default();
            let server = Heartbeat::start(typed(&world, &pair.server), quiet.clone().without_beats());
            serve(&world, server.await.unwrap());
            let client = Heartbeat::start(client, quiet).await.unwrap();
            for _ in 0..3 {
                assert_eq!(client.beat(secs(1)).await, Ok(Duration::ZERO), "{room}");
            }
        });
    }
}

#[test]
fn one_on_demand_has_a_limit_of_its_own() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let heartbeat = started(&world, &one, HeartbeatConfig::default().policy(Policy::Report));
    assert_eq!(world.block_on(heartbeat.beat(secs(2))), Err(BeatError::TimedOut));
    assert_eq!(world.elapsed(), secs(2));
    let pair = connected(&world, 1 << 16, &Config::default());
    let (client, server) = world.block_on(async {
        let quiet = HeartbeatConfig::default();
        let client = Heartbeat::start(typed(&world, &pair.client), quiet.clone()).await.unwrap();
        (client, Heartbeat::start(typed(&world, &pair.server), quiet.without_beats()).await.unwrap())
    });
    serve(&world, server);
    for _ in 0..3 {
        assert_eq!(world.block_on(client.beat(secs(1))), Ok(Duration::ZERO));
    }
    drop(pair.client.close(ErrorCode::NO_ERROR, ""));
    world.settle();
    assert_eq!(world.block_on(client.beat(secs(1))), Err(BeatError::Ended));
    assert_eq!(world.block_on(client.next_rtt()), None);
}

#[test]
fn the_times_may_change_while_it_runs() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let (config, told) = telling(&world, HeartbeatConfig::default().policy(Policy::Report));
    let heartbeat = started(&world, &one, config);
    world.block_on(world.sleep(secs(1)));
    heartbeat.set_interval(secs(2));
    heartbeat.set_tolerance(secs(3));
    world.block_on(world.sleep(secs(5)));
    assert_eq!(*told.lock().unwrap(), [(secs(5), silence(secs(5)))]);
}

#[test]
fn without_beats_it_is_an_idle_limit() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let config = HeartbeatConfig::default().interval(secs(20)).tolerance(secs(10)).without_beats();
    let _heartbeat = started(&world, &one, config);
    world.block_on(world.sleep(secs(29)));
    assert_eq!(one.to_peer.take(), b"");
    one.from_peer.inject(&wire::syn(2, b"x"));
    world.block_on(one.session.closed());
    assert_eq!(world.elapsed(), secs(29 + 30) + Duration::from_millis(250));
}

/// Neither the stream of beats nor its answer keeps a session from its end, or its task alive.
#[test]
fn a_heartbeat_keeps_no_session_open() {
    for dropped in [false, true] {
        let world = World::new();
        let pair = connected(&world, 1 << 16, &Config::default());
        let config = HeartbeatConfig::default();
        let (client, server) = world.block_on(async {
            let client = Heartbeat::start(typed(&world, &pair.client), config.clone()).await.unwrap();
            (client, Heartbeat::start(typed(&world, &pair.server), config).await.unwrap())
        });
        serve(&world, client.clone());
        serve(&world, server);
        world.settle();
        let closed = pair.client.closed();
        if dropped {
            let end = world.block_on(pair.client.drain(secs(60)));
            assert!(end.is_clean() && end.cut().is_nothing(), "{end} {:?}", end.cut());
            drop((client, pair));
        } else {
            drop(pair.server.drain(secs(60)));
            assert!(world.block_on(closed).is_clean());
        }
        world.block_on(world.sleep(secs(1)));
        assert_eq!((world.elapsed() <= secs(2), world.tasks()), (true, 0));
    }
}

#[test]
fn s91_b29_four_streams_of_beats_are_answered_and_more_are_refused() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let heartbeat = started(&world, &one, HeartbeatConfig::default().without_beats());
    serve(&world, heartbeat);
    for id in [3, 5, 7, 9, 11] {
        one.from_peer.inject(&wire::syn(id, &[BEATS, [0, 0, 0, id as u8]].concat()));
    }
    world.settle();
    let echoes: Vec<u8> = [3, 5, 7, 9].map(|id| wire::data(id, &[0, 0, 0, id as u8])).concat();
    assert_eq!(one.to_peer.take(), [wire::rst(11, 5), echoes].concat());
    // Its end is not a beat: nothing but FIN goes back, and a place is free.
    one.from_peer.inject(&wire::fin(3));
    world.settle();
    assert_eq!(one.to_peer.take(), wire::fin(3));
    one.from_peer.inject(&wire::syn(13, &[BEATS, *b"beat"].concat()));
    world.settle();
    assert_eq!(one.to_peer.take(), wire::data(13, b"beat"));
}

#[test]
fn s91_beats_without_end_leave_others_their_turn() {
    const BYTES: usize = 4 * 10_000;
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let heartbeat = started(&world, &one, HeartbeatConfig::default().without_beats());
    serve(&world, heartbeat);
    one.from_peer.inject(&wire::syn(3, &BEATS));
    world.settle();
    let before = world.polls();
    one.from_peer.inject(&wire::data(3, &[7; BYTES]));
    world.settle();
    assert!(world.polls() - before >= 500, "{} turns for so many", world.polls() - before);
    assert_eq!(one.session.stats().bytes_sent as usize / BYTES, 1, "all of them are answered");
}

#[test]
fn s91_a_wrong_echo_ends_the_stream_of_beats_and_life_is_what_else_comes() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let (config, told) = telling(&world, HeartbeatConfig::default());
    let heartbeat = started(&world, &one, config);
    world.settle();
    drop(one.to_peer.take());
    let (mut beat, mut next) = (Box::pin(heartbeat.beat(secs(1))), Box::pin(heartbeat.next_rtt()));
    assert!(poll(&mut beat, Waker::noop()).is_pending() && poll(&mut next, Waker::noop()).is_pending());
    one.from_peer.inject(&wire::data(3, b"\0\0\0\0"));
    world.settle();
    // The heartbeat has not ended for that: they wait as whoever comes later does.
    assert!(poll(&mut beat, Waker::noop()).is_pending() && poll(&mut next, Waker::noop()).is_pending());
    assert_eq!(one.to_peer.take(), wire::rst(3, 1));
    for _ in 0..10 {
        world.block_on(world.sleep(secs(20)));
        one.from_peer.inject(&wire::wndinc(3, 1));
    }
    assert!(one.session.end().is_none());
    world.block_on(one.session.closed());
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[test]
fn whoever_routes_streams_by_their_type_answers_beats_as_well() {
    let world = World::new();
    let pair = connected(&world, 1 << 16, &Config::default());
    world.block_on(async {
        let server = typed(&world, &pair.server);
        let heartbeat = Heartbeat::start(server.clone(), HeartbeatConfig::default()).await.unwrap();
        let router = Router::new(server).handle(7, 1, |mut stream| async move {
            stream.write_all(b"seven").await.unwrap();
            stream.close().await.unwrap();
        });
        let router = heartbeat.answer_in(router);
        world.spawn(async move { drop(router.run().await) });

        let client = Heartbeat::start(typed(&world, &pair.client), HeartbeatConfig::default()).await.unwrap();
        assert!(client.beat(secs(1)).await.is_ok());
        let mut answer = String::new();
        client.open(7).await.unwrap().read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "seven");
        // And the other way: the client answers as it accepts.
        serve(&world, client);
        assert!(heartbeat.beat(secs(1)).await.is_ok());
    });
}

/// The task of the heartbeat is dropped where it stands, with its runtime or in a panic of the callback: nobody goes on to
/// wait for echoes that cannot come.
#[test]
fn whoever_waits_for_an_echo_is_told_when_the_task_is_gone() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let heartbeat = started(&world, &one, HeartbeatConfig::default());
    world.settle();
    let (told, waker) = counter();
    let mut next = Box::pin(heartbeat.next_rtt());
    let mut beat = Box::pin(heartbeat.beat(secs(60)));
    assert!(poll(&mut next, &waker).is_pending() && poll(&mut beat, &waker).is_pending());
    world.shut_down();
    assert!(told.count() >= 2);
    assert_eq!(poll(&mut next, &waker), Poll::Ready(None));
    assert_eq!(poll(&mut beat, &waker), Poll::Ready(Err(BeatError::Ended)));
    drop((next, beat));
    assert_eq!(poll(&mut Box::pin(heartbeat.next_rtt()), &waker), Poll::Ready(None));
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    shared::<Heartbeat<Faced>>();
    shared::<HeartbeatConfig>();
    shared::<Policy>();
    shared::<BeatError>();
    let _ = |typed: Typed<Faced>, heartbeat: &Heartbeat<Faced>| {
        sent(Heartbeat::start(typed, HeartbeatConfig::default()));
        sent((heartbeat.open(1), heartbeat.accept()));
        sent((heartbeat.beat(secs(1)), heartbeat.next_rtt()));
    };
}
