//! `ids`: which ids of the pages with tables no test names; and, with `--prove`, whether the tests that name a row
//! notice when the code does not do what it says.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::tree::Tree;

mod copy;
mod mutation;
mod named;
mod prove;
mod tests_of;

use named::{is_id, named};

/// The pages with tables of ids: S, W and B; V; F.
const PAGES: [&str; 3] = ["docs/behaviour.md", "docs/attacks.md", "docs/faults.md"];

const USAGE: &str = "\
cargo xtask ids                                 the ids that no test names
cargo xtask ids --prove [--markdown] [ROW...]   break the code for each row, and see a test of the row fail";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    match args.split_first() {
        None => list(root),
        Some((first, rest)) if first == "--prove" => prove::run(root, rest),
        Some((unknown, _)) => Err(format!("ids: what is `{unknown}`?\n\n{USAGE}")),
    }
}

fn list(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let mut demanded = BTreeSet::new();
    for page in PAGES {
        let page = tree.file(page).ok_or_else(|| format!("ids: no {page}"))?;
        demanded.extend(ids_of(&page.text));
    }
    let files = tree.with_extension("rs");
    let named: BTreeSet<String> = files.flat_map(|file| named(&file.text)).map(|named| named.id).collect();
    let missing: Vec<&String> = demanded.difference(&named).collect();
    for id in &missing {
        println!("{id}: no test names it");
    }
    println!("ids: {} of {} are named by a test", demanded.len() - missing.len(), demanded.len());
    if missing.is_empty() { Ok(()) } else { Err("ids: every row needs a test that names it".into()) }
}

/// The ids at the start of table rows.
fn ids_of(page: &str) -> BTreeSet<String> {
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    first_cells.filter(|(cell, _)| is_id(cell)).map(|(cell, _)| cell.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_first_cells_of_rows() {
        let page = "| id | what |\n| S01 | a |\n| V18 | b |\ntext S02 | S03 |\n| B1 | no |\n";
        assert_eq!(ids_of(page).into_iter().collect::<Vec<_>>(), ["S01", "V18"]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let refused = run(Path::new("."), &["--prvoe".to_owned()]).unwrap_err();
        assert_eq!(refused, format!("ids: what is `--prvoe`?\n\n{USAGE}"));
    }

    #[test]
    fn every_id_is_named_by_a_test() {
        list(&crate::workspace_root()).unwrap();
    }
}
