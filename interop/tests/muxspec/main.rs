//! The conformance suite against the crate `muxado` in both roles: what it does otherwise is known, and written down.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod differences;
mod echo;
mod known;

use differences::DIFFERENCES;
use known::{JOBS, Role, compare, options};
use muxado_testkit::spec::{Side, Source, run};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

const LOCAL: &str = "127.0.0.1:0";

const PEER: &str = "the crate `muxado` 0.5.4";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of waiting for what does not come: cargo xtask interop"]
async fn their_server_differs_where_it_is_known_to() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let source = Source::dial(listener.local_addr().unwrap()).unwrap();
    let server = tokio::spawn(echo::serve(listener));
    let report = spawn_blocking(move || run(&source, &options(Side::Client))).await.unwrap();
    server.abort();
    compare(PEER, &report, Role::Server, DIFFERENCES, 20..=20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of waiting for what does not come: cargo xtask interop"]
async fn their_client_differs_where_it_is_known_to() {
    let listener = std::net::TcpListener::bind(LOCAL).unwrap();
    let address = listener.local_addr().unwrap();
    let source = Source::listen(listener).unwrap();
    let mut clients = JoinSet::new();
    for _ in 0..JOBS {
        clients.spawn(echo::dial(address));
    }
    let report = spawn_blocking(move || run(&source, &options(Side::Server))).await.unwrap();
    clients.abort_all();
    compare(PEER, &report, Role::Client, DIFFERENCES, 16..=16);
}
