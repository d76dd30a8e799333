//! `soak`: hands its arguments to the program of that name in the package `bench`, built for release.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let status = crate::cargo(root, &["run", "--release", "-p", "bench", "--bin", "soak", "--locked", "--"])
        .args(args)
        .status()
        .map_err(|error| format!("soak: cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("soak: {status}")) }
}
