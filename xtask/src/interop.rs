//! `interop`: ours and another implementation against each other, then the conformance suite against that one. It is the
//! crate `muxado`, or with `--go` the Go peer, whose module the go command fetches unless a folder with it is given.

use std::path::Path;

use crate::system;

/// The Go peer needs Go 1.21, says its module.
const OLDEST_GO: u32 = 21;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => the_crate(root),
        ["--go"] => the_go_peer(root, None),
        ["--go", checkout] => the_go_peer(root, Some(Path::new(checkout))),
        _ => Err("interop: takes no arguments, or --go [FOLDER OF THE GO MODULE]".into()),
    }
}

fn the_crate(root: &Path) -> Result<(), String> {
    cargo_test(root, &["--test", "crate_muxado"], None)?;
    println!(
        "\nThe conformance suite, a minute. Where tasks of muxado-0.5.4 panic, that is seen, and no fault of ours.\n"
    );
    // One role after the other, with the table of each.
    cargo_test(root, &["--test", "muxspec", "--", "--ignored", "--nocapture", "--test-threads=1"], None)
}

fn the_go_peer(root: &Path, checkout: Option<&Path>) -> Result<(), String> {
    let version = system::version(&system::GO);
    if !version.as_deref().is_some_and(is_new_enough) {
        let here = version.as_deref().unwrap_or("there is none");
        return Err(format!("interop: not run; it needs Go, 1.{OLDEST_GO} or newer: {here}"));
    }
    // The tests run in another folder.
    let checkout = checkout.map(|folder| match folder.join("go.mod").is_file() {
        true => folder.canonicalize().map_err(|error| format!("interop: {}: {error}", folder.display())),
        false => Err(format!("interop: there is no Go module in {}", folder.display())),
    });
    let args = ["--test", "go", "--", "--ignored", "--nocapture", "--test-threads=1"];
    cargo_test(root, &args, checkout.transpose()?.as_deref())
}

/// Whether `go version go1.22.1 linux/amd64` and its like are of a Go that can build the peer.
fn is_new_enough(version: &str) -> bool {
    let minor =
        version.split("go1.").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= OLDEST_GO)
}

fn cargo_test(root: &Path, args: &[&str], checkout: Option<&Path>) -> Result<(), String> {
    let mut tests = crate::cargo(root, &["test", "--locked", "-p", "interop"]);
    if let Some(checkout) = checkout {
        tests.env("MUXADO_GO", checkout);
    }
    // Tasks of the crate panic on some of what is played, which is its own business.
    crate::succeed("interop", tests.args(args).env("RUST_BACKTRACE", "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_go_that_cannot_build_the_peer_is_known() {
        for version in ["go version go1.21.0 linux/amd64", "go version go1.27rc1 darwin/arm64"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["go version go1.19.8 linux/amd64", "go version go1.2 linux/amd64", ""] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
