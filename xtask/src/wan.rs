//! `wan`: hands its arguments to `bench far`, built for release, which needs Linux and the right to make a network.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let mut program =
        crate::cargo(root, &["run", "--release", "-p", "bench", "--bin", "bench", "--locked", "--", "far"]);
    crate::succeed("wan", program.args(args))
}
