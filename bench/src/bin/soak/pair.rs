//! Two sessions that talk to each other: how they are made, what is expected of them, and how they end.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::{ErrorCode, Initiator, Listener, Session, SessionEnd, connect_with};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::content::Content;
use crate::plan::Plan;
use crate::relay;
use crate::side;
use crate::story::{Fate, Story};
use crate::stream::is_refusal;
use crate::totals::Totals;

/// No end of a session takes nearly as long.
const HANGS: Duration = Duration::from_secs(200);

/// What is said when a pair is closed while its streams run.
const CODE: ErrorCode = ErrorCode::new(4242);
const TEXT: &str = "enough";

/// What all pairs share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) content: Content,
    pub(crate) totals: Totals,
    /// One runtime with many threads, and one with a single one.
    pub(crate) flavours: [Handle; 2],
}

/// What a side is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Churn,
    /// No new streams.
    Rest,
    /// No new streams, and all handles of the session are dropped.
    LetGo,
}

#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) world: Arc<World>,
    number: u64,
    pub(crate) story: Story,
    phases: [watch::Sender<Phase>; 2],
    /// Nothing has happened yet that excuses an error on a polite stream.
    calm: AtomicBool,
    /// The end is near: no new streams is no surprise.
    ending: AtomicBool,
    busy: AtomicUsize,
    bare_ends: AtomicU64,
    bare_ends_seen: AtomicU64,
    /// Streams that the answering application has seen.
    seen: Mutex<HashSet<u64>>,
}

impl Pair {
    fn new(world: Arc<World>, number: u64, story: Story) -> Arc<Pair> {
        Arc::new(Pair {
            world,
            number,
            story,
            phases: [watch::Sender::new(Phase::Churn), watch::Sender::new(Phase::Churn)],
            calm: AtomicBool::new(true),
            ending: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            bare_ends: AtomicU64::new(0),
            bare_ends_seen: AtomicU64::new(0),
            seen: Mutex::default(),
        })
    }

    pub(crate) fn fail(&self, seed: u64, what: &str) {
        self.world.totals.fail(format!("pair {}, stream {seed:#x}: {what}; {:?}", self.number, self.story));
    }

    /// A session takes no more streams.
    pub(crate) fn judge_end(&self, what: &str) {
        if !self.ending.load(Relaxed) {
            self.fail(0, what);
        }
    }

    /// A stream failed, or not.
    pub(crate) fn judge(&self, plan: &Plan, seed: u64, what: &str, error: Option<&io::Error>) {
        let Some(error) = error else { return };
        if is_refusal(error) {
            self.world.totals.refused.fetch_add(1, Relaxed);
            if self.seen().contains(&seed) {
                self.fail(seed, &format!("{what}: refused, and yet it was seen: {error}"));
            }
        } else if plan.is_polite() && self.calm.load(Relaxed) {
            self.fail(seed, &format!("{what}: {error}"));
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn saw(&self, seed: u64) {
        self.seen().insert(seed);
    }

    pub(crate) fn forget(&self, seed: u64) {
        self.seen().remove(&seed);
    }

    pub(crate) fn sends_bare_end(&self) {
        self.bare_ends.fetch_add(1, Relaxed);
    }

    /// A stream ended before it said which one it was. No more do than were sent.
    pub(crate) fn expects_bare_end(&self) -> bool {
        self.bare_ends_seen.fetch_add(1, Relaxed) < self.bare_ends.load(Relaxed)
    }

    /// Somebody does something until the guard is dropped.
    pub(crate) fn busy(self: &Arc<Pair>) -> Busy {
        self.busy.fetch_add(1, Relaxed);
        Busy(self.clone())
    }

    pub(crate) fn phase(&self, which: usize) -> Phase {
        *self.phases[which].borrow()
    }

    /// Waits while it is `phase`.
    pub(crate) async fn pass_phase(&self, which: usize, phase: Phase) {
        let _ = self.phases[which].subscribe().wait_for(|now| *now != phase).await;
    }

    /// Waits until it is `phase`.
    pub(crate) async fn reach_phase(&self, which: usize, phase: Phase) {
        let _ = self.phases[which].subscribe().wait_for(|now| *now == phase).await;
    }

    pub(crate) fn let_go(&self, which: usize) {
        self.phases[which].send_replace(Phase::LetGo);
    }

    fn set_phase(&self, phase: Phase) {
        for side in &self.phases {
            side.send_replace(phase);
        }
    }

    /// From now on errors are no surprise.
    fn disturb(&self) {
        self.calm.store(false, Relaxed);
        self.ending.store(true, Relaxed);
    }

    /// Waits until both sides have nothing in hand, and checks that no stream holds a place any more.
    async fn settle(&self, sessions: &[Session]) {
        let settled = async {
            loop {
                let [one, other] = [sessions[0].stats(), sessions[1].stats()];
                let sent = (one.bytes_sent, other.bytes_sent);
                let received = (other.bytes_received, one.bytes_received);
                let gauges = [one, other].map(|s| s.streams + s.backlog + s.unread_bytes + s.sendable_bytes);
                if self.busy.load(Relaxed) == 0 && sent == received && gauges == [0, 0] {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(HANGS, settled).await.is_err() {
            let busy = self.busy.load(Relaxed);
            self.fail(
                0,
                &format!("it never rests: {busy} busy, {:?}", [sessions[0].stats(), sessions[1].stats()]),
            );
        }
        self.seen().clear();
    }
}

/// Something that goes on.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Pair>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}

/// One pair from its connection to its end.
pub(crate) async fn run(world: Arc<World>, number: u64, mut rng: Rng) {
    let pair = Pair::new(world.clone(), number, Story::random(&mut rng));
    let _counted = Totals::count(&world.totals.live_sessions, &world.totals.sessions);
    let fate = pair.story.fate;
    if matches!(fate, Fate::Mishap(_)) {
        pair.disturb();
    }
    let sessions = match connect(&world, &pair.story).await {
        Ok(sessions) => sessions,
        Err(error) => return pair.fail(0, &format!("connecting: {error}")),
    };
    let tasks = start(&pair, &sessions, &mut rng);
    let kept = timeout(HANGS, end(&pair, fate, sessions, &mut rng)).await.unwrap_or_else(|_| {
        pair.fail(0, "it does not end");
        Vec::new()
    });
    wait_for(&pair, tasks).await;
    for session in kept.iter().filter(|session| session.stats().streams > 0) {
        pair.fail(0, &format!("a place is left: {:?}", session.stats()));
    }
}

fn start(pair: &Arc<Pair>, sessions: &[Session; 2], rng: &mut Rng) -> [JoinHandle<()>; 2] {
    [0, 1].map(|which| {
        let run = side::run(pair.clone(), which, sessions[which].clone(), rng.fork());
        pair.world.flavours[pair.story.flavours[which]].spawn(run)
    })
}

/// Waits until every stream of both sides has ended.
async fn wait_for(pair: &Pair, tasks: [JoinHandle<()>; 2]) {
    for task in tasks {
        match timeout(HANGS, task).await {
            Err(_) => pair.fail(0, "its streams do not end"),
            Ok(Err(panic)) => pair.fail(0, &format!("a side panicked: {panic}")),
            Ok(Ok(())) => {}
        }
    }
}

/// A pair that lives as long as the run, and rests now and then.
#[derive(Debug)]
pub(crate) struct Veteran {
    pair: Arc<Pair>,
    sessions: [Session; 2],
    tasks: [JoinHandle<()>; 2],
}

impl Veteran {
    pub(crate) async fn start(world: &Arc<World>, number: u64, mut rng: Rng) -> io::Result<Veteran> {
        let pair = Pair::new(world.clone(), number, Story::long(number));
        let sessions = connect(world, &pair.story).await?;
        let tasks = start(&pair, &sessions, &mut rng);
        Ok(Veteran { pair, sessions, tasks })
    }

    pub(crate) async fn rest(&self) {
        self.pair.set_phase(Phase::Rest);
        self.pair.settle(&self.sessions).await;
    }

    pub(crate) fn go_on(&self) {
        self.pair.set_phase(Phase::Churn);
    }

    pub(crate) async fn end(self) {
        self.rest().await;
        let mut rng = Rng::with_seed(self.pair.number);
        end(&self.pair, Fate::Rest, self.sessions, &mut rng).await;
        wait_for(&self.pair, self.tasks).await;
    }
}

/// Two sessions over TCP, each on its runtime, with a relay between them if something is to go wrong.
async fn connect(world: &Arc<World>, story: &Story) -> io::Result<[Session; 2]> {
    let [near, far] = story.flavours.map(|flavour| &world.flavours[flavour]);
    let config = story.config.clone();
    let listener = far.spawn(async move { Listener::bind_with("127.0.0.1:0", &config).await }).await??;
    let mut address = listener.local_addr()?;
    if let Some(mishap) = story.mishap {
        address = relay::start(address, mishap).await?;
    }
    let config = story.config.clone();
    let accepting = far.spawn(async move { listener.accept().await });
    let connecting = near.spawn(async move { connect_with(address, &config).await });
    Ok([connecting.await??, accepting.await??.0])
}

/// Ends a pair as its fate wants it, and checks what both sides say about it. Gives back the handles that are left.
async fn end(pair: &Pair, fate: Fate, sessions: [Session; 2], rng: &mut Rng) -> Vec<Session> {
    sleep(Duration::from_millis(rng.u64(0..1500))).await;
    pair.ending.store(true, Relaxed);
    let closed = sessions.each_ref().map(Session::closed);
    let mut kept = Vec::from(sessions);
    match fate {
        Fate::Rest => {
            pair.set_phase(Phase::Rest);
            pair.settle(&kept).await;
            drop(kept[rng.usize(0..2)].close(ErrorCode::NO_ERROR, "bye"));
        }
        Fate::Drain(sides) => {
            chosen(&kept, sides).for_each(|session| drop(session.drain(HANGS)));
        }
        Fate::Close(sides) => {
            pair.disturb();
            chosen(&kept, sides).for_each(|session| drop(session.close(CODE, TEXT)));
        }
        Fate::LetGo(sides) => {
            chosen(&[0, 1], sides).for_each(|which| pair.let_go(*which));
            kept = chosen(&kept, sides.map(|goes| !goes)).cloned().collect();
        }
        Fate::Mishap(_) => {}
    }
    let [one, other] = closed;
    judge_ends(pair, fate, tokio::join!(one, other).into());
    if fate == Fate::Rest {
        pair.set_phase(Phase::LetGo);
    }
    kept
}

/// Those of two that are meant.
fn chosen<T>(both: &[T], which: [bool; 2]) -> impl Iterator<Item = &T> {
    both.iter().zip(which).filter_map(|(one, chosen)| chosen.then_some(one))
}

fn judge_ends(pair: &Pair, fate: Fate, ends: [SessionEnd; 2]) {
    match fate {
        Fate::Rest | Fate::Drain(_) | Fate::LetGo(_) => {
            for end in &ends {
                // Who is told of the end may have begun streams that the other side takes no more.
                let cut = end.initiator() == Initiator::Local && !end.cut().is_nothing();
                if cut || !end.is_clean() {
                    pair.fail(0, &format!("not a clean end: {end}, {:?}", end.cut()));
                }
            }
        }
        Fate::Close(_) => {
            let told = ends.iter().all(|end| end.code() == CODE && end.text() == TEXT.as_bytes());
            pair.world.totals.closes.fetch_add(1, Relaxed);
            pair.world.totals.lost_goodbyes.fetch_add((!told).into(), Relaxed);
        }
        Fate::Mishap(_) => {}
    }
}
