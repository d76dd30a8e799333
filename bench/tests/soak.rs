//! A short soak with a fixed amount of work, as everybody's tests run it. The long one is `cargo xtask soak`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
fn some_pairs_of_sessions_come_and_go_and_leave_nothing() {
    let soak = Command::new(env!("CARGO_BIN_EXE_soak")).args(["--sessions", "12"]).output().unwrap();
    let said = String::from_utf8_lossy(&soak.stdout);
    assert!(soak.status.success() && said.contains("nothing is left"), "{soak:?}");
}
