//! `cost`: hands its arguments to the package of that name, built in its own profile from the committed lock file.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let status = crate::cargo(root, &["run", "--quiet", "--profile", "cost", "-p", "cost", "--locked", "--"])
        .args(args)
        .status()
        .map_err(|error| format!("cost: cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cost: {status}")) }
}
