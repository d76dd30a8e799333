//! The book holds together: every page is in its table of contents, no link leads out of it, and every program in a page is
//! compiled and run, by `docs/lib.rs`.

use super::Finding;
use super::links::{resolve, targets};
use super::tree::{File, Tree};

const FOLDER: &str = "docs/";
const CONTENTS: &str = "docs/SUMMARY.md";
const PROGRAMS: &str = "docs/lib.rs";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(contents) = tree.file(CONTENTS) else { return Vec::new() };
    let listed: Vec<String> =
        contents.text.lines().flat_map(targets).filter_map(inside_of_the_book).collect();
    let programs = tree.file(PROGRAMS).map_or("", |file| file.text.as_str());
    let pages =
        tree.with_extension("md").filter(|file| file.path.starts_with(FOLDER) && file.path != CONTENTS);
    let mut findings = Vec::new();
    for page in pages {
        if !listed.contains(&page.path) {
            findings.push(Finding::new(&page.path, 1, format!("is not in {CONTENTS}")));
        }
        findings.extend(leading_out(page));
        findings.extend(programs_of(page, programs));
    }
    findings
}

fn inside_of_the_book(target: &str) -> Option<String> {
    resolve(CONTENTS, target).filter(|path| path.starts_with(FOLDER))
}

/// Links that lead somewhere in the tree and nowhere in the book as it is built.
fn leading_out(page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in super::links::prose(page) {
        for target in targets(&text).filter(|target| !super::links::is_address(target)) {
            let path = target.split('#').next().unwrap_or(target);
            if !path.is_empty() && !resolve(&page.path, path).is_some_and(|path| path.starts_with(FOLDER)) {
                findings.push(Finding::new(&page.path, line, format!("leads out of the book: {target}")));
            }
        }
    }
    findings
}

/// Code blocks that are not what they say, or that nothing runs.
fn programs_of(page: &File, programs: &str) -> Vec<Finding> {
    let name = page.path.trim_start_matches(FOLDER);
    let is_run = programs.contains(&format!("include_str!(\"{name}\")"));
    let mut findings = Vec::new();
    let mut lines = page.text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(tags) = line.trim_start().strip_prefix("```") else { continue };
        let tags: Vec<&str> = tags.split(',').map(str::trim).collect();
        let inside = lines.by_ref().take_while(|(_, line)| !line.trim_start().starts_with("```"));
        let mains = inside.filter(|(_, line)| line.contains("fn main()")).count();
        let what = match tags.first() {
            None | Some(&"") => "a code block without a language".to_owned(),
            Some(&"rust") if tags.contains(&"ignore") => "a program that is not compiled".to_owned(),
            Some(&"rust") if tags.contains(&"no_run") || mains == 0 => "a program that is not run".to_owned(),
            Some(&"rust") if !is_run => format!("has programs and is not in {PROGRAMS}"),
            _ => continue,
        };
        findings.push(Finding::new(&page.path, index + 1, what));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Vec<String> {
        let tree = Tree::of(&[
            (CONTENTS, "- [A page](page.md)\n- [Another](sub/other.md)\n- [To come]()\n"),
            (PROGRAMS, "#[doc = include_str!(\"page.md\")]\n"),
            ("README.md", "```\nnot of the book\n```\n"),
            ("docs/sub/other.md", "```toml\na = 1\n```\n"),
            ("docs/page.md", page),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn programs_that_run_and_links_within_are_fine() {
        let good = "[a](sub/other.md#b) [b](https://example.com) [c](#d) `[e](../README.md)`\n\
                    ```rust\nfn main() {}\n```\n```text\n[f](../README.md)\n```\n";
        assert_eq!(findings(good), [""; 0]);
    }

    #[test]
    fn pages_that_are_not_listed_or_not_run_are_found() {
        let tree = Tree::of(&[(CONTENTS, ""), ("docs/page.md", "```rust\nfn main() {}\n```\n")]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        let (listed, run) = ("is not in docs/SUMMARY.md", "has programs and is not in docs/lib.rs");
        assert_eq!(found, [format!("docs/page.md:1: {listed}"), format!("docs/page.md:1: {run}")]);
    }

    #[test]
    fn blocks_that_rustdoc_would_pass_over_or_take_for_programs_are_found() {
        assert_eq!(findings("```rust,ignore\n```\n"), ["docs/page.md:1: a program that is not compiled"]);
        assert_eq!(findings("a\n```\nb\n```\n"), ["docs/page.md:2: a code block without a language"]);
    }

    #[test]
    fn programs_that_are_compiled_and_not_run_are_found() {
        let not_run = "docs/page.md:1: a program that is not run";
        assert_eq!(findings("```rust,no_run\nfn main() {}\n```\n"), [not_run]);
        assert_eq!(findings("```rust\nasync fn asks_nobody() {}\n```\n"), [not_run]);
    }

    #[test]
    fn links_out_of_the_book_are_found() {
        assert_eq!(findings("[a](../README.md)"), ["docs/page.md:1: leads out of the book: ../README.md"]);
    }
}
