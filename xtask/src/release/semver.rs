//! Whether the public API breaks what the last release offered, more than the new version admits: cargo-semver-checks
//! against the last tag.

use std::path::Path;
use std::process::Command;

use super::Verdict;

pub(super) fn check(root: &Path) -> Verdict {
    let Some(tag) = last_tag(root) else {
        return Ok("nothing to compare with: no release has been tagged".into());
    };
    crate::tools::need(root, "cargo-semver-checks")?;
    let args = ["semver-checks", "--workspace", "--baseline-rev", &tag];
    crate::succeed("semver", &mut crate::cargo(root, &args))?;
    Ok(format!("against {tag}"))
}

/// The last of the tags that RELEASING.md has one make, before this commit.
fn last_tag(root: &Path) -> Option<String> {
    let args = ["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"];
    let output = Command::new("git").current_dir(root).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
