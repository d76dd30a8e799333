//! Looking inside a running session, in virtual time: what each stream waits for, and since when.

use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::inspection::{Driving, Inspection, Limit, StreamInspection, Waiting};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side, Stream};
use muxado_testkit::{Connected, World, alone, connected, wire};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn inspected() -> Config {
    Config::builder().inspection(true).record_frames(4).build().unwrap()
}

fn only(session: &Session) -> StreamInspection {
    let mut streams = session.inspect().streams;
    assert_eq!(streams.len(), 1);
    streams.remove(0)
}

fn reading(session: &Session) -> Option<(Waiting, Option<Duration>)> {
    only(session).reading.map(|wait| (wait.what, wait.so_far))
}

fn writing(session: &Session) -> Option<(Waiting, Option<Duration>)> {
    only(session).writing.map(|wait| (wait.what, wait.so_far))
}

fn waits(what: Waiting, so_far: u64) -> Option<(Waiting, Option<Duration>)> {
    Some((what, Some(secs(so_far))))
}

/// A world, a pair in it, and time that passes.
struct Scene {
    world: World,
    pair: Connected,
}

impl Scene {
    fn new(config: &Config) -> Scene {
        let world = World::new();
        let pair = connected(&world, 1 << 20, config);
        Scene { world, pair }
    }

    fn pass(&self, time: u64) {
        self.world.block_on(self.world.sleep(secs(time)));
        self.world.settle();
    }

    fn stream(&self) -> Stream {
        let mut stream = self.world.block_on(self.pair.client.open()).unwrap();
        self.world.block_on(stream.flush()).unwrap();
        self.world.settle();
        stream
    }

    fn accepted(&self) -> Stream {
        self.world.block_on(self.pair.server.accept()).unwrap()
    }

    /// Does something that does not end by itself.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(task);
        self.world.settle();
    }
}

#[test]
fn a_reader_waits_for_data_since_the_last_came() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    let mut theirs = scene.accepted();
    scene.pass(1);
    assert_eq!(reading(&scene.pair.client), None);
    scene.spawn(async move { while let Ok(Some(_)) = ours.read_chunk(9).await {} });
    scene.pass(7);
    assert_eq!(reading(&scene.pair.client), waits(Waiting::Data, 7));
    scene.world.block_on(theirs.write_all(b"x")).unwrap();
    scene.world.settle();
    scene.pass(2);
    assert_eq!(reading(&scene.pair.client), waits(Waiting::Data, 2));
}

#[test]
fn nobody_reads_a_stream_since_it_was_accepted() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    scene.world.block_on(ours.write_all(b"x")).unwrap();
    scene.pass(3);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Accept, 3));
    let _theirs = scene.accepted();
    scene.pass(5);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Reader, 5));
}

#[test]
fn nobody_reads_since_the_first_byte_came_or_the_last_was_read() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    scene.pass(3);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Accept, 3));
    let mut theirs = scene.accepted();
    assert_eq!(reading(&scene.pair.server), None);
    scene.world.block_on(ours.write_all(&[0; 1000])).unwrap();
    scene.pass(5);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Reader, 5));
    let inspection = scene.pair.server.inspect();
    assert!(inspection.to_string().ends_with("nobody reads: 1000 B unread for 5.0 s"), "{inspection}");
    scene.world.block_on(ours.write_all(&[0; 1000])).unwrap();
    scene.pass(1);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Reader, 6), "more to read changes nothing");
    scene.world.block_on(theirs.read_exact(&mut [0; 10])).unwrap();
    scene.pass(2);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Reader, 2));
}

#[test]
fn the_body_of_a_frame_that_comes_late_is_seen_when_it_is_there() {
    let world = World::new();
    let one = alone(&world, Side::Server, &inspected());
    let frame = wire::syn(3, &[0; 100]);
    one.from_peer.inject(&frame[..8]);
    world.settle();
    let _stream = world.block_on(one.session.accept()).unwrap();
    world.block_on(world.sleep(secs(4)));
    assert_eq!(reading(&one.session), None);
    one.from_peer.inject(&frame[8..]);
    world.settle();
    world.block_on(world.sleep(secs(6)));
    assert_eq!(reading(&one.session), waits(Waiting::Reader, 6));
}

#[test]
fn a_writer_waits_for_the_peer_to_read_since_it_last_did() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    let mut theirs = scene.accepted();
    scene.spawn(async move { while ours.write_all(&[0; 10_000]).await.is_ok() {} });
    scene.pass(9);
    assert_eq!(writing(&scene.pair.client), waits(Waiting::Credit, 9));
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Reader, 9));
    scene.world.block_on(async { theirs.read_exact(&mut [0; 200 * 1024]).await }).unwrap();
    scene.world.settle();
    scene.pass(2);
    assert_eq!(writing(&scene.pair.client), waits(Waiting::Credit, 2), "some of it could go");
}

#[test]
fn a_writer_waits_for_its_turn_and_the_driver_for_the_transport() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    scene.pair.to_server.set(|mood| mood.stuck = true);
    scene.world.block_on(ours.write_all(b"first")).unwrap();
    scene.pass(1);
    scene.world.block_on(ours.write_all(b"second")).unwrap();
    scene.pass(4);
    assert_eq!(writing(&scene.pair.client), waits(Waiting::Turn, 4), "the first is framed already");
    let driver = scene.pair.client.inspect().driver.unwrap();
    assert_eq!((driver.what, driver.so_far), (Driving::Transport, Some(secs(5))));
    scene.pair.to_server.set(|mood| mood.stuck = false);
    scene.world.settle();
    assert_eq!(writing(&scene.pair.client), None);
    let driver = scene.pair.client.inspect().driver.unwrap();
    assert_eq!((driver.what, driver.so_far), (Driving::Idle, None));
}

#[test]
fn the_transport_is_waited_for_since_it_last_took_something() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    scene.pair.to_server.set(|mood| mood.budget = Some(0));
    scene.world.block_on(ours.write_all(&[0; 100])).unwrap();
    scene.pass(3);
    let waits = || scene.pair.client.inspect().driver.unwrap().so_far;
    assert_eq!(waits(), Some(secs(3)));
    scene.pair.to_server.set(|mood| mood.budget = Some(9));
    scene.world.settle();
    scene.pass(2);
    assert_eq!(waits(), Some(secs(2)));
}

#[test]
fn a_writer_waits_for_the_sessions_queue() {
    let config = Config::builder().inspection(true).session_send_queue(100_000).build().unwrap();
    let scene = Scene::new(&config);
    let (mut first, mut second) = (scene.stream(), scene.stream());
    scene.pair.to_server.set(|mood| mood.stuck = true);
    scene.spawn(async move { while first.write_all(&[0; 10_000]).await.is_ok() {} });
    scene.pass(3);
    scene.spawn(async move { while second.write_all(&[0; 10_000]).await.is_ok() {} });
    scene.pass(5);
    let inspection = scene.pair.client.inspect();
    let waits: Vec<_> = inspection.streams.iter().filter_map(|stream| stream.writing).collect();
    assert!(
        waits.iter().any(|wait| wait.what == Waiting::SendQueue && wait.so_far.unwrap() >= secs(5)),
        "{inspection}"
    );
    assert!(inspection.limits.contains(&Limit::SessionSendQueue));
}

#[test]
fn what_is_over_waits_to_be_let_go_of_since_it_is() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    let mut theirs = scene.accepted();
    scene.world.block_on(ours.close()).unwrap();
    scene.world.block_on(theirs.close()).unwrap();
    scene.pass(30);
    assert_eq!(reading(&scene.pair.server), waits(Waiting::Release, 30));
    assert_eq!(reading(&scene.pair.client), waits(Waiting::Release, 30));
    drop(theirs);
    scene.world.settle();
    assert!(scene.pair.server.inspect().streams.is_empty());
}

#[test]
fn a_later_stream_in_the_same_place_begins_anew() {
    let scene = Scene::new(&inspected());
    for round in 0..3 {
        let ours = scene.stream();
        let theirs = scene.accepted();
        let (client, server) = (scene.pair.client.clone(), scene.pair.server.clone());
        assert_eq!((reading(&client), reading(&server)), (None, None), "{round}");
        let (send, mut recv) = theirs.into_split();
        scene.spawn(async move { _ = recv.read_chunk(1).await });
        scene.pass(5);
        assert_eq!(reading(&server), waits(Waiting::Data, 5), "{round}");
        drop((ours, send));
        scene.pass(1);
    }
}

#[test]
fn without_inspection_all_but_the_time_is_told() {
    let scene = Scene::new(&Config::default());
    let mut ours = scene.stream();
    let _theirs = scene.accepted();
    scene.spawn(async move { while ours.write_all(&[0; 10_000]).await.is_ok() {} });
    scene.pass(9);
    assert_eq!(writing(&scene.pair.client), Some((Waiting::Credit, None)));
    assert_eq!(reading(&scene.pair.server), Some((Waiting::Reader, None)));
    assert_eq!(scene.pair.client.inspect().age, Some(secs(9)));
    assert!(scene.pair.client.frames().is_empty());
}

#[test]
fn who_waits_to_open_is_counted() {
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let scene = Scene::new(&config);
    let _ours = scene.stream();
    let client = scene.pair.client.clone();
    scene.spawn(async move { drop(client.open().await) });
    let inspection: Inspection = scene.pair.client.inspect();
    assert_eq!((inspection.openers, inspection.limits.as_slice()), (1, &[Limit::MaxOutboundStreams][..]));
}

#[test]
fn the_last_frames_have_times_and_go_with_the_end() {
    let world = World::new();
    let one = alone(&world, Side::Server, &inspected());
    one.from_peer.inject(&wire::syn(3, b"one"));
    world.block_on(world.sleep(secs(2)));
    one.from_peer.inject(&wire::data(3, b"two"));
    world.settle();
    assert_eq!(
        one.session.frames().to_string(),
        "   0.000000 s  received  DATA    id 3       length 3       flags SYN\n   \
            2.000000 s  received  DATA    id 3       length 3       flags -"
    );
    one.from_peer.inject(&wire::wndinc(3, 0));
    let end = world.block_on(one.session.closed());
    assert_eq!(end.frames().unwrap().as_slice().len(), 2);
    assert_eq!(end.frames().unwrap().passed(), 2);
}

/// He has asked for more than there was, and got what there was: nobody waits before he asks again.
#[test]
fn who_has_read_all_there_was_waits_for_nothing() {
    let scene = Scene::new(&inspected());
    let mut ours = scene.stream();
    let mut theirs = scene.accepted();
    for len in [1, 1000, 100_000] {
        scene.world.block_on(ours.write_all(&vec![7; len])).unwrap();
        scene.world.settle();
        let mut left = len;
        while left > 0 {
            left -= scene.world.block_on(theirs.read(&mut vec![0; 200_000])).unwrap();
        }
        assert_eq!(reading(&scene.pair.server), None, "{len}");
    }
}
