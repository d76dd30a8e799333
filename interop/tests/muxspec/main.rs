//! The conformance suite against the crate `muxado` in both roles: what it does otherwise is known, and written down.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod differences;
mod echo;

use std::collections::BTreeSet;

use differences::{DIFFERENCES, Role, When};
use muxado_testkit::spec::{Options, Report, Side, Source, Verdict, run};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

const LOCAL: &str = "127.0.0.1:0";

/// Clients that dial in at the same time.
const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of waiting for what does not come: cargo xtask interop"]
async fn their_server_differs_where_it_is_known_to() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let source = Source::dial(listener.local_addr().unwrap()).unwrap();
    let server = tokio::spawn(echo::serve(listener));
    let report = spawn_blocking(move || run(&source, &Options::new(Side::Client))).await.unwrap();
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
    for _ in 0..CLIENTS {
        clients.spawn(echo::dial(address));
    }
    let options = Options { peer_opens: true, ..Options::new(Side::Server) };
    let report = spawn_blocking(move || run(&source, &options)).await.unwrap();
    clients.abort_all();
    compare(&report, Role::Client);
}

/// Every difference must be one that is written down, and each that is there always must have been seen.
fn compare(report: &Report, role: Role) {
    println!("the crate `muxado` 0.5.4 as {role:?}\n\n{report}");
    let known = || DIFFERENCES.iter().filter(move |known| known.role == Role::Both || known.role == role);
    let plays = |when: Option<When>| -> BTreeSet<(&str, &str)> {
        let groups = known().filter(|known| when.is_none_or(|when| known.when == when));
        groups.flat_map(|known| known.plays).copied().collect()
    };
    let of = |verdict| -> BTreeSet<(&str, &str)> {
        let findings = report.findings.iter().filter(|finding| finding.verdict == verdict);
        findings.map(|finding| (finding.row, finding.what.as_str())).collect()
    };
    let (differs, all) = (of(Verdict::Differs), plays(None));
    for known in known() {
        let seen = known.plays.iter().filter(|play| differs.contains(*play)).count();
        println!("{seen:3} of {:3} {:?}: {}", known.plays.len(), known.when, known.why);
    }
    let new: Vec<_> = differs.difference(&all).collect();
    assert!(new.is_empty(), "differs, and is not known to: {new:#?}");
    let always = plays(Some(When::Always));
    let gone: Vec<_> = always.difference(&differs).collect();
    assert!(gone.is_empty(), "written down as a difference, and is none: {gone:#?}");
    assert_eq!(of(Verdict::NotPlayed), BTreeSet::new());
}
