//! W01 to W15 on whatever two machines say to each other under random commands, and what must hold whatever is done:
//! I2 (what is read is what was written, and a clean end means all of it), I7, I8, I10 (places come back), I11 (nobody
//! waits for what is there already).

use std::time::Duration;

use muxado_core::Config;
use muxado_core::proto::{Event, Read, StreamKey};
use muxado_frame::{ErrorCode, StreamId};
use muxado_testkit::{Pair, Peer, assert_sender_rules};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Command {
    Open,
    Accept,
    Write(usize),
    Read(usize),
    Flush,
    Finish,
    Reset(u32),
    Refuse,
    DropSend,
    DropRecv,
    DropBoth,
    Priority(i8),
    Step(usize),
    CreditDue,
    Sweep,
    /// Microseconds pass.
    Time(u64),
}

/// One end of a stream as its application sees it.
struct Handle {
    key: StreamKey,
    id: Option<u32>,
    written: Vec<u8>,
    read: Vec<u8>,
    send_held: bool,
    recv_held: bool,
    finished: bool,
    /// The end of the stream was read.
    ended: bool,
    /// Reset, refused or dropped unfinished by this side, at whatever cost to the other.
    broken: bool,
    waits_to_read: bool,
    waits_to_write: bool,
}

impl Handle {
    fn new(key: StreamKey) -> Handle {
        Handle {
            key,
            id: None,
            written: Vec::new(),
            read: Vec::new(),
            send_held: true,
            recv_held: true,
            finished: false,
            ended: false,
            broken: false,
            waits_to_read: false,
            waits_to_write: false,
        }
    }
}

/// One side's application.
#[derive(Default)]
struct App {
    handles: Vec<Handle>,
    waits_to_accept: bool,
    waits_to_open: bool,
    now: Duration,
}

impl App {
    fn act(&mut self, peer: &mut Peer, command: &Command, which: usize) {
        match command {
            Command::Open => match peer.mux.open() {
                Ok(key) => self.handles.push(Handle::new(key)),
                Err(_) => self.waits_to_open = true,
            },
            Command::Accept => match peer.mux.accept().unwrap() {
                Some(key) => self.handles.push(Handle::new(key)),
                None => self.waits_to_accept = true,
            },
            Command::CreditDue => peer.mux.handle_credit_due(),
            Command::Sweep => peer.mux.handle_sweep(),
            Command::Time(micros) => {
                self.now += Duration::from_micros(*micros);
                peer.mux.handle_time(self.now);
            }
            _ if self.handles.is_empty() => {}
            _ => {
                let which = which % self.handles.len();
                act_on(peer, &mut self.handles[which], command);
            }
        }
        self.note(peer);
        peer.mux.audit().unwrap();
    }

    /// Takes note of ids, and of who was told to look again.
    fn note(&mut self, peer: &mut Peer) {
        for handle in &mut self.handles {
            handle.id = handle.id.or(peer.mux.stream_id(handle.key).map(StreamId::get));
        }
        for event in peer.events() {
            match event {
                Event::Readable(key) => self.handle(key).waits_to_read = false,
                Event::Writable(key) => self.handle(key).waits_to_write = false,
                Event::Incoming => self.waits_to_accept = false,
                Event::PlaceFree => self.waits_to_open = false,
                other => panic!("{other:?}"),
            }
        }
    }

    fn handle(&mut self, key: StreamKey) -> &mut Handle {
        self.handles.iter_mut().find(|handle| handle.key == key).unwrap()
    }

    /// I11: whoever waits and was not told would still have to.
    fn assert_nobody_forgotten(&mut self, peer: &mut Peer, worth: usize) {
        for handle in &mut self.handles {
            if handle.recv_held && handle.waits_to_read {
                let read = peer.mux.read(handle.key, 1);
                assert_eq!(read, Ok(Read::Blocked), "a reader was forgotten");
            }
            if handle.send_held && handle.waits_to_write {
                let room =
                    peer.mux.reserve(handle.key, usize::MAX).expect("a writer was not told of the end");
                peer.mux.commit(handle.key, bytes::Bytes::new()).unwrap();
                assert!(room <= worth, "a writer was forgotten with room for {room} bytes");
                if room > 0 {
                    // It was offered room and took none: it would have to ask again.
                    handle.waits_to_write = false;
                }
            }
        }
        if self.waits_to_accept {
            assert_eq!(peer.mux.accept(), Ok(None), "an acceptor was forgotten");
        }
        if self.waits_to_open {
            assert!(peer.mux.open().is_err(), "an opener was forgotten");
        }
    }
}

fn act_on(peer: &mut Peer, handle: &mut Handle, command: &Command) {
    let key = handle.key;
    match command {
        Command::Write(len) if handle.send_held => {
            let from = handle.written.len();
            let bytes: Vec<u8> = (from..from + len).map(|n| (n * 7 % 251) as u8).collect();
            match peer.mux.write(key, &bytes) {
                Ok(0) => handle.waits_to_write |= *len > 0,
                Ok(taken) => handle.written.extend_from_slice(&bytes[..taken]),
                Err(_) => {}
            }
        }
        Command::Read(max) if handle.recv_held => match peer.mux.read(key, *max) {
            Ok(Read::Chunk(chunk)) => {
                assert!(!handle.ended && !chunk.is_empty(), "I3");
                handle.read.extend_from_slice(&chunk);
            }
            Ok(Read::End) => handle.ended = true,
            Ok(_) => handle.waits_to_read = true,
            Err(_) => {}
        },
        Command::Flush if handle.send_held => drop(peer.mux.flush(key)),
        Command::Finish if handle.send_held && peer.mux.finish(key).is_ok() => {
            handle.finished = true;
            handle.waits_to_write = false;
        }
        Command::Reset(code) if handle.send_held => {
            handle.broken = true;
            peer.mux.reset(key, ErrorCode::new(*code)).unwrap();
        }
        Command::Refuse if handle.send_held && handle.recv_held => {
            handle.broken |= peer.mux.refuse(key).is_ok();
        }
        Command::DropSend => drop_send(peer, handle),
        Command::DropRecv => drop_recv(peer, handle),
        Command::DropBoth => {
            drop_send(peer, handle);
            drop_recv(peer, handle);
        }
        Command::Priority(priority) if handle.send_held => peer.mux.set_priority(key, *priority),
        _ => {}
    }
}

fn drop_send(peer: &mut Peer, handle: &mut Handle) {
    if std::mem::take(&mut handle.send_held) {
        handle.broken |= !handle.finished;
        peer.mux.release_send(handle.key);
    }
}

fn drop_recv(peer: &mut Peer, handle: &mut Handle) {
    if std::mem::take(&mut handle.recv_held) {
        handle.broken |= !handle.ended;
        peer.mux.release_recv(handle.key);
    }
}

/// Two applications on a pair of machines.
struct Play {
    pair: Pair,
    client: App,
    server: App,
    worth: usize,
}

impl Play {
    fn note(&mut self) {
        self.client.note(&mut self.pair.client);
        self.server.note(&mut self.pair.server);
        self.client.assert_nobody_forgotten(&mut self.pair.client, self.worth);
        self.server.assert_nobody_forgotten(&mut self.pair.server, self.worth);
    }

    fn act(&mut self, at_client: bool, command: &Command, which: usize) {
        if let Command::Step(steps) = command {
            for _ in 0..*steps {
                self.pair.step();
                self.pair.client.mux.audit().and(self.pair.server.mux.audit()).unwrap();
                self.note();
            }
        } else if at_client {
            self.client.act(&mut self.pair.client, command, which);
        } else {
            self.server.act(&mut self.pair.server, command, which);
        }
        self.note();
    }

    /// Everybody accepts, ends and reads everything, until nothing moves any more.
    fn finish_all(&mut self) {
        loop {
            let before = (self.pair.client_wire.len(), self.pair.server_wire.len());
            for (app, peer) in
                [(&mut self.client, &mut self.pair.client), (&mut self.server, &mut self.pair.server)]
            {
                app.handles.extend(peer.accept_all().into_iter().map(Handle::new));
                for handle in &mut app.handles {
                    act_on(peer, handle, &Command::Finish);
                    if handle.recv_held {
                        let (bytes, ending) = peer.read_all(handle.key);
                        handle.read.extend_from_slice(&bytes);
                        handle.ended |= ending == muxado_testkit::Ending::Fin;
                    }
                }
                app.note(peer);
            }
            self.pair.settle();
            self.note();
            if before == (self.pair.client_wire.len(), self.pair.server_wire.len()) {
                return;
            }
        }
    }

    /// I2, in both directions of every stream that both sides know.
    fn assert_delivered(&self) {
        for ours in &self.client.handles {
            let Some(theirs) = self.server.handles.iter().find(|theirs| theirs.id == ours.id) else {
                continue;
            };
            if ours.id.is_none() {
                continue;
            }
            for (from, to) in [(ours, theirs), (theirs, ours)] {
                assert!(from.written.starts_with(&to.read), "stream {:?}", ours.id);
                if to.ended {
                    assert!(
                        from.finished && to.read == from.written,
                        "a clean end is the whole: {:?}",
                        ours.id
                    );
                }
                if !from.broken && !to.broken {
                    assert!(to.ended, "stream {:?} did not end", ours.id);
                }
            }
        }
    }

    /// I10: without handles, nothing is left.
    fn assert_everything_comes_back(&mut self) {
        for (app, peer) in
            [(&mut self.client, &mut self.pair.client), (&mut self.server, &mut self.pair.server)]
        {
            for handle in &mut app.handles {
                act_on(peer, handle, &Command::DropBoth);
            }
            app.handles.clear();
            app.waits_to_open = false;
        }
        self.pair.settle();
        for peer in [&mut self.pair.client, &mut self.pair.server] {
            let stats = peer.mux.stats();
            assert_eq!(
                (stats.streams, stats.backlog, stats.unread_bytes, stats.sendable_bytes),
                (0, 0, 0, 0)
            );
            assert!(!peer.mux.has_lazy_credit() && !peer.mux.has_lingering() && !peer.mux.wants_transmit());
            assert_eq!(peer.mux.end(), None);
        }
    }
}

fn any_config() -> impl Strategy<Value = Config> {
    let window = prop_oneof![Just(1_u32), Just(16), Just(1000), Just(256 * 1024)];
    let frame = prop_oneof![Just(1_u32), Just(5), Just(16 * 1024)];
    let queue = prop_oneof![Just(1_usize), Just(20), Just(256 * 1024)];
    let session = prop_oneof![Just(1_usize), Just(30), Just(512 * 1024)];
    let streams = prop_oneof![Just(1_usize), Just(3), Just(256)];
    let backlog = prop_oneof![Just(1_usize), Just(256)];
    (window, frame, queue, session, streams, backlog).prop_map(
        |(window, frame, queue, session, streams, backlog)| {
            Config::builder()
                .window(window)
                .window_agreed_out_of_band()
                .max_frame(frame)
                .send_queue(queue)
                .session_send_queue(session)
                .max_inbound_streams(streams)
                .max_outbound_streams(streams)
                .accept_backlog(backlog)
                .build()
                .unwrap()
        },
    )
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => Just(Command::Open),
        4 => Just(Command::Accept),
        8 => (0_usize..60).prop_map(Command::Write),
        8 => (1_usize..60).prop_map(Command::Read),
        1 => Just(Command::Flush),
        3 => Just(Command::Finish),
        1 => (6_u32..9).prop_map(Command::Reset),
        1 => Just(Command::Refuse),
        1 => Just(Command::DropSend),
        1 => Just(Command::DropRecv),
        1 => Just(Command::DropBoth),
        1 => any::<i8>().prop_map(Command::Priority),
        6 => (1_usize..40).prop_map(Command::Step),
        1 => Just(Command::CreditDue),
        1 => Just(Command::Sweep),
        4 => prop_oneof![Just(1), Just(100), Just(50_000), Just(11_000_000)].prop_map(Command::Time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn w01_to_w15_hold_for_any_commands(
        config in any_config(),
        chunk in prop_oneof![Just(1_usize), Just(7), Just(100), Just(usize::MAX)],
        commands in prop::collection::vec((any::<bool>(), any_command(), 0_usize..8), 1..120),
        by_close: bool,
    ) {
        let worth = config.send_queue().min(16 * 1024) / 2;
        let pair = Pair::new(&config).in_chunks_of(chunk);
        let mut play = Play { pair, client: App::default(), server: App::default(), worth };
        for (at_client, command, which) in &commands {
            play.act(*at_client, command, *which);
        }
        play.finish_all();
        play.assert_delivered();
        play.assert_everything_comes_back();
        if by_close {
            play.pair.client.mux.close(ErrorCode::new(3), &[b'x'; 300]);
        } else {
            play.pair.server.mux.drain();
        }
        play.pair.run();
        prop_assert!(play.pair.client.mux.is_finished() || play.pair.server.mux.is_finished());
        assert_sender_rules(&play.pair.client_wire, &play.pair.server_wire, &config);
    }
}
