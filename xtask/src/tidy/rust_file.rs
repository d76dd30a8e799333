//! What every Rust file of ours owes: a module doc at its top, `forbid(unsafe_code)` in each published
//! crate, nothing left behind from work in progress.

use super::Finding;
use super::code::{Code, is_word};
use super::manifest;
use super::tree::{File, Tree};

const FORBID_UNSAFE: &str = "#![forbid(unsafe_code)]";

/// Put together here so that this file does not contain them.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        if !file.text.starts_with("//!") && !is_a_page(file) && !file.text.is_empty() {
            findings.push(Finding::new(&file.path, 1, "does not begin with a module doc `//!`"));
        }
        findings.extend(leftovers(file));
    }
    for package in manifest::all(tree).iter().filter(|package| package.published) {
        let lib = package.lib_path();
        let forbids = |file: &File| Code::of(&file.text).text().contains(FORBID_UNSAFE);
        if !tree.file(&lib).is_some_and(forbids) {
            findings.push(Finding::new(&lib, 1, format!("published crate without `{FORBID_UNSAFE}`")));
        }
    }
    findings
}

/// Whether the docs of a crate are its README, which `package` checks.
fn is_a_page(file: &File) -> bool {
    let mut head = file.text.lines().take(2);
    file.path.ends_with("src/lib.rs") && head.any(|line| line.contains("include_str!(\"../README.md\")"))
}

fn leftovers(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for mark in MARKS.iter().filter(|mark| line.split(|c| !is_word(c)).any(|word| word == **mark)) {
            findings.push(Finding::new(&file.path, index + 1, format!("{mark}: do it or file it")));
        }
    }
    let code = Code::of(&file.text);
    for (at, word) in code.words() {
        if word == "dbg" && code.text()[at..].starts_with("dbg!") {
            findings.push(Finding::new(&file.path, code.line_of(at), "a debugging aid left behind"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_begins_with_its_module_doc() {
        assert_eq!(findings(&[("a.rs", "//! Doc.\n")]), [""; 0]);
        for bad in ["use a::B;\n", "// Comment.\n", "\n//! Doc.\n"] {
            assert_eq!(findings(&[("a.rs", bad)]), ["a.rs:1: does not begin with a module doc `//!`"]);
        }
    }

    #[test]
    fn the_docs_of_a_crate_may_be_its_page() {
        let page = "#![doc = include_str!(\"../README.md\")]\n";
        assert_eq!(findings(&[("a/src/lib.rs", page)]), [""; 0]);
        assert_eq!(findings(&[("a/src/b.rs", page)]).len(), 1);
    }

    #[test]
    fn a_published_crate_forbids_unsafe_code() {
        let manifest = ("a/Cargo.toml", "[package]\nname = \"a\"\n");
        let good = format!("//! Doc.\n{FORBID_UNSAFE}\n");
        assert_eq!(findings(&[manifest, ("a/src/lib.rs", &good)]), [""; 0]);
        let only_said = format!("//! Doc: {FORBID_UNSAFE}\n");
        assert_eq!(findings(&[manifest, ("a/src/lib.rs", &only_said)]).len(), 1);
        let private = ("a/Cargo.toml", "[package]\nname = \"a\"\npublish = false\n");
        assert_eq!(findings(&[private, ("a/src/lib.rs", "//! Doc.\n")]), [""; 0]);
    }

    #[test]
    fn unfinished_work_is_found_in_comments_too() {
        for mark in MARKS {
            let bad = format!("//! Doc.\n// {mark}: later\n");
            assert_eq!(findings(&[("a.rs", &bad)]), [format!("a.rs:2: {mark}: do it or file it")]);
            assert_eq!(findings(&[("a.rs", &format!("//! {mark}S and {mark}_LIST.\n"))]), [""; 0]);
        }
    }

    #[test]
    fn debugging_aids_are_found_in_code_only() {
        let bad = "//! Doc.\nfn f() { dbg!(1); }\n";
        assert_eq!(findings(&[("a.rs", bad)]), ["a.rs:2: a debugging aid left behind"]);
        assert_eq!(findings(&[("a.rs", "//! No dbg!(1) here.\nconst DBG: &str = \"dbg!\";\n")]), [""; 0]);
    }
}
