//! One side of a pair of sessions: opens streams, accepts the other side's, until it is told to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::{OpenError, Session};
use tokio::io::AsyncWriteExt;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::pair::{Pair, Phase};
use crate::stream;

type Handle = Arc<Mutex<Option<Session>>>;

/// What one side is made of.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    pub(crate) openers: usize,
    pub(crate) acceptors: usize,
    /// Streams that each opener opens; more than any run has for one that never stops by itself.
    pub(crate) streams: u64,
    /// Of 100 accepted streams so many are refused.
    pub(crate) refuses: u8,
    /// Openers pause for up to so long between streams.
    pub(crate) pause: Duration,
}

/// Runs until every stream of this side has ended.
pub(crate) async fn run(pair: Arc<Pair>, which: usize, session: Session, mut rng: Rng) {
    let habits = &pair.story.habits;
    let mut tasks = JoinSet::new();
    // What opens streams has no handle of its own while its stream runs, so that all can be dropped at once.
    let handle: Handle = Arc::new(Mutex::new(Some(session.clone())));
    for _ in 0..habits.openers {
        tasks.spawn(open_streams(pair.clone(), which, handle.clone(), habits.clone(), rng.fork()));
    }
    tasks.spawn({
        let pair = pair.clone();
        async move {
            pair.reach_phase(which, Phase::LetGo).await;
            drop(taken(&handle).take());
        }
    });
    for _ in 0..habits.acceptors {
        tasks.spawn(accept_streams(pair.clone(), which, session.clone(), habits.refuses, rng.fork()));
    }
    drop(session);
    while let Some(done) = tasks.join_next().await {
        reap(&pair, done);
        if tasks.len() == 1 {
            // Only the handle is left.
            pair.let_go(which);
        }
    }
}

fn taken(handle: &Handle) -> MutexGuard<'_, Option<Session>> {
    handle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reap(pair: &Pair, done: Result<(), JoinError>) {
    if let Err(panic) = done {
        pair.fail(0, &format!("a task panicked: {panic}"));
    }
}

async fn open_streams(pair: Arc<Pair>, which: usize, handle: Handle, habits: Habits, mut rng: Rng) {
    for _ in 0..habits.streams {
        if pair.phase(which) != Phase::Churn {
            pair.pass_phase(which, Phase::Rest).await;
        }
        let _busy = pair.busy();
        let Some(session) = taken(&handle).clone() else { return };
        // A place in line that is given up goes to the next.
        let opened = match rng.u8(0..8) {
            0 => match timeout(Duration::from_micros(rng.u64(0..500)), session.open()).await {
                Ok(opened) => opened,
                Err(_) => continue,
            },
            1 => session.try_open(),
            _ => session.open().await,
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(OpenError::Busy) => {
                sleep(Duration::from_millis(1)).await;
                continue;
            }
            Err(error) => return pair.judge_end(&format!("opening: {error}")),
        };
        drop(session);
        match rng.u8(0..40) {
            0 => drop(stream),
            1 => {
                pair.sends_bare_end();
                let _ = stream.shutdown().await;
            }
            _ => stream::open_end(pair.clone(), stream, rng.u64(..)).await,
        }
        if !habits.pause.is_zero() {
            sleep(habits.pause.mul_f64(rng.f64())).await;
        }
    }
}

async fn accept_streams(pair: Arc<Pair>, which: usize, session: Session, refuses: u8, mut rng: Rng) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = session.accept() => match accepted {
                Ok(stream) if rng.u8(0..100) < refuses => {
                    if let Err(error) = stream.refuse() {
                        pair.fail(0, &format!("refusing: {error}"));
                    }
                }
                Ok(stream) => {
                    let (pair, busy) = (pair.clone(), pair.busy());
                    answers.spawn(async move {
                        stream::answer_end(pair, stream).await;
                        drop(busy);
                    });
                }
                Err(error) => {
                    pair.judge_end(&format!("accepting: {error}"));
                    break;
                }
            },
            Some(done) = answers.join_next() => reap(&pair, done),
            () = pair.reach_phase(which, Phase::LetGo) => break,
        }
    }
    drop(session);
    while let Some(done) = answers.join_next().await {
        reap(&pair, done);
    }
}
