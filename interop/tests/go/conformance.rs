//! The conformance suite against the Go peer in both roles. Its application is interop/go/echo.

use std::net::TcpListener;

use muxado_testkit::spec::{Side, Source, run};
use tokio::task::spawn_blocking;

use crate::differences::DIFFERENCES;
use crate::known::{Role, compare, options};
use crate::program::start;

const PEER: &str = "the Go peer";

// Of its accept queue it depends on luck whether it takes more streams than S30 opens, or has a limit to be judged by.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Go module: cargo xtask interop --go"]
async fn its_server_differs_where_it_is_known_to() {
    let mut server = start("echo", &[]);
    let source = Source::dial(server.line().await).unwrap();
    let report = spawn_blocking(move || run(&source, &options(Side::Client))).await.unwrap();
    compare(PEER, &report, Role::Server, DIFFERENCES, 20..=21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Go module: cargo xtask interop --go"]
async fn its_client_differs_where_it_is_known_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clients = start("echo", &[&listener.local_addr().unwrap().to_string()]);
    let source = Source::listen(listener).unwrap();
    let report = spawn_blocking(move || run(&source, &options(Side::Server))).await.unwrap();
    compare(PEER, &report, Role::Client, DIFFERENCES, 16..=17);
    // Nobody listens any more, which ends it.
    assert_eq!(clients.rest().await, "");
}
