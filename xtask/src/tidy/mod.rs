//! `tidy`: the rules of the house that no compiler checks. One file per rule; each is a function from the
//! files of the workspace to its findings, and all findings are reported at once, as file:line.

use std::fmt;
use std::path::Path;

mod book;
mod code;
mod commands;
mod direction;
mod examples;
mod faces;
mod foreign;
mod links;
mod manifest;
mod purity;
mod rust_file;
mod size;
mod text;
pub(crate) mod tree;
mod workflows;

use tree::Tree;

/// One place where the tree breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
    direction::check,
    examples::check,
    faces::check,
    foreign::check,
    purity::check,
    rust_file::check,
    size::check,
    text::check,
    links::check,
    book::check,
    commands::check,
    workflows::check,
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("tidy: takes no arguments".into());
    }
    let tree = Tree::read(root)?;
    let findings = check(&tree);
    if findings.is_empty() {
        println!("tidy: {} files, nothing to report", tree.files().count());
        return Ok(());
    }
    let list: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    Err(format!("{list}tidy: findings: {}", findings.len()))
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo test` alone is enough to learn that the tree is untidy.
    #[test]
    fn the_workspace_is_tidy() {
        if let Err(findings) = run(&crate::workspace_root(), &[]) {
            panic!("{findings}");
        }
    }

    #[test]
    fn findings_of_all_rules_come_sorted_by_place() {
        let tree = Tree::of(&[("b.rs", "//! Doc.\nfn f() {} \n"), ("a.rs", "fn f() {}")]);
        let places: Vec<String> =
            check(&tree).iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect();
        assert_eq!(places, ["a.rs:1", "a.rs:1", "b.rs:2"]);
        assert_eq!(Finding::new("a.rs", 7, "wrong").to_string(), "a.rs:7: wrong");
    }
}
