//! The recorded mutations: for each row one change of one line that its tests must notice. The record is the table in
//! the page Testing.

use std::collections::BTreeSet;

use crate::tidy::tree::Tree;

/// Where the record is.
const PAGE: &str = "docs/testing.md";

/// What the table begins with.
pub(super) const HEAD: &str =
    "| row | file | what stands there | what it becomes | what fails |\n|---|---|---|---|---|\n";

/// One change of one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mutation {
    pub(super) id: String,
    pub(super) file: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Mutation {
    /// Everything that is recorded.
    pub(super) fn all(tree: &Tree) -> Result<Vec<Mutation>, String> {
        let page = tree.file(PAGE).ok_or_else(|| format!("ids: no {PAGE}"))?;
        read(&page.text).map_err(|error| format!("{PAGE}: {error}"))
    }

    /// The file's text with the change. What is to be changed must stand there exactly once.
    pub(super) fn apply(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.before).count() {
            1 => Ok(text.replacen(&self.before, &self.after, 1)),
            count => Err(format!("{}: `{}` stands {count} times in {}", self.id, self.before, self.file)),
        }
    }

    /// The beginning of its row in the table.
    pub(super) fn cells(&self) -> String {
        let [file, before, after] =
            [&self.file, &self.before, &self.after].map(|text| text.replace('|', "\\|"));
        format!("| {} | `{file}` | `{before}` | `{after}` |", self.id)
    }

    /// What a row of the table says.
    fn of(row: &str) -> Option<Mutation> {
        // A bar within a cell has a backslash before it.
        let cells: Vec<&str> = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [id, file, before, after, _] = cells[..] else { return None };
        let code = |cell: &str| Some(cell.strip_prefix('`')?.strip_suffix('`')?.replace("\\|", "|"));
        Some(Mutation { id: id.to_owned(), file: code(file)?, before: code(before)?, after: code(after)? })
    }
}

fn read(page: &str) -> Result<Vec<Mutation>, String> {
    let (_, table) = page.split_once(HEAD).ok_or("no table of mutations")?;
    let mut mutations = Vec::new();
    let mut ids = BTreeSet::new();
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        let mutation = Mutation::of(row).ok_or_else(|| format!("what is `{row}`?"))?;
        if !ids.insert(mutation.id.clone()) {
            return Err(format!("{} is recorded twice", mutation.id));
        }
        mutations.push(mutation);
    }
    Ok(mutations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ids_of;

    #[test]
    fn every_s_row_has_a_mutation_and_all_can_be_applied() {
        let tree = Tree::read(&crate::workspace_root()).unwrap();
        let text = |path: &str| tree.file(path).unwrap_or_else(|| panic!("no {path}")).text.as_str();
        let mutations = Mutation::all(&tree).unwrap();
        for mutation in &mutations {
            mutation.apply(text(&mutation.file)).unwrap();
        }
        let rows = ids_of(text("docs/behaviour.md"));
        let recorded: BTreeSet<String> = mutations.into_iter().map(|mutation| mutation.id).collect();
        assert!(recorded.is_subset(&rows), "{recorded:?}");
        let missing: Vec<_> = rows.difference(&recorded).filter(|id| id.starts_with('S')).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    fn mutation(before: &str, after: &str) -> Mutation {
        let [id, file, before, after] = ["S01", "a.rs", before, after].map(str::to_owned);
        Mutation { id, file, before, after }
    }

    #[test]
    fn a_change_must_be_possible_in_one_place_only() {
        let mutation = mutation("x > 1", "x > 2");
        assert_eq!(mutation.apply("if x > 1 {").unwrap(), "if x > 2 {");
        assert!(mutation.apply("if x > 0 {").is_err() && mutation.apply("x > 1 || x > 1").is_err());
    }

    #[test]
    fn what_is_printed_can_be_read() {
        let mutation = mutation("x || y", "map(|x| x | y)");
        let page = format!("What.\n\n{HEAD}{} `test` and 1 more |\n\n| S02 | other |\n", mutation.cells());
        assert_eq!(read(&page), Ok(vec![mutation]));
    }

    #[test]
    fn a_record_that_is_not_whole_is_refused() {
        let row = "| S01 | `a.rs` | `x` | `y` | `test` |\n";
        assert_eq!(read(&format!("{HEAD}{row}")), Ok(vec![mutation("x", "y")]));
        for wrong in [
            "| S01 | `a.rs` | `x` | `y` |\n",
            "| S01 | a.rs | `x` | `y` | `test` |\n",
            "| S01 | `a.rs` | `x` | `x | y` | `test` |\n",
            &row.repeat(2),
        ] {
            assert!(read(&format!("{HEAD}{wrong}")).is_err(), "{wrong}");
        }
        assert!(read(row).is_err(), "no head");
    }
}
