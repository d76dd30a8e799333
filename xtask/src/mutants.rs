//! `mutants`: cargo-mutants over the wire encoding and the protocol machine, with the tests of their own two crates.

use std::path::Path;

const USAGE: &str =
    "cargo xtask mutants [ARGUMENT...]    such as --shard 0/4, --in-diff FILE, --re NAME, --iterate";

/// Seconds after which a program of tests counts as hanging: a mutant that never ends is noticed.
const TIMEOUT: &str = "--timeout=30";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    crate::tools::need(root, "cargo-mutants").map_err(|why| format!("mutants: {why}"))?;
    for package in ["muxado-frame", "muxado-core"] {
        let output = root.join("target/mutants").join(package);
        std::fs::create_dir_all(&output)
            .map_err(|error| format!("mutants: {}: {error}", output.display()))?;
        let mut mutants = crate::cargo(root, &["mutants", "--no-shuffle", TIMEOUT, "-p", package, "-o"]);
        mutants.arg(output).args(args).args(["--", "--lib", "--tests"]);
        let status = crate::without_debug_lines(&mut mutants).status();
        let status = status.map_err(|error| format!("mutants: cannot start cargo: {error}"))?;
        // 2 says that some were missed, 3 that some ran out of time: its own list is the report.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            return Err(format!("mutants: {status}\n\n{USAGE}"));
        }
    }
    Ok(())
}
