//! Whether the public API breaks what the last release offered, more than the new version admits: cargo-semver-checks
//! against the last tag.

use std::path::Path;
use std::process::{Command, Output};

use super::Verdict;
use crate::metadata::published;

pub(super) fn check(root: &Path) -> Verdict {
    let Some(tag) = last_tag(root) else {
        return Ok("nothing to compare with: no release has been tagged".into());
    };
    crate::tools::need(root, "cargo-semver-checks")?;
    // One that the last release did not have breaks nothing, and is an error to the tool.
    let (known, new): (Vec<_>, Vec<_>) =
        published(root)?.into_iter().map(|package| package.name).partition(|name| is_in(root, &tag, name));
    let mut checks = crate::cargo(root, &["semver-checks", "--baseline-rev", &tag]);
    for name in &known {
        checks.args(["-p", name]);
    }
    crate::succeed("semver", &mut checks)?;
    Ok(if new.is_empty() {
        format!("against {tag}")
    } else {
        format!("against {tag}; new: {}", new.join(", "))
    })
}

/// The last of the tags that RELEASING.md has one make, before this commit.
fn last_tag(root: &Path) -> Option<String> {
    let output = git(root, &["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"])?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_in(root: &Path, tag: &str, package: &str) -> bool {
    git(root, &["cat-file", "-e", &format!("{tag}:{package}/Cargo.toml")]).is_some()
}

/// What git has said, unless that was an error.
fn git(root: &Path, args: &[&str]) -> Option<Output> {
    Command::new("git").current_dir(root).args(args).output().ok().filter(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_new_if_the_tag_has_no_folder_of_its_name() {
        let root = crate::workspace_root();
        if git(&root, &["rev-parse", "HEAD"]).is_some() {
            assert!(is_in(&root, "HEAD", "muxado-core") && !is_in(&root, "HEAD", "muxado-none"));
        }
    }
}
