//! Builds the fuzz targets with coverage counters that libFuzzer reads.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A counter on every edge, the table that says where each is, and a look at both sides of every comparison. These are
/// options of the compiler's back end, so stable has them. No sanitizer: there is no unsafe code to watch.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// Where everything that is not committed lies.
pub(super) fn scratch(root: &Path) -> PathBuf {
    root.join("target/fuzz")
}

/// Builds all targets and returns the folder of their programs.
pub(super) fn build(root: &Path) -> Result<PathBuf, String> {
    find_compiler()?;
    let host = host()?;
    let manifest = root.join("fuzz/Cargo.toml");
    let status = crate::cargo(root, &["build", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        // Naming the host keeps the flags away from build scripts, which have no engine to link to.
        .args(["--target", &host, "--target-dir"])
        .arg(scratch(root))
        .env("RUSTFLAGS", FLAGS.join(" "))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .map_err(|error| format!("fuzz: cannot start cargo: {error}"))?;
    if !status.success() {
        return Err(format!("fuzz: the targets do not build: {status}"));
    }
    Ok(scratch(root).join(host).join("release"))
}

/// The engine is C++, and cargo's own words for a missing compiler are hard to find in its output.
fn find_compiler() -> Result<(), String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    match Command::new(&compiler).arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "fuzz: no C++ compiler, which libFuzzer is built with: `{compiler}`: {error}\n\
             Install g++ or clang, or name one in CXX."
        )),
    }
}

fn host() -> Result<String, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(&rustc).arg("-vV").output();
    let output = output.map_err(|error| format!("fuzz: cannot start {rustc}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("fuzz: {rustc} does not say its host"))
}
