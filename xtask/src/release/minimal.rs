//! Whether the packages build with the lowest versions that their manifests allow: what is really packed, unpacked into a
//! workspace of its own, without the dependencies of tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Verdict;
use crate::metadata::published;

pub(super) fn check(root: &Path) -> Verdict {
    let packages = published(root)?;
    let mut pack = crate::cargo(root, &["package", "--quiet", "--no-verify", "--locked", "--allow-dirty"]);
    for package in &packages {
        pack.args(["-p", &package.name]);
    }
    // Here and not where cargo is told to build, which may be a place that others use too.
    let target = root.join("target/minimal");
    crate::succeed("minimal", pack.arg("--target-dir").arg(&target))?;
    let folder = target.join("workspace");
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    unpack(&target.join("package"), &folder, &names).map_err(|error| format!("minimal: {error}"))?;

    let mut lowest = crate::cargo(&folder, &["update", "--quiet", "-Z", "direct-minimal-versions"]);
    // The option is for nightly Rust, and only chooses versions.
    crate::succeed("minimal", lowest.env("RUSTC_BOOTSTRAP", "1"))?;
    let build = ["check", "--workspace", "--all-features", "--locked", "--target-dir"];
    crate::succeed("minimal", crate::cargo(&folder, &build).arg(target.join("build")))?;
    Ok("the lowest versions build".into())
}

fn unpack(packed: &Path, folder: &Path, names: &[&str]) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let version = env!("CARGO_PKG_VERSION");
    let mut workspace =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\"*-{version}\"]\n\n[patch.crates-io]\n");
    for name in names {
        let with_version = format!("{name}-{version}");
        let archive: PathBuf = packed.join(format!("{with_version}.crate"));
        // With the time of now: in packages all files have the same, by which cargo would take what it built of the last ones
        // of this version for fresh.
        let unpacked = Command::new("tar").current_dir(folder).arg("xzmf").arg(&archive).status()?;
        if !unpacked.success() {
            return Err(std::io::Error::other(format!("cannot unpack {}", archive.display())));
        }
        let manifest = folder.join(&with_version).join("Cargo.toml");
        let text = without_dev_dependencies(&fs::read_to_string(&manifest)?);
        fs::write(manifest, text)?;
        workspace.push_str(&format!("{name} = {{ path = \"{with_version}\" }}\n"));
    }
    fs::write(folder.join("Cargo.toml"), workspace)
}

/// Of a manifest as cargo writes it, where each dependency has a table of its own.
fn without_dev_dependencies(manifest: &str) -> String {
    let mut left_out = false;
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            left_out = line.contains("dev-dependencies");
        }
        !left_out
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dependencies_of_tests_are_left_out() {
        let manifest = "[package]\nname = \"a\"\n\n[dev-dependencies.b]\nversion = \"1\"\n\n\
                        [target.x.dev-dependencies.c]\nversion = \"1\"\n\n[dependencies.d]\nversion = \"1\"\n";
        let expected = "[package]\nname = \"a\"\n\n[dependencies.d]\nversion = \"1\"\n";
        assert_eq!(without_dev_dependencies(manifest), expected);
    }
}
