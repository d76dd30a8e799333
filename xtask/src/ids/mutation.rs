//! The recorded mutations: for each row one change of one line that its tests must notice.

use std::collections::BTreeSet;

/// The record, which is also what to edit when a line it names has changed.
const RECORD: &str = include_str!("mutations.txt");

/// One change of one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mutation {
    pub(super) id: &'static str,
    pub(super) file: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl Mutation {
    /// Everything that is recorded.
    pub(super) fn all() -> Result<Vec<Mutation>, String> {
        read(RECORD)
    }

    /// The file's text with the change. What is to be changed must stand there exactly once.
    pub(super) fn apply(&self, text: &str) -> Result<String, String> {
        match text.matches(self.before).count() {
            1 => Ok(text.replacen(self.before, self.after, 1)),
            count => Err(format!("{}: `{}` stands {count} times in {}", self.id, self.before, self.file)),
        }
    }

    /// The beginning of its row in a table of Markdown.
    pub(super) fn cells(&self) -> String {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
        let file = self.file.rsplit('/').next().unwrap_or(self.file);
        format!("| {} | `{file}` | {} | {} |", self.id, code(self.before), code(self.after))
    }
}

fn read(record: &'static str) -> Result<Vec<Mutation>, String> {
    let mut mutations = Vec::new();
    let mut ids = BTreeSet::new();
    let mut lines = record.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    while let Some(head) = lines.next() {
        let (id, file) = head.split_once(' ').ok_or_else(|| format!("`{head}` is no id and file"))?;
        let mut part = |mark| {
            let line = lines.next().and_then(|line| line.strip_prefix(mark));
            line.ok_or_else(|| format!("{id}: no line that begins with `{mark}`"))
        };
        let (before, after) = (part("- ")?, part("+ ")?);
        if !ids.insert(id) {
            return Err(format!("{id} is recorded twice"));
        }
        mutations.push(Mutation { id, file, before, after });
    }
    Ok(mutations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ids_of;
    use crate::tidy::tree::Tree;

    #[test]
    fn every_row_has_a_mutation_that_can_be_applied_and_is_in_the_documentation() {
        let tree = Tree::read(&crate::workspace_root()).unwrap();
        let text = |path: &str| tree.file(path).unwrap_or_else(|| panic!("no {path}")).text.as_str();
        let mutations = Mutation::all().unwrap();
        for mutation in &mutations {
            mutation.apply(text(mutation.file)).unwrap();
            let cells = mutation.cells();
            assert!(text("docs/testing.md").contains(&cells), "docs/testing.md lacks {cells}");
        }
        let rows = ids_of(text("docs/behaviour.md")).into_iter().filter(|id| id.starts_with('S'));
        assert_eq!(
            mutations.iter().map(|mutation| mutation.id).collect::<Vec<_>>(),
            rows.collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_change_must_be_possible_in_one_place_only() {
        let mutation = Mutation { id: "S01", file: "a.rs", before: "x > 1", after: "x > 2" };
        assert_eq!(mutation.apply("if x > 1 {").unwrap(), "if x > 2 {");
        assert!(mutation.apply("if x > 0 {").is_err() && mutation.apply("x > 1 || x > 1").is_err());
    }

    #[test]
    fn a_record_that_is_not_whole_is_refused() {
        let mutation = Mutation { id: "S01", file: "a.rs", before: "x", after: "y" };
        assert_eq!(read("# why\n\nS01 a.rs\n- x\n+ y\n"), Ok(vec![mutation]));
        for wrong in
            ["S01\n- x\n+ y", "S01 a.rs\n- x", "S01 a.rs\n+ y\n- x", "S01 a.rs\n- x\n+ y\nS01 a.rs\n- x\n+ z"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
