//! `ids`: which ids of the pages with tables no test names. A test names an id if its function's name has it as a word.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::tree::Tree;

/// The pages with tables of ids: S, W and B; V; F.
const PAGES: [&str; 3] = ["docs/behaviour.md", "docs/attacks.md", "docs/faults.md"];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("ids: takes no arguments".into());
    }
    let tree = Tree::read(root)?;
    let mut demanded = BTreeSet::new();
    for page in PAGES {
        let page = tree.file(page).ok_or_else(|| format!("ids: no {page}"))?;
        demanded.extend(ids_of(&page.text));
    }
    let named: BTreeSet<String> = tree.with_extension("rs").flat_map(|file| named(&file.text)).collect();
    let missing: Vec<&String> = demanded.difference(&named).collect();
    for id in &missing {
        println!("{id}: no test names it");
    }
    println!("ids: {} of {} are named by a test", demanded.len() - missing.len(), demanded.len());
    Ok(())
}

/// The ids at the start of table rows, without those marked † as belonging to a crate that does not exist yet.
fn ids_of(page: &str) -> BTreeSet<String> {
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    first_cells.filter(|(cell, _)| is_id(cell)).map(|(cell, _)| cell.to_string()).collect()
}

/// The ids in the names of the functions that stand right below `#[test]` or `#[tokio::test(...)]`.
fn named(source: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let (true, Some(name)) = (is_test, name) {
            let name = name.split('(').next().unwrap_or(name);
            ids.extend(name.split('_').map(str::to_uppercase).filter(|word| is_id(word)));
        }
        // Inside `proptest!` a doc comment may stand between the attribute and the function.
        is_test &= line.starts_with("//");
    }
    ids
}

fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|letter| "SWBVF".contains(letter))
        && word.len() == 3
        && letters.all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_first_cells_of_rows_except_those_for_later() {
        let page =
            "| id | what |\n| S01 | a |\n| S90 † | later |\n| V18 | b |\ntext S02 | S03 |\n| B1 | no |\n";
        assert_eq!(ids_of(page).into_iter().collect::<Vec<_>>(), ["S01", "V18"]);
    }

    #[test]
    fn a_test_names_ids_as_words_of_its_name() {
        let source = "#[test]\nfn s10_s11_both() {}\nfn s12_a_helper() {}\n    #[tokio::test(flavor = \"x\")]\n    \
                      async fn b03_there() {}\n#[test]\n/// Why.\nfn w02_too() {}\n#[test]\nfn is10_no_id() {}\n";
        assert_eq!(named(source), ["S10", "S11", "B03", "W02"]);
    }
}
