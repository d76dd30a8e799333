//! `interop`: ours and another implementation against each other, then the conformance suite against that one. It is the
//! crate `muxado`, or with `--go` the Go peer, whose module the go command fetches unless a folder with it is given.

use std::path::Path;

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
    if !crate::system::have(&crate::system::GO) {
        return Err("interop: not run; it needs Go, 1.21 or newer".into());
    }
    // The tests run in another folder.
    let checkout = checkout.map(|folder| match folder.join("go.mod").is_file() {
        true => folder.canonicalize().map_err(|error| format!("interop: {}: {error}", folder.display())),
        false => Err(format!("interop: there is no Go module in {}", folder.display())),
    });
    let args = ["--test", "go", "--", "--ignored", "--nocapture", "--test-threads=1"];
    cargo_test(root, &args, checkout.transpose()?.as_deref())
}

fn cargo_test(root: &Path, args: &[&str], checkout: Option<&Path>) -> Result<(), String> {
    let mut tests = crate::cargo(root, &["test", "--locked", "-p", "interop"]);
    if let Some(checkout) = checkout {
        tests.env("MUXADO_GO", checkout);
    }
    // Tasks of the crate panic on some of what is played, which is its own business.
    crate::succeed("interop", tests.args(args).env("RUST_BACKTRACE", "0"))
}
