//! The wake matrix (lessons, B4): whoever waits for anything, however the session ends, is told, what and when.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{
    AcceptError, Closed, Config, EndCause, ErrorCode, OpenError, ReadError, RecvStream, SendStream, Session,
    SessionEnd, Side, WriteError,
};
use muxado_testkit::{Lane, Watched, World, pipe, wire};

use crate::trap::{Axe, Call, Trap, Trigger, run};

/// What somebody waits for.
const WAITS: [&str; 9] =
    ["read", "read_exact", "write", "open", "accept", "closed", "drain", "close", "shutdown"];

/// How it ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Fin,
    Rst,
    GoAwayWithoutUs,
    GoAwayWithUs,
    Eof,
    ReadError,
    WriteError,
    LocalClose,
    DrainDeadline,
    LastHandle,
    DriverDropped,
    DriverPanicked,
    WriteStall,
    Misbehaved,
    BudgetEmpty,
}

/// One session with one stream, which has no credit and nothing to read, and no place for another.
struct Scene {
    world: World,
    session: Option<Session>,
    halves: Option<(SendStream, RecvStream)>,
    from_peer: Lane,
    to_peer: Lane,
    axe: Axe,
    trigger: Trigger,
    /// The peer's end of the transport.
    _peer: muxado_testkit::End,
}

impl Scene {
    fn new() -> Scene {
        let world = World::new();
        let (near, peer) = pipe(1 << 20);
        let (from_peer, to_peer) = (near.read.lane(), near.write.lane());
        let (axe, trigger) = (Axe::default(), Trigger::default());
        let config = Config::builder().max_outbound_streams(1).build().unwrap();
        let read = Trap::new(near.read, Call::Read, &trigger);
        let (session, driver) = Session::from_halves(Side::Client, read, near.write, &config, world.clone());
        run(&world, driver, &axe);
        let mut stream = world.block_on(session.open()).unwrap();
        world.block_on(stream.write_all(&vec![0; 256 * 1024 + 16 * 1024])).unwrap();
        world.settle();
        drop(to_peer.take());
        world.settle();
        let (session, halves) = (Some(session), Some(stream.into_split()));
        Scene { world, session, halves, from_peer, to_peer, axe, trigger, _peer: peer }
    }

    fn session(&self) -> &Session {
        self.session.as_ref().unwrap()
    }

    /// A task that waits, and writes down what it is told.
    fn wait(&mut self, what: &str) -> Told {
        let told = Told::default();
        let secs = Duration::from_secs;
        let waiting: Pin<Box<dyn Future<Output = String> + Send>> = match what {
            "read" | "read_exact" => {
                let (send, mut recv) = self.halves.take().unwrap();
                let exact = what == "read_exact";
                Box::pin(async move {
                    let _send = send;
                    match exact {
                        true => io_text(recv.read_exact(&mut [0; 9]).await.unwrap_err()),
                        false => match recv.read_chunk(9).await {
                            Ok(None) => "the end".into(),
                            Ok(Some(_)) => "bytes".into(),
                            Err(error) => read_text(&error),
                        },
                    }
                })
            }
            "write" => {
                let (mut send, recv) = self.halves.take().unwrap();
                Box::pin(async move {
                    let _recv = recv;
                    send.write_chunk(b"more"[..].into())
                        .await
                        .map_or_else(|error| write_text(&error), |()| "written".into())
                })
            }
            "stopped" => {
                let stopped = self.halves.as_ref().unwrap().0.stopped();
                Box::pin(async { stopped.await.map_or_else(|error| write_text(&error), |()| "fine".into()) })
            }
            "open" => {
                let open = self.session().open();
                Box::pin(async { open.await.map_or_else(|error| open_text(&error), |_| "opened".into()) })
            }
            "accept" => {
                let accept = self.session().accept();
                Box::pin(async {
                    accept.await.map_or_else(|error| accept_text(&error), |_| "accepted".into())
                })
            }
            "closed" => ended(self.session().closed()),
            "drain" => ended(self.session().drain(secs(3600))),
            "close" => {
                // Something must be left to send, and no way to send it.
                let (send, recv) = self.halves.take().unwrap();
                drop((send, recv));
                ended(self.session().close(ErrorCode::INTERNAL_ERROR, "first"))
            }
            _ => unreachable!("{what}"),
        };
        let (clock, note) = (self.world.clone(), told.clone());
        self.world.spawn(Watched::new(Box::pin(async move {
            let text = waiting.await;
            *note.lock().unwrap() = Some((text, clock.elapsed().as_millis()));
        })));
        self.world.settle();
        assert_eq!(*told.lock().unwrap(), None, "{what} does not wait");
        told
    }

    fn end(&mut self, end: End) {
        let provoke = || self.from_peer.inject(&wire::data(100, b"makes us answer"));
        match end {
            End::Fin => self.from_peer.inject(&wire::fin(3)),
            End::Rst => self.from_peer.inject(&wire::rst(3, 7)),
            End::GoAwayWithoutUs => self.from_peer.inject(&wire::go_away(0, 7, b"")),
            End::GoAwayWithUs => self.from_peer.inject(&wire::go_away(3, 7, b"")),
            End::Eof => self.from_peer.cut(),
            End::ReadError => {
                self.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset));
            }
            End::WriteError => {
                self.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe));
                provoke();
            }
            End::LocalClose => drop(self.session().close(ErrorCode::NO_ERROR, "bye")),
            End::DrainDeadline => drop(self.session().drain(Duration::from_secs(1))),
            End::LastHandle => drop(self.session.take()),
            End::DriverDropped => self.axe.fall(),
            End::DriverPanicked => {
                self.trigger.arm(0);
                provoke();
            }
            End::WriteStall => {
                self.to_peer.set(|mood| mood.stuck = true);
                provoke();
            }
            End::Misbehaved => self.from_peer.inject(&[0; 8]),
            End::BudgetEmpty => self.from_peer.inject(&wire::header(15, 0, 0, 2).repeat(10_001)),
        }
        self.world.settle();
    }
}

/// What was told, and after how many milliseconds.
type Told = Arc<Mutex<Option<(String, u128)>>>;

fn ended(closed: Closed) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async { end_text(&closed.await) })
}

fn end_text(end: &SessionEnd) -> String {
    let name = match end.cause() {
        EndCause::Closed { .. } => "closed",
        EndCause::GoAway { .. } => "goaway",
        EndCause::PeerEof => "eof",
        EndCause::PeerMisbehaved(_) => "misbehaved",
        EndCause::WriteStalled => "stalled",
        EndCause::Transport(_) => "transport",
        EndCause::DriverDropped => "dropped",
        _ => "another",
    };
    format!("{name} {}", end.code().get())
}

fn read_text(error: &ReadError) -> String {
    match error {
        ReadError::Reset(reset) => format!("reset {} {:?}", reset.code().get(), reset.initiator()),
        ReadError::Session(lost) => format!("{} {:?}", end_text(lost.end()), lost.retry()),
        _ => "another".into(),
    }
}

fn write_text(error: &WriteError) -> String {
    match error {
        WriteError::Reset(reset) => format!("reset {} {:?}", reset.code().get(), reset.initiator()),
        WriteError::Session(lost) => format!("{} {:?}", end_text(lost.end()), lost.retry()),
        _ => "finished".into(),
    }
}

fn io_text(error: io::Error) -> String {
    format!("{:?}", error.kind())
}

fn open_text(error: &OpenError) -> String {
    match error {
        OpenError::Draining => "draining".into(),
        OpenError::GoneAway(end) => format!("gone away, {}", end_text(end)),
        OpenError::Session(end) => end_text(end),
        _ => "another".into(),
    }
}

fn accept_text(error: &AcceptError) -> String {
    end_text(error.end())
}

/// Flushing and shutting down never wait, and flushing never fails: what shutting down says afterwards.
fn afterwards(scene: &mut Scene) -> String {
    let Some((mut send, recv)) = scene.halves.take() else { return "-".into() };
    scene.world.block_on(send.flush()).unwrap();
    let said = scene.world.block_on(send.close());
    drop(recv);
    said.map_or_else(io_text, |()| "fine".into())
}

fn play(wait: &str, end: End) -> String {
    let mut scene = Scene::new();
    let clock = scene.world.clone();
    let minute = || clock.block_on(clock.sleep(Duration::from_secs(60)));
    if wait == "shutdown" {
        scene.end(end);
        minute();
        return afterwards(&mut scene);
    }
    let told = scene.wait(wait);
    scene.end(end);
    minute();
    if let Some((text, millis)) = &*told.lock().unwrap() {
        return format!("{text} @{millis}");
    }
    // It goes on: the end of the transport is the end of that too.
    scene.from_peer.cut();
    minute();
    assert!(told.lock().unwrap().is_some(), "{end:?} and EOF: {wait} waits for ever");
    "waits".into()
}

#[test]
fn f40_f41_f64_everybody_who_waits_is_told_of_every_end() {
    let mut wrong = Vec::new();
    for (end, expected) in TABLE {
        for (wait, expected) in WAITS.iter().zip(expected) {
            let said = play(wait, *end);
            if said != *expected {
                wrong.push(format!("{end:?} × {wait}: {said}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same, at the same time, as whoever writes.
#[test]
fn f40_f41_f64_whoever_waits_for_a_stream_to_be_stopped_is_told_of_every_end() {
    for (end, [_, _, written, ..]) in TABLE {
        assert_eq!(play("stopped", *end), *written, "{end:?}");
    }
}

/// What is said, and after how many milliseconds, in the order of [`WAITS`].
#[rustfmt::skip]
const TABLE: &[(End, [&str; 9])] = &[
    (End::Fin, [
        "the end @0", "UnexpectedEof @0", "waits",
        "waits", "waits", "waits",
        "waits", "closed 2 @5250", "fine",
    ]),
    (End::Rst, [
        "reset 7 Remote @0", "ConnectionReset @0", "reset 7 Remote @0",
        "waits", "waits", "waits",
        "closed 0 @250", "closed 2 @250", "ConnectionReset",
    ]),
    (End::GoAwayWithoutUs, [
        "goaway 7 NotProcessed @0", "ConnectionReset @0", "goaway 7 NotProcessed @0",
        "gone away, goaway 7 @0", "goaway 7 @30000", "goaway 7 @30250",
        "closed 0 @250", "closed 2 @250", "ConnectionReset",
    ]),
    (End::GoAwayWithUs, [
        "goaway 7 Unknown @30000", "ConnectionReset @30000", "goaway 7 Unknown @30000",
        "gone away, goaway 7 @0", "goaway 7 @30000", "goaway 7 @30250",
        "closed 0 @30250", "closed 2 @5250", "ConnectionReset",
    ]),
    (End::Eof, [
        "eof 15 Unknown @0", "ConnectionReset @0", "eof 15 Unknown @0",
        "eof 15 @0", "eof 15 @0", "eof 15 @0",
        "eof 15 @0", "closed 2 @0", "ConnectionReset",
    ]),
    (End::ReadError, [
        "transport 15 Unknown @0", "ConnectionReset @0", "transport 15 Unknown @0",
        "transport 15 @0", "transport 15 @0", "transport 15 @0",
        "transport 15 @0", "closed 2 @0", "ConnectionReset",
    ]),
    (End::WriteError, [
        "transport 15 Unknown @250", "ConnectionReset @250", "transport 15 Unknown @250",
        "transport 15 @250", "transport 15 @250", "transport 15 @250",
        "transport 15 @250", "closed 2 @5000", "ConnectionReset",
    ]),
    (End::LocalClose, [
        "closed 0 Unknown @0", "ConnectionAborted @0", "closed 0 Unknown @0",
        "closed 0 @0", "closed 0 @0", "closed 0 @250",
        "closed 0 @250", "closed 2 @5250", "ConnectionAborted",
    ]),
    (End::DrainDeadline, [
        "closed 0 Unknown @1000", "ConnectionAborted @1000", "closed 0 Unknown @1000",
        "draining @0", "closed 0 @1000", "closed 0 @1250",
        "closed 0 @1250", "closed 2 @1250", "ConnectionAborted",
    ]),
    (End::LastHandle, [
        "waits", "waits", "waits",
        "draining @0", "waits", "waits",
        "waits", "closed 2 @5250", "fine",
    ]),
    (End::DriverDropped, [
        "dropped 14 Unknown @0", "ConnectionAborted @0", "dropped 14 Unknown @0",
        "dropped 14 @0", "dropped 14 @0", "dropped 14 @0",
        "dropped 14 @0", "closed 2 @0", "ConnectionAborted",
    ]),
    (End::DriverPanicked, [
        "dropped 14 Unknown @0", "ConnectionAborted @0", "dropped 14 Unknown @0",
        "dropped 14 @0", "dropped 14 @0", "dropped 14 @0",
        "dropped 14 @0", "closed 2 @0", "ConnectionAborted",
    ]),
    (End::WriteStall, [
        "stalled 13 Unknown @30000", "ConnectionAborted @30000", "stalled 13 Unknown @30000",
        "stalled 13 @30000", "stalled 13 @30000", "stalled 13 @30250",
        "stalled 13 @30250", "closed 2 @5250", "ConnectionAborted",
    ]),
    (End::Misbehaved, [
        "misbehaved 8 Unknown @0", "ConnectionReset @0", "misbehaved 8 Unknown @0",
        "misbehaved 8 @0", "misbehaved 8 @0", "misbehaved 8 @250",
        "misbehaved 8 @250", "closed 2 @250", "ConnectionReset",
    ]),
    (End::BudgetEmpty, [
        "misbehaved 10 Unknown @0", "ConnectionReset @0", "misbehaved 10 Unknown @0",
        "misbehaved 10 @0", "misbehaved 10 @0", "misbehaved 10 @250",
        "misbehaved 10 @250", "closed 2 @250", "ConnectionReset",
    ]),
];

/// Of several limits the earliest counts, whoever set it first.
#[test]
fn s78_the_peers_goodbye_shortens_a_longer_drain() {
    let mut scene = Scene::new();
    let drained = scene.session().drain(Duration::from_secs(3600));
    scene.end(End::GoAwayWithUs);
    scene.world.block_on(drained);
    assert_eq!(scene.world.elapsed(), Duration::from_millis(30_250));
}
