//! References that rot: relative links in Markdown lead to files that exist and to headings that these have, and every
//! citation of a section of the protocol page names a section it has.

use super::Finding;
use super::tree::{File, Tree};

const PROTOCOL: &str = "docs/protocol.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        tree.with_extension("md").flat_map(|file| broken_links(tree, file)).collect();
    let sections = tree.file(PROTOCOL).map(sections).unwrap_or_default();
    for file in tree.with_extension("md").chain(tree.with_extension("rs")) {
        for (index, line) in file.text.lines().enumerate() {
            for section in citations(line).filter(|section| !sections.iter().any(|known| known == section)) {
                let what = format!("{PROTOCOL} has no section {section}");
                findings.push(Finding::new(&file.path, index + 1, what));
            }
        }
    }
    findings
}

fn broken_links(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, prose) in prose(file) {
        for target in targets(&prose).filter(|target| !leads_somewhere(tree, file, target)) {
            findings.push(Finding::new(&file.path, line, format!("broken link: {target}")));
        }
    }
    findings
}

/// The lines of a page that are no code, with their numbers.
pub(super) fn prose(file: &File) -> impl Iterator<Item = (usize, String)> {
    outside_fences(file).map(|(line, text)| (line, without_code_spans(text)))
}

fn outside_fences(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The targets of inline links `[..](target "title")` and of definitions `[..]: target`.
pub(super) fn targets(line: &str) -> impl Iterator<Item = &str> {
    let definition =
        line.starts_with('[').then(|| line.split_once("]: ")).flatten().map(|(_, target)| target);
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    inline.chain(definition).filter_map(|target| target.split_whitespace().next())
}

/// Whether a link in `from` needs no check, being an address, or names a file and, if any, a heading of it.
fn leads_somewhere(tree: &Tree, from: &File, target: &str) -> bool {
    if is_address(target) {
        return true;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let to = match path {
        "" => from.path.clone(),
        path => match resolve(&from.path, path) {
            Some(to) if tree.contains(&to) => to,
            _ => return false,
        },
    };
    let page = tree.file(&to).filter(|file| file.path.ends_with(".md"));
    heading.is_empty() || page.is_none_or(|page| anchors(page).any(|anchor| anchor == heading))
}

pub(super) fn is_address(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The path that `target` means in the page `from`; none if it leads out of the tree.
pub(super) fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// What the headings of a page are called in links to them, as GitHub and mdBook do it.
fn anchors(page: &File) -> impl Iterator<Item = String> {
    let headings = outside_fences(page).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| {
        let kept = line.trim_start_matches('#').trim().chars().filter_map(|c| match c {
            ' ' => Some('-'),
            c => (c.is_alphanumeric() || c == '-' || c == '_').then(|| c.to_ascii_lowercase()),
        });
        kept.collect()
    })
}

/// The numbers that headings begin with: `## 3. Streams`, `### 3.2 Opening`.
fn sections(file: &File) -> Vec<String> {
    let headings = file.text.lines().filter(|line| line.starts_with('#'));
    headings.filter_map(|line| number(line.trim_start_matches('#').trim_start())).collect()
}

/// What stands after the page's name and a space, where it is a number.
fn citations(line: &str) -> impl Iterator<Item = String> {
    line.split(concat!("docs/protocol", ".md ")).skip(1).filter_map(number)
}

/// The section number that `text` begins with, without the full stop that may end it.
fn number(text: &str) -> Option<String> {
    let digits = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let number = digits.trim_end_matches('.');
    (!number.is_empty()).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", ""),
            (PROTOCOL, "# The wire\n\n## 3. Streams\n\n### 3.2 Opening\n"),
            ("docs/page.md", text),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        for good in [
            "[a](protocol.md), [b](protocol.md#32-opening) and [c](../README.md \"title\")",
            "[a](https://example.com/x) [c](mailto:a@b.c) [d](../docs/)",
            "[a](#what-it-is-a-b)\n\n## What `it` is: a, b\n",
            "`[a](missing.md)`",
            "```\n[a](missing.md)\n```",
            "[a]: protocol.md",
        ] {
            assert_eq!(findings(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn links_to_nowhere_are_found_on_their_line() {
        for bad in [
            "[a](missing.md)",
            "[a](protocol.md) [b](../docs/missing.md#x)",
            "[a]: missing.md",
            "[a](protocol.md#33-opening)",
            "[a](#here)\n```text\n# here\n```",
        ] {
            let found = findings(&format!("first\n{bad}\n"));
            assert_eq!(found.len(), 1, "{bad}");
            assert!(found[0].starts_with("docs/page.md:2: broken link: "), "{found:?}");
        }
        assert_eq!(findings("[a](../../README.md)").len(), 1);
    }

    #[test]
    fn citations_name_a_section_that_exists() {
        let page = concat!("docs/protocol", ".md");
        assert_eq!(findings(&format!("see {page} 3.2. And {page} 3, and {page} says")), [""; 0]);
        let found = findings(&format!("see {page} 3.9"));
        assert_eq!(found, ["docs/page.md:1: docs/protocol.md has no section 3.9"]);
    }
}
