//! `mutants`: cargo-mutants over the wire encoding and the protocol machine, with the tests that are about these.

use std::path::Path;

const USAGE: &str =
    "cargo xtask mutants [ARGUMENT...]    such as --shard 0/4, --in-diff FILE, --re NAME, --iterate";

/// Seconds after which a program of tests counts as hanging: a mutant that never ends is noticed.
const TIMEOUT: &str = "--timeout=30";

/// The crates, and the tests of each that must notice.
const TESTS: [(&str, &[&str]); 2] = [
    ("muxado-frame", &["--lib", "--tests"]),
    // The others drive whole sessions: with them it takes several times as long, and notices no more.
    ("muxado-core", &["--lib", "--test=rows", "--test=shell"]),
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    crate::tools::need(root, "cargo-mutants").map_err(|why| format!("mutants: {why}"))?;
    for (package, tests) in TESTS {
        let output = root.join("target/mutants").join(package);
        std::fs::create_dir_all(&output)
            .map_err(|error| format!("mutants: {}: {error}", output.display()))?;
        let mut mutants = crate::cargo(root, &["mutants", "--no-shuffle", TIMEOUT, "-p", package, "-o"]);
        mutants.arg(output).args(args).arg("--").args(tests);
        let status = crate::without_debug_lines(&mut mutants).status();
        let status = status.map_err(|error| format!("mutants: cannot start cargo: {error}"))?;
        // 2 says that some were missed, 3 that some ran out of time: its own list is the report.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            return Err(format!("mutants: {status}\n\n{USAGE}"));
        }
    }
    Ok(())
}
