//! What is in a package: sources, the page, the licences, and what cargo adds. No tests, corpora or pictures.

use std::fs;
use std::path::Path;

/// What each package must hold; the licences are those of the root.
const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// What cargo makes itself.
const MADE: &[&str] = &[".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];

/// The files that cargo would pack, with `/`.
pub(crate) fn list(root: &Path, package: &str) -> Result<Vec<String>, String> {
    let args = ["package", "--quiet", "--list", "--locked", "--allow-dirty", "-p", package];
    let files = crate::output_of("package", &mut crate::cargo(root, &args))?;
    Ok(files.lines().map(|line| line.replace('\\', "/")).collect())
}

pub(crate) fn check(root: &Path, folder: &Path, files: &[String]) -> Vec<String> {
    let mut findings: Vec<String> =
        files.iter().filter(|file| !belongs(file)).map(|file| format!("packs `{file}`")).collect();
    for needed in LICENCES.iter().chain(&["README.md", "src/lib.rs"]) {
        if !files.iter().any(|file| file == needed) {
            findings.push(format!("does not pack `{needed}`"));
        }
    }
    for licence in LICENCES {
        if fs::read(folder.join(licence)).ok() != fs::read(root.join(licence)).ok() {
            findings.push(format!("its `{licence}` is not that of the root"));
        }
    }
    findings
}

fn belongs(file: &str) -> bool {
    let source = file.starts_with("src/") && file.ends_with(".rs");
    source || file == "README.md" || MADE.contains(&file) || LICENCES.contains(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_and_what_is_missing_is_found() {
        let root = crate::workspace_root();
        let folder = root.join("muxado-frame");
        let mut files: Vec<String> =
            ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/a/b.rs", "src/lib.rs"]
                .map(String::from)
                .into();
        assert_eq!(check(&root, &folder, &files), [""; 0]);
        files.extend(["tests/a.rs".into(), "src/a.svg".into(), "corpus/x".into()]);
        assert_eq!(check(&root, &folder, &files).len(), 3);
        assert_eq!(check(&root, &folder, &files[..2]).len(), 3);
        assert_eq!(check(&root, &root.join("docs"), &files[..6]).len(), 2);
    }
}
