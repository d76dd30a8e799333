//! No two packages have an example of the same name: cargo builds all of them into one folder, where the last one stays.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut known = BTreeMap::new();
    let mut findings = Vec::new();
    for file in tree.files() {
        let Some(name) = example(&file.path) else { continue };
        if let Some(other) = known.insert(name, &file.path) {
            findings.push(Finding::new(&file.path, 1, format!("an example of this name is {other} too")));
        }
    }
    findings
}

fn example(path: &str) -> Option<&str> {
    let (_, file) = path.split_once("/examples/")?;
    let name = file.strip_suffix("/main.rs").or_else(|| file.strip_suffix(".rs"))?;
    (!name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_have_names_of_their_own() {
        let tree = Tree::of(&[
            ("a/examples/echo.rs", ""),
            ("a/examples/top/main.rs", ""),
            ("a/examples/top/args.rs", ""),
            ("b/examples/echo/main.rs", ""),
            ("b/examples/echo/args.rs", ""),
            ("b/tests/top.rs", ""),
        ]);
        let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            ["b/examples/echo/main.rs:1: an example of this name is a/examples/echo.rs too"]
        );
    }
}
