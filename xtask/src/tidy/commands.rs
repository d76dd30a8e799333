//! Commands that pages and comments name exist: `cargo xtask TASK` is a task, and `-p`, `--example`, `--test` and `--bin`
//! name packages and programs of the workspace.

use super::Finding;
use super::manifest::{self, Manifest};
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let packages = manifest::all(tree);
    let mut findings = Vec::new();
    for page in tree.with_extension("md").chain(tree.with_extension("rs")) {
        for (index, line) in page.text.lines().enumerate().filter(|(_, line)| is_prose(&page.path, line)) {
            let missing =
                line.split("cargo ").skip(1).filter_map(|command| missing(tree, &packages, command));
            findings.extend(missing.map(|what| Finding::new(&page.path, index + 1, what)));
        }
    }
    findings
}

/// Whether people read it: of code the comments, and why a test is left out.
fn is_prose(path: &str, line: &str) -> bool {
    let line = line.trim_start();
    path.ends_with(".md") || line.starts_with("//") || line.starts_with("#[ignore")
}

/// What a command that begins with `cargo` names and there is not.
fn missing(tree: &Tree, packages: &[Manifest], command: &str) -> Option<String> {
    let command = command.split(['`', '"', '#', '|', '&', ';']).next()?;
    let words = command.split_whitespace().take_while(|word| *word != "--");
    let words: Vec<&str> = words.map(|word| word.trim_end_matches([',', '.', ':', ')'])).collect();
    if let [xtask, task, ..] = words[..] {
        if xtask == "xtask" && is_name(task) && crate::find(task).is_err() {
            return Some(format!("there is no `cargo xtask {task}`"));
        }
    }
    // Others are about packages of the reader's.
    if !matches!(words.first()?, &"run" | &"test" | &"build" | &"doc" | &"bench" | &"clippy") {
        return None;
    }
    let after = |option: &str| {
        let at = words.iter().position(|word| *word == option)?;
        words.get(at + 1).copied().filter(|name| is_name(name))
    };
    let package = after("-p");
    if let Some(name) = package.filter(|name| !packages.iter().any(|known| known.name == *name)) {
        return Some(format!("there is no package `{name}`"));
    }
    for (option, folder) in [("--example", "examples"), ("--test", "tests"), ("--bin", "src/bin")] {
        let Some(name) = after(option) else { continue };
        let in_question = packages.iter().filter(|known| package.is_none_or(|package| package == known.name));
        let exists = in_question.into_iter().any(|known| {
            let file = format!("{}{folder}/{name}", known.folder());
            tree.contains(&format!("{file}.rs")) || tree.contains(&format!("{file}/main.rs"))
        });
        if !exists {
            return Some(format!("there is no `{option} {name}`"));
        }
    }
    None
}

/// Whether a word stands for itself: `NAME` and `<task>` are to be replaced, and options are not names.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Vec<String> {
        findings_in("page.md", page)
    }

    fn findings_in(path: &str, page: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[package]\nname = \"one\"\n"),
            ("a/examples/small.rs", ""),
            ("a/examples/large/main.rs", ""),
            ("a/tests/rows/main.rs", ""),
            ("b/Cargo.toml", "[package]\nname = \"two\"\n"),
            ("b/src/bin/soak/main.rs", ""),
            (path, page),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_that_exist_are_fine() {
        for good in [
            "cargo xtask ci, `cargo xtask tidy`, `cargo xtask` and cargo xtask TASK",
            "cargo run --release -p one --example large -- demo --example none",
            "`cargo test -p one --test rows` and `cargo test s45`",
            "cargo run --bin soak | grep -p none",
            "cargo add tokio -p mine",
        ] {
            assert_eq!(findings(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn commands_that_do_not_exist_are_found_on_their_line() {
        for (bad, what) in [
            ("cargo xtask tidyness", "there is no `cargo xtask tidyness`"),
            ("`cargo test -p three`", "there is no package `three`"),
            ("cargo run -p two --example small", "there is no `--example small`"),
            ("cargo test --test none", "there is no `--test none`"),
        ] {
            assert_eq!(findings(&format!("first\n{bad}\n")), [format!("page.md:2: {what}")]);
        }
    }

    #[test]
    fn code_is_read_where_people_read_it() {
        let code = "//! `cargo run --example none`\nlet x = \"cargo run --example none\";\n    /// cargo xtask nil\n";
        let there = ["code.rs:1: there is no `--example none`", "code.rs:3: there is no `cargo xtask nil`"];
        assert_eq!(findings_in("code.rs", code), there);
        assert_eq!(
            findings_in("a.rs", "#[ignore = \"cargo xtask nil\"]"),
            ["a.rs:1: there is no `cargo xtask nil`"]
        );
    }
}
