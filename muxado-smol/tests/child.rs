//! A session with a child process over its standard input and output. The test starts itself as the child, so it has no
//! harness, which would print on standard output.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{stdin, stdout};

use muxado_smol::{Config, EndCause, ErrorCode, Session, Side};
use smol::Unblock;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::process::{Command, Stdio};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("child") => smol::block_on(child()),
        // cargo-nextest asks for the names of the tests.
        Some("--list") => println!("a_child_process_is_a_peer: test"),
        _ => smol::block_on(parent()),
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
    asked.close().await.unwrap();
    let end = session.close(ErrorCode::NO_ERROR, "").await;
    assert!(end.cut().is_nothing(), "{end}");
    assert!(child.status().await.unwrap().success());
}

async fn child() {
    let (read, write) = (Unblock::new(stdin()), Unblock::new(stdout()));
    let session = Session::from_halves(Side::Server, read, write, &Config::default());
    let mut stream = session.open().await.unwrap();
    stream.write_all(b"how much?").await.unwrap();
    stream.close().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), 1 << 20);
    let end = session.closed().await;
    assert!(matches!(end.cause(), EndCause::GoAway { .. }), "{end}");
}
