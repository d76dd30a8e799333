//! Small programs of tasks that share a session, run in thousands of orders: at every lock, counter and wake-up
//! shuttle picks who goes on. A lost wake-up shows as a run in which nobody can go on.
//!
//! The other tests are about what happens; these are about when. `cargo xtask models` runs them.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use shuttle::Runner;
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};

use crate::{Config, ConfigBuilder, Session, SessionEnd, Side, Stream};
use clock::Clock;

mod clock;
mod ends;
mod places;
mod streams;
mod transport;

/// Orders tried for each model, unless the environment says otherwise.
const ORDERS: usize = 2000;

/// The same orders each time, unless `SHUTTLE_RANDOM_SEED` says otherwise.
const SEED: u64 = 1;

/// Runs `model` in many orders. Half of them are random; the other half change tasks only a few times, at places picked
/// at random, which finds what needs just one unlucky moment. `MUXADO_MODELS` says how many,
/// `MUXADO_MODELS_REPLAY` which one.
fn explore<F: Future<Output = ()> + 'static>(model: fn() -> F) {
    let run = move || block_on(model());
    if let Ok(order) = std::env::var("MUXADO_MODELS_REPLAY") {
        Runner::new(ReplayScheduler::new_from_encoded(&order), settings()).run(run);
        return;
    }
    let orders = std::env::var("MUXADO_MODELS").ok().and_then(|orders| orders.parse().ok()).unwrap_or(ORDERS);
    let half = (orders / 2).max(1);
    Runner::new(RandomScheduler::new_from_seed(SEED, half), settings()).run(run);
    Runner::new(PctScheduler::new_from_seed(SEED, 3, half), settings()).run(run);
}

fn settings() -> shuttle::Config {
    let mut settings = shuttle::Config::new();
    settings.stack_size = 512 * 1024;
    settings
}

/// Two sessions that talk to each other, each with its driver in a task of its own.
struct Both {
    client: Session,
    server: Session,
    client_driver: JoinHandle<SessionEnd>,
    server_driver: JoinHandle<SessionEnd>,
}

impl Both {
    fn start(config: &Config) -> Both {
        let (near, far) = transport::pair(64 * 1024);
        let (client, driver) = Session::from_halves(Side::Client, near.0, near.1, config, Clock);
        let client_driver = spawn(driver);
        let (server, driver) = Session::from_halves(Side::Server, far.0, far.1, config, Clock);
        Both { client, server, client_driver, server_driver: spawn(driver) }
    }

    /// Ends both sessions, waits for the tasks that serve them, and looks whether anything is left. Says how many
    /// streams were served.
    async fn end(self, servers: impl IntoIterator<Item = JoinHandle<usize>>) -> usize {
        let Both { client, server, client_driver, server_driver } = self;
        client.go_away();
        client.closed().await;
        server.closed().await;
        let mut served = 0;
        for task in servers {
            served += task.await.unwrap();
        }
        for session in [client, server] {
            session.audit().unwrap();
            assert_eq!(session.stats().streams, 0, "{session:?}");
        }
        client_driver.await.unwrap();
        server_driver.await.unwrap();
        served
    }

    /// For sessions that have ended: waits for their drivers, of which one may have been taken away, and recounts.
    async fn look_back(self) {
        // Nothing may be left running when a model ends.
        let _ = self.client_driver.await;
        let _ = self.server_driver.await;
        self.client.audit().unwrap();
        self.server.audit().unwrap();
    }
}

/// A window of eight bytes, and no more room for a writer than that.
fn narrow() -> ConfigBuilder {
    Config::builder().window(8).window_agreed_out_of_band().send_queue(8)
}

/// Sends back everything that comes on every stream. Resolves with the number of streams once the session has ended.
fn echo(session: &Session) -> JoinHandle<usize> {
    let session = session.clone();
    spawn(async move {
        let mut tasks = Vec::new();
        while let Ok(stream) = session.accept().await {
            tasks.push(spawn(answer(stream)));
        }
        let count = tasks.len();
        for task in tasks {
            task.await.unwrap();
        }
        count
    })
}

async fn answer(mut stream: Stream) {
    while let Ok(Some(chunk)) = stream.read_chunk(usize::MAX).await {
        if stream.write_all(&chunk).await.is_err() {
            return;
        }
    }
    // A stream that failed cannot be closed, which is for the other side to judge.
    let _ = stream.close().await;
}

/// Says something on a stream and hears it back, to the end.
async fn ask(mut stream: Stream, question: &[u8]) {
    stream.write_all(question).await.unwrap();
    stream.close().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, question);
}

/// Polls `future` once, with the waker of this task, and gives it up.
async fn give_up<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
