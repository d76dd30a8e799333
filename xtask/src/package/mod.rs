//! `package`: what would go to crates.io. Each published crate says all that its page there needs, its package holds what is
//! meant and nothing else, and builds from that alone. `--list` leaves out the building, and is a step of ci.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::metadata::{Published, published};

mod contents;
mod manifest;
mod page;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let list_only = match args {
        [] => false,
        [arg] if arg == "--list" => true,
        _ => return Err("package: takes --list and nothing else".into()),
    };
    let packages = published(root)?;
    let mut findings = Vec::new();
    for package in &packages {
        let folder = folder(root, package)?;
        let files = contents::list(root, &package.name)?;
        println!("{:<18} {:>3} files", package.name, files.len());
        let here =
            [manifest::check(package), contents::check(root, &folder, &files), page::check(package, &folder)];
        findings.extend(here.concat().into_iter().map(|finding| format!("{}: {finding}\n", package.name)));
    }
    if !findings.is_empty() {
        return Err(format!("{}package: findings: {}", findings.concat(), findings.len()));
    }
    if packages.iter().any(|package| package.value["repository"].is_null()) {
        println!("warning: no `repository` yet; RELEASING.md says where to set it before the first release");
    }
    if list_only { Ok(()) } else { verify(root) }
}

fn folder(root: &Path, package: &Published) -> Result<std::path::PathBuf, String> {
    let manifest = package.value["manifest_path"].as_str().ok_or("cargo metadata names no manifest")?;
    Ok(Path::new(manifest).parent().unwrap_or(root).to_path_buf())
}

/// Packs all of them, and builds each from its package, and those of ours it needs from theirs.
fn verify(root: &Path) -> Result<(), String> {
    // A folder that never was before: cargo takes a package that comes from a folder it knows, in a version it knows, for the
    // one that it has unpacked already.
    let now = SystemTime::UNIX_EPOCH.elapsed().map_err(|error| format!("package: {error}"))?;
    let folder = root.join("target").join(format!("package-{}", now.as_millis()));
    // What is not committed may be packed, or nobody could try a change out: it goes nowhere.
    let args = ["publish", "--dry-run", "--workspace", "--locked", "--allow-dirty", "--target-dir"];
    let verified = crate::succeed("package", crate::cargo(root, &args).arg(&folder));
    let removed = fs::remove_dir_all(&folder);
    verified?;
    removed.map_err(|error| format!("package: cannot remove {}: {error}", folder.display()))
}
