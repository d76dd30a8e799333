//! `soak`: hands its arguments to the program of that name in the package `bench`, built for release.

use std::path::Path;

/// Where its usage is.
pub(crate) const ARGS: &str = "bench/src/bin/soak/args.rs";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let mut program =
        crate::cargo(root, &["run", "--release", "-p", "bench", "--bin", "soak", "--locked", "--"]);
    crate::options::pass(root, "soak", ARGS, &mut program, args)
}
