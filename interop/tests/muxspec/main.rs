//! The conformance suite against the crate `muxado` in both roles: what it does otherwise is known, and written down.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod differences;
mod echo;

use std::collections::BTreeSet;
use std::time::Duration;

use differences::{DIFFERENCES, Role, When};
use muxado_testkit::spec::{Options, Report, Side, Source, Verdict, run};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

const LOCAL: &str = "127.0.0.1:0";

/// Plays at the same time. Most of the time they wait, so there may be many.
const JOBS: usize = 32;

/// How long to wait for what must happen.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of waiting for what does not come: cargo xtask interop"]
async fn their_server_differs_where_it_is_known_to() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let source = Source::dial(listener.local_addr().unwrap()).unwrap();
    let server = tokio::spawn(echo::serve(listener));
    let report = spawn_blocking(move || run(&source, &options(Side::Client))).await.unwrap();
    server.abort();
    compare(&report, Role::Server);
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
    compare(&report, Role::Client);
}

/// The suite in this role. The limit is for machines that are slow or busy; what does not come is waited for as long.
fn options(role: Side) -> Options {
    Options { peer_opens: role == Side::Server, limit: LIMIT, jobs: JOBS, ..Options::new(role) }
}

/// Every difference must be one that is written down, and look as it does there. Each that is there always must be seen.
fn compare(report: &Report, role: Role) {
    println!("the crate `muxado` 0.5.4 as {role:?}\n\n{report}");
    let known: Vec<_> = DIFFERENCES.iter().filter(|known| [Role::Both, role].contains(&known.role)).collect();
    let mut surprises = Vec::new();
    let mut differing = BTreeSet::new();
    for finding in &report.findings {
        let play = (finding.row, finding.what.as_str());
        let expected = known.iter().any(|known| {
            known.plays.contains(&play) && known.seen.iter().any(|seen| finding.seen.contains(seen))
        });
        match finding.verdict {
            Verdict::Differs if expected => _ = differing.insert(play),
            Verdict::Differs | Verdict::NotPlayed => surprises.push(finding),
            Verdict::Ok | Verdict::Untestable => {}
        }
    }
    for known in &known {
        let seen = known.plays.iter().filter(|play| differing.contains(*play)).count();
        println!("{seen:3} of {:3} {:?}: {}", known.plays.len(), known.when, known.why);
    }
    assert!(surprises.is_empty(), "no such difference is written down: {surprises:#?}");
    let played = |play: &&(&str, &str)| report.findings.iter().any(|f| (f.row, f.what.as_str()) == **play);
    let unknown: Vec<_> = known.iter().flat_map(|known| known.plays).filter(|play| !played(play)).collect();
    assert!(unknown.is_empty(), "there is no such play: {unknown:#?}");
    let always = known.iter().filter(|known| known.when == When::Always).flat_map(|known| known.plays);
    let gone: Vec<_> = always.filter(|play| !differing.contains(*play)).collect();
    assert!(gone.is_empty(), "written down as a difference, and is none: {gone:#?}");
    let untestable = if role == Role::Server { 20 } else { 16 };
    assert_eq!(report.count(Verdict::Untestable), untestable, "plays that cannot be judged");
}
