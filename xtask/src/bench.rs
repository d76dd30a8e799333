//! `bench`: hands its arguments to the package of that name, built for release from the committed lock file.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let mut program = crate::cargo(root, &["run", "--release", "-p", "bench", "--locked", "--"]);
    crate::succeed("bench", program.args(args))
}
