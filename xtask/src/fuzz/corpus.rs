//! The committed corpora: seeded from what the tests know, and minimized after a run.

use std::fs;
use std::path::{Path, PathBuf};

use super::build::scratch;
use super::report::Report;

/// The longest input, in bytes: a few hundred frames.
pub(super) const MAX_LEN: &str = "-max_len=4096";

pub(super) fn committed(root: &Path, target: &str) -> PathBuf {
    root.join("fuzz/corpus").join(target)
}

/// What runs have added, on this machine.
pub(super) fn found(root: &Path, target: &str) -> Result<PathBuf, String> {
    folder(scratch(root).join("corpus").join(target))
}

/// Makes `path` a folder.
pub(super) fn folder(path: PathBuf) -> Result<PathBuf, String> {
    fs::create_dir_all(&path).map_err(|error| format!("fuzz: cannot make {}: {error}", path.display()))?;
    Ok(path)
}

/// The testkit knows the vectors, the recordings and the catalogue of rows, and has a test that writes them out.
pub(super) fn seed(root: &Path) -> Result<(), String> {
    let test = [
        "test",
        "--locked",
        "-p",
        "muxado-testkit",
        "--test",
        "corpus",
        "--",
        "--ignored",
        "write_the_seeds",
    ];
    crate::succeed("fuzz: the seeds", &mut crate::cargo(root, &test))
}

/// Brings what was found into the committed corpus and keeps as few files of both as reach the same coverage.
pub(super) fn minimize(root: &Path, programs: &Path, target: &str) -> Result<(), String> {
    let committed = folder(committed(root, target))?;
    let fresh = scratch(root).join("minimized").join(target);
    // What an earlier call left there.
    let _ = fs::remove_dir_all(&fresh);
    let fresh = folder(fresh)?;
    let found = found(root, target)?;
    let output = std::process::Command::new(programs.join(target))
        .args(["-set_cover_merge=1", MAX_LEN])
        .args([&fresh, &committed, &found])
        .output()
        .map_err(|error| format!("fuzz: cannot start {target}: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let kept = names(&fresh)?;
    if !output.status.success() || kept.is_empty() {
        return Err(format!("{log}\nfuzz: {target} cannot be minimized: {}", output.status));
    }
    let before = names(&committed)?;
    for file in &before {
        fs::remove_file(file).map_err(|error| format!("fuzz: {}: {error}", file.display()))?;
    }
    let mut size = 0;
    for file in &kept {
        let to = committed.join(file.file_name().unwrap_or_default());
        size += fs::copy(file, &to).map_err(|error| format!("fuzz: {}: {error}", to.display()))?;
    }
    let coverage = Report::read(&log).coverage;
    println!(
        "{target}: {} files before, {} files with {size} bytes now, coverage {coverage}",
        before.len(),
        kept.len()
    );
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    entries.map_err(|error| format!("fuzz: cannot read {}: {error}", folder.display()))
}
