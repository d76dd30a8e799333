//! `bench`: hands its arguments to the package of that name, built for release from the committed lock file.

use std::path::Path;

/// Where its usage is.
pub(crate) const ARGS: &str = "bench/src/args.rs";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let mut program = crate::cargo(root, &["run", "--release", "-p", "bench", "--locked", "--"]);
    crate::options::pass(root, "bench", ARGS, &mut program, args)
}
