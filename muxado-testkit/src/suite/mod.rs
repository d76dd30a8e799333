//! What every face must do, played on two sessions over a real connection: on any runtime, and between two of them.
//!
//! The cases know only the core's handles, so that they are the same for everybody; what a face adds of its own, traits
//! and names, is for its own tests.

mod ends;
mod streams;
mod time;

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use muxado_core::{Config, Session};

/// No case takes nearly as long.
const HANGS: Duration = Duration::from_secs(60);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Both ends of one session, and how to start a task beside them.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct Ends {
    /// The client's end.
    pub client: Session,
    /// The server's end.
    pub server: Session,
    /// Starts a task on the client's runtime.
    pub spawn: fn(Task),
}

type Case = (&'static str, fn() -> Config, fn(Ends) -> Task);

/// Plays every case on a connection of its own that `connect` makes.
///
/// # Panics
/// When a case fails, or takes a minute.
pub fn play(connect: impl Fn(&Config) -> Ends) {
    let cases = streams::CASES.iter().chain(ends::CASES).chain(time::CASES);
    for (name, config, case) in cases {
        let ends = connect(&config());
        let (done, wait) = channel();
        thread::spawn(move || {
            block_on(case(ends));
            let _ = done.send(());
        });
        match wait.recv_timeout(HANGS) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("{name}: it hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("{name}: it failed, see above"),
        }
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
