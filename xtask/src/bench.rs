//! `bench`: hands its arguments to the package of that name, built for release from the committed lock file.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !root.join("bench/Cargo.toml").is_file() {
        return Err("bench: this workspace has no package `bench` yet (no file bench/Cargo.toml)".into());
    }
    let mut program = crate::cargo(root, &["run", "--release", "-p", "bench", "--locked", "--"]);
    crate::succeed("bench", program.args(args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_package_is_said_clearly() {
        let error = run(Path::new("no such workspace"), &[]).unwrap_err();
        assert!(error.contains("no package `bench` yet"), "{error}");
    }
}
