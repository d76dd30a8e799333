//! One run: two ends, a link, and step after step until it is time to finish.

use muxado_core::proto::Mux;
use muxado_frame::{ErrorCode, Side};

use super::choices::Choices;
use super::lane::Lane;
use super::node::Node;
use super::op::Kind;
use super::profile::{Mode, Profile};
use super::stranger::Stranger;

/// Bytes that a machine puts in one batch, as its driver lets it.
const BATCH: usize = 256 * 1024;

/// A run under way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) choices: Choices<'a>,
    pub(super) profile: Profile,
    /// Two, or one and a stranger.
    pub(super) nodes: Vec<Node>,
    /// Where each side's bytes go: the first is what the first node sends.
    pub(super) lanes: [Lane; 2],
    stranger: Option<Stranger>,
    /// Every step is printed.
    trace: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(mut choices: Choices<'a>, mode: Mode, steps: usize, trace: bool) -> Run<'a> {
        let profile = Profile::draw(&mut choices, mode, steps);
        let sides = match choices.below(2) {
            0 => [Side::Client, Side::Server],
            _ => [Side::Server, Side::Client],
        };
        let strict = mode == Mode::Honest;
        let count = if mode == Mode::Hostile { 1 } else { 2 };
        let node = |at: usize| {
            let mut node = Node::new(sides[at], &profile.configs[at], strict, choices.chance(1, 2));
            if profile.few_ids {
                node.begin_late();
            }
            node
        };
        let nodes = (0..count).map(node).collect();
        let window = profile.configs[0].window();
        let stranger = (mode == Mode::Hostile).then(|| Stranger::new(sides[1], window, profile.odd_in));
        if trace {
            println!("{profile:#?}");
        }
        Run { choices, profile, nodes, lanes: Default::default(), stranger, trace }
    }

    /// Does it all. Returns the number that sums up what happened.
    pub(super) fn go(mut self) -> u64 {
        for _ in 0..self.profile.steps {
            if self.choices.is_spent() {
                break;
            }
            self.step();
        }
        self.note("the finale");
        self.finale();
        self.nodes.iter().fold(0, |hash, node| hash.rotate_left(17) ^ node.hash)
    }

    pub(super) fn note(&self, what: impl std::fmt::Display) {
        if self.trace {
            println!("{what}");
        }
    }

    fn step(&mut self) {
        let place = self.choices.weighted(self.profile.weights.iter().map(|(weight, _)| *weight));
        let kind = self.profile.weights[place].1;
        let who = self.choices.below(self.nodes.len());
        self.nodes[who].stir(place);
        self.act(who, kind);
        self.after();
    }

    /// What follows from any step.
    pub(super) fn after(&mut self) {
        for (node, lane) in self.nodes.iter_mut().zip(&mut self.lanes) {
            node.after();
            lane.closed |= node.lost || (node.mux.is_finished() && node.outbox.is_empty());
        }
    }

    fn act(&mut self, who: usize, kind: Kind) {
        let side = self.nodes[who].side();
        let quiet =
            matches!(kind, Kind::Pull | Kind::Take | Kind::Deliver | Kind::Move | Kind::Foreign | Kind::Cut);
        match kind {
            Kind::Pull => self.pull(who),
            Kind::Take => self.take(who),
            Kind::Deliver => self.deliver(who),
            Kind::Move => _ = self.move_all(),
            Kind::Foreign => self.foreign(),
            Kind::Cut => self.cut(),
            Kind::Stale => self.stale(who),
            _ if Run::is_of_session(kind) => self.act_on_session(who, kind),
            _ => return self.act_on_stream(who, kind),
        }
        if !quiet {
            self.note(format_args!("{side}: {kind:?}"));
        }
    }

    fn is_of_session(kind: Kind) -> bool {
        use Kind::*;
        matches!(
            kind,
            Open | Accept
                | CreditDue
                | Sweep
                | Time
                | Drain
                | GoAway
                | Abandon
                | Close
                | Deadline
                | Stall
                | Failure
        )
    }

    fn act_on_session(&mut self, who: usize, kind: Kind) {
        let code = self.choices.below(16);
        let text = self.choices.length(400);
        let node = &mut self.nodes[who];
        match kind {
            Kind::Open => node.open(),
            Kind::Accept => _ = node.accept(),
            Kind::CreditDue => node.mux.handle_credit_due(),
            Kind::Sweep => node.mux.handle_sweep(),
            Kind::Time => node.pass_time([1, 100, 50_000, 11_000_000][code % 4]),
            Kind::Drain => node.leave(Mux::drain),
            Kind::GoAway => node.leave(Mux::go_away),
            Kind::Abandon => node.leave(Mux::abandon),
            Kind::Close => {
                let code = ErrorCode::new(u32::try_from(code).unwrap_or(0));
                node.leave(|mux| mux.close(code, "ä".repeat(text).as_bytes()));
            }
            Kind::Deadline if node.leaving || node.peer_left => node.mux.handle_deadline(),
            Kind::Stall if !node.outbox.is_empty() && !node.lost => node.lose("the transport stalled"),
            Kind::Failure if !node.lost => node.lose("the transport failed"),
            _ => {}
        }
    }

    fn act_on_stream(&mut self, who: usize, kind: Kind) {
        use Kind::*;
        let node = &self.nodes[who];
        let fits: Vec<usize> = (0..node.handles.len())
            .filter(|&at| {
                let handle = &node.handles[at];
                match kind {
                    Read | ReleaseRecv => handle.recv_held,
                    Reset | ReleaseBoth => handle.recv_held || handle.send_held,
                    _ => handle.send_held,
                }
            })
            .collect();
        if fits.is_empty() {
            return;
        }
        // The latest streams are the most interesting ones.
        let at = fits[fits.len() - 1 - self.choices.below(fits.len())];
        let len = self.choices.length(self.profile.most);
        let code = u32::try_from(self.choices.below(16)).unwrap_or(0);
        let (side, key) = (node.side(), node.handles[at].key);
        self.note(format_args!(
            "{side}: {kind:?} {:?} {key:?} length {len} code {code}",
            node.handles[at].id
        ));
        let priority = i8::try_from(code).unwrap_or(0) - 8;
        let priority = if self.profile.priorities { priority } else { 0 };
        let node = &mut self.nodes[who];
        match kind {
            Write => _ = node.write(at, len, false),
            WriteBytes => _ = node.write(at, len, true),
            Reserve => node.reserve(at, len),
            Commit => node.commit(at),
            Read => _ = node.read(at, len),
            // No kind of its own, so that the inputs which fuzzers found keep their meaning.
            Flush if code % 2 == 1 => node.watch(at),
            Flush => node.flush(at),
            Finish => node.finish(at),
            Reset => node.reset(at, code),
            Refuse => node.refuse(at, code),
            ReleaseSend => node.release_send(at),
            ReleaseRecv => node.release_recv(at),
            ReleaseBoth => {
                node.release_send(at);
                node.release_recv(at);
            }
            Abort => node.abort(at),
            _ => node.mux.set_priority(key, priority),
        }
    }

    fn stale(&mut self, who: usize) {
        let node = &mut self.nodes[who];
        let gone: Vec<usize> = (0..node.handles.len())
            .filter(|&at| !node.handles[at].send_held && !node.handles[at].recv_held)
            .filter(|&at| node.mux.credit(node.handles[at].key).is_none())
            .collect();
        if let Some(&at) = gone.get(self.choices.below(gone.len())) {
            node.ask_of_the_dead(at);
        }
    }

    // The link.

    fn pull(&mut self, who: usize) {
        let limit = self.choices.length(BATCH);
        self.nodes[who].pull(limit);
        self.note(format_args!("{}: {} bytes to send", self.nodes[who].side(), self.nodes[who].outbox.len()));
    }

    fn take(&mut self, who: usize) {
        let node = &mut self.nodes[who];
        let count = self.choices.length(node.outbox.len());
        let taken: Vec<u8> = node.outbox.drain(..count).collect();
        node.mux.handle_written(count);
        self.lanes[who].put(&taken);
        self.note(format_args!("{}: {count} bytes taken", self.nodes[who].side()));
    }

    fn deliver(&mut self, who: usize) {
        let most = self.choices.length(self.profile.chunk).max(1);
        let shared = self.choices.chance(1, 2);
        self.deliver_up_to(who, most, shared);
    }

    /// Hands on up to `most` bytes, or the end. Whether there was anything.
    pub(super) fn deliver_up_to(&mut self, who: usize, most: usize, shared: bool) -> bool {
        let lane = &mut self.lanes[1 - who];
        let node = &mut self.nodes[who];
        if node.mux.is_ended() {
            let any = lane.len() > 0;
            lane.clear();
            return any;
        }
        if lane.len() > 0 {
            let taken = node.deliver(lane.front(most), shared);
            lane.advance(taken);
            self.note(format_args!("{}: {taken} bytes came", self.nodes[who].side()));
            return true;
        }
        if lane.closed && !std::mem::replace(&mut lane.told, true) {
            node.lose("the transport ended");
            self.note(format_args!("{}: the transport ended", self.nodes[who].side()));
            return true;
        }
        false
    }

    /// Everything that is to send goes all the way. Whether there was anything.
    pub(super) fn move_all(&mut self) -> bool {
        let mut moved = false;
        for who in 0..self.nodes.len() {
            self.nodes[who].pull(usize::MAX);
            let sent = std::mem::take(&mut self.nodes[who].outbox);
            self.nodes[who].mux.handle_written(sent.len());
            moved |= !sent.is_empty();
            self.lanes[who].put(&sent);
            self.after();
        }
        for who in 0..self.nodes.len() {
            while self.deliver_up_to(who, usize::MAX, true) {
                moved = true;
                self.after();
            }
        }
        if self.stranger.is_some() {
            self.lanes[0].clear();
        }
        self.note(format_args!("all moves: {moved}"));
        moved
    }

    fn cut(&mut self) {
        let which = self.choices.below(2);
        let at = self.choices.below(self.lanes[which].len() + 1);
        self.lanes[which].cut(at);
        self.note(format_args!("the link of {which} is cut after {at} bytes"));
    }

    fn foreign(&mut self) {
        let done = match &mut self.stranger {
            Some(stranger) => {
                let frame = stranger.next(&mut self.choices, &self.nodes[0]);
                self.lanes[0].clear();
                self.lanes[1].put(&frame);
                let shown: String = frame.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
                format!("the stranger sends {} bytes: {shown}", frame.len())
            }
            None => {
                let which = self.choices.below(2);
                let how = self.lanes[which].spoil(&mut self.choices);
                format!("on the link of {which}: {how}")
            }
        };
        self.note(done);
    }
}
