//! The page of a published crate, its README: the same on crates.io, on docs.rs and in the tree, so it is the documentation
//! of `lib.rs` too, and links to nothing by a path. It says what people look for first.

use std::fs;
use std::path::Path;

use crate::metadata::Published;

/// How the page becomes the documentation, whatever attribute stands around it.
const INCLUDED: &str = "doc = include_str!(\"../README.md\")";

/// By which docs.rs marks what needs a feature.
const MARKED: &str = "#![cfg_attr(docsrs, feature(doc_cfg))]";

pub(crate) fn check(package: &Published, folder: &Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let rust = package.value["rust_version"].as_str().unwrap_or_default();
    judge(&read("README.md"), &read("src/lib.rs"), &package.features(), rust)
}

fn judge(page: &str, lib: &str, features: &[String], rust: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut docs = lib.lines().filter(|line| line.starts_with("#![") && line.contains("doc = "));
    if !docs.next().is_some_and(|line| line.contains(INCLUDED)) || docs.next().is_some() || has_own_docs(lib)
    {
        findings.push(format!("the documentation of src/lib.rs is not its README alone: `#![{INCLUDED}]`"));
    }
    if !features.is_empty() && !lib.lines().any(|line| line == MARKED) {
        findings.push(format!("docs.rs would not say what needs a feature: src/lib.rs has no `{MARKED}`"));
    }
    for feature in features.iter().filter(|feature| !page.contains(&format!("| `{feature}` |"))) {
        findings.push(format!("README.md has no line `| `{feature}` | … |` in a table of features"));
    }
    for needed in ["## Features", "## Licence", "```rust", &format!("Rust {rust} or later")] {
        if !page.contains(needed) {
            findings.push(format!("README.md does not say `{needed}`"));
        }
    }
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for target in targets.filter(|target| !target.starts_with("https://") && !target.starts_with('#')) {
        findings.push(format!("README.md links to `{target}`, which leads nowhere from crates.io"));
    }
    findings
}

fn has_own_docs(lib: &str) -> bool {
    lib.lines().any(|line| line.starts_with("//!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# a\n```rust\n```\n## Features\n| `tls` | x |\nRust 1.85 or later\n## Licence\n[x](https://docs.rs/x)\n";
    const LIB: &str = "#![doc = include_str!(\"../README.md\")]\n#![cfg_attr(docsrs, feature(doc_cfg))]\n";

    fn findings(page: &str, lib: &str) -> usize {
        judge(page, lib, &["tls".into()], "1.85").len()
    }

    #[test]
    fn a_page_that_says_it_all_is_fine() {
        assert_eq!(findings(PAGE, LIB), 0);
        let some = format!(
            "#![cfg_attr(any(not(doctest), feature = \"x\"), doc = include_str!(\"../README.md\"))]\n{MARKED}\n"
        );
        assert_eq!(findings(PAGE, &some), 0);
    }

    #[test]
    fn what_is_missing_is_found() {
        for piece in ["## Features", "`tls`", "## Licence", "1.85", "```rust"] {
            assert_eq!(findings(&PAGE.replace(piece, ""), LIB), 1, "{piece}");
        }
        assert_eq!(findings(&format!("{PAGE}[a](docs/a.md)"), LIB), 1);
    }

    #[test]
    fn features_are_marked_where_there_are_any() {
        let unmarked = LIB.replace(MARKED, "");
        assert_eq!(findings(PAGE, &unmarked), 1);
        assert_eq!(judge(PAGE, &unmarked, &[], "1.85"), [""; 0]);
    }

    #[test]
    fn the_documentation_is_the_page_and_nothing_else() {
        let without = format!("{MARKED}\n");
        for lib in [
            &format!("//! Other.\n{without}"),
            &without,
            &format!("{LIB}//! More.\n"),
            &format!("{LIB}#![doc = \"more\"]\n"),
        ] {
            assert_eq!(findings(PAGE, lib), 1, "{lib}");
        }
    }
}
