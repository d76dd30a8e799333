//! A session with a child process over its standard input and output. The test starts itself as the child, so it has no
//! harness, which would print on standard output.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Stdio;

use muxado_tokio::{Config, EndCause, ErrorCode, Session, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt, stdin, stdout};
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("child") => child().await,
        // cargo-nextest asks for the names of the tests.
        Some("--list") => println!("a_child_process_is_a_peer: test"),
        _ => parent().await,
    }
}

async fn parent() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.arg("child").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (read, write) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let session = Session::from_halves(Side::Client, read, write, &Config::default());
    // The child asks first.
    let mut asked = session.accept().await.unwrap();
    let mut question = String::new();
    asked.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "how much?");
    asked.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
    asked.shutdown().await.unwrap();
    let mut stream = session.open().await.unwrap();
    stream.shutdown().await.unwrap();
    let mut sum = String::new();
    stream.read_to_string(&mut sum).await.unwrap();
    assert_eq!(sum, (1 << 20).to_string());
    let end = session.close(ErrorCode::NO_ERROR, "").await;
    assert!(end.cut().is_nothing(), "{end}");
    assert!(child.wait().await.unwrap().success());
}

async fn child() {
    let session = Session::from_halves(Side::Server, stdin(), stdout(), &Config::default());
    let mut stream = session.open().await.unwrap();
    stream.write_all(b"how much?").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let mut asked = session.accept().await.unwrap();
    asked.write_all(all.len().to_string().as_bytes()).await.unwrap();
    asked.shutdown().await.unwrap();
    let end = session.closed().await;
    assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{end}");
    // tokio reads standard input in a thread that nothing can stop.
    std::process::exit(0);
}
