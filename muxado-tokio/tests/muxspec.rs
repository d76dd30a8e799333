//! The conformance suite against ours, over real TCP and in both roles: nothing may differ. Ours is the echo example.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../examples/echo.rs"]
#[allow(dead_code, reason = "`main` and what only it uses")]
mod echo;

use std::net::TcpListener;
use std::time::Duration;

use muxado_testkit::spec::{Options, Report, Side, Source, Verdict, run};
use muxado_tokio::Listener;
use tokio::task::spawn_blocking;

const LOCAL: &str = "127.0.0.1:0";

/// Clients that dial in at the same time.
const CLIENTS: usize = 4;

/// The suite in this role. The limit only turns a hang into a failure, on the slowest machine too.
fn options(role: Side, peer_opens: bool) -> Options {
    Options { peer_opens, limit: Duration::from_secs(30), jobs: 8, ..Options::new(role) }
}

fn assert_nothing_differs(report: &Report, testable: usize) {
    let bad = |verdict| matches!(verdict, Verdict::Differs | Verdict::NotPlayed);
    let found: Vec<_> = report.findings.iter().filter(|finding| bad(finding.verdict)).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(report.count(Verdict::Ok), testable, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_does_what_every_row_demands() {
    let listener = Listener::bind(LOCAL).await.unwrap();
    let source = Source::dial(listener.local_addr().unwrap()).unwrap();
    let server = tokio::spawn(echo::run_server(listener, false));
    let report = spawn_blocking(move || run(&source, &options(Side::Client, false))).await.unwrap();
    assert_nothing_differs(&report, 106);
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_does_what_every_row_demands() {
    let listener = TcpListener::bind(LOCAL).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let source = Source::listen(listener).unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let address = address.clone();
        clients.spawn(async move { echo::run_client(&address, true).await });
    }
    let report = spawn_blocking(move || run(&source, &options(Side::Server, true))).await.unwrap();
    assert_nothing_differs(&report, 110);
    // Nobody listens any more, which ends them.
    for client in clients.join_all().await {
        client.unwrap();
    }
}
