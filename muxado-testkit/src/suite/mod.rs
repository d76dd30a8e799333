//! What every face must do, played on two sessions over a real connection: on any runtime, and between two of them.
//!
//! The cases know only the core's handles, and what is built on top of any face, so that they are the same for everybody;
//! what a face adds of its own, traits and names, is for its own tests.

mod ends;
mod heartbeat;
mod streams;
mod time;
mod typed;

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use muxado_core::face::Face;
use muxado_core::{Config, Session};

/// No case takes nearly as long.
const HANGS: Duration = Duration::from_secs(60);

/// What a runtime is given to run.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One end of a session, as its face has it, and how to start a task on its runtime.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct At<F> {
    /// The session.
    pub session: F,
    /// Starts a task on its runtime.
    pub spawn: fn(Task),
}

/// Both ends with the core's handles, and how to start a task beside the client.
struct Ends {
    client: Session,
    server: Session,
    spawn: fn(Task),
}

impl Ends {
    /// The faces' own handles are dropped: what ends with the last handle ends.
    fn of<C: Face, S: Face>(client: At<C>, server: At<S>) -> Ends {
        let (ours, theirs) = (client.session.core().clone(), server.session.core().clone());
        Ends { client: ours, server: theirs, spawn: client.spawn }
    }
}

type Case = (&'static str, fn() -> Config, fn(Ends) -> Task);

/// Plays every case on a connection of its own that `connect` makes: the client's end and the server's.
///
/// # Panics
/// When a case fails, or takes a minute.
pub fn play<C: Face, S: Face>(connect: impl Fn(&Config) -> (At<C>, At<S>)) {
    for (name, config, case) in streams::CASES.iter().chain(ends::CASES).chain(time::CASES) {
        let (client, server) = connect(&config());
        finish(name, case(Ends::of(client, server)));
    }
    let (client, server) = connect(&Config::default());
    finish("typed", Box::pin(typed::typed(client, server)));
    let (client, server) = connect(&Config::default());
    finish("heartbeat", Box::pin(heartbeat::heartbeat(client, server)));
}

fn finish(name: &str, case: Task) {
    let (done, wait) = channel();
    thread::spawn(move || {
        block_on(case);
        let _ = done.send(());
    });
    match wait.recv_timeout(HANGS) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("{name}: it hangs"),
        Err(RecvTimeoutError::Disconnected) => panic!("{name}: it failed, see above"),
    }
}

/// Runs `future` as a task of its own, and waits for what it gives.
async fn in_a_task<T: Send + 'static>(
    spawn: fn(Task),
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> {
    let (done, wait) = async_channel::bounded(1);
    spawn(Box::pin(async move { drop(done.send(future.await).await) }));
    async move { wait.recv().await.unwrap_or_else(|_| panic!("the task was lost")) }
}

/// `len` bytes that differ with `seed`.
fn bytes(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ seed) as u8).collect()
}
