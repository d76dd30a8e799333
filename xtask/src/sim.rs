//! `sim`: starts the simulator of the testkit, built for release from the committed lock file.

use std::path::Path;

/// Where its usage is.
pub(crate) const ARGS: &str = "muxado-testkit/src/bin/sim.rs";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if args.is_empty() {
        return Err("sim: --seed N runs one seed and prints its steps, --seeds N [--from M] runs many".into());
    }
    let mut program =
        crate::cargo(root, &["run", "--release", "-p", "muxado-testkit", "--bin", "sim", "--locked", "--"]);
    crate::options::pass(root, "sim", ARGS, &mut program, args)
}
