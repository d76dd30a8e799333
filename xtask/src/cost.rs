//! `cost`: hands its arguments to the package of that name, built in its own profile from the committed lock file.

use std::path::Path;

/// Where its usage is.
pub(crate) const ARGS: &str = "cost/src/args.rs";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let mut program = crate::cargo(root, &["run", "--profile", "cost", "-p", "cost", "--locked", "--"]);
    crate::options::pass(root, "cost", ARGS, &mut program, args)
}
