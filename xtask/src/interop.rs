//! `interop`: ours and the crate `muxado` against each other, then the conformance suite against that crate.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("interop: takes no arguments".into());
    }
    cargo_test(root, &["--test", "crate_muxado"])?;
    println!(
        "\nThe conformance suite, a minute. Where tasks of muxado-0.5.4 panic, that is seen, and no fault of ours.\n"
    );
    // One role after the other, with the table of each.
    cargo_test(root, &["--test", "muxspec", "--", "--ignored", "--nocapture", "--test-threads=1"])
}

fn cargo_test(root: &Path, args: &[&str]) -> Result<(), String> {
    let mut tests = crate::cargo(root, &["test", "--locked", "-p", "interop"]);
    // Tasks of that crate panic on some of what is played, which is its own business.
    crate::succeed("interop", tests.args(args).env("RUST_BACKTRACE", "0"))
}
