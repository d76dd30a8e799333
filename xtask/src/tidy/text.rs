//! Plain hygiene of every text file: no white space at line ends, one newline at the end.

use super::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if line.ends_with(char::is_whitespace) {
            findings.push(Finding::new(&file.path, index + 1, "white space at the end of the line"));
        }
    }
    let last = file.text.lines().count().max(1);
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(&file.path, last, "no newline at the end of the file"));
    } else if file.text.ends_with("\n\n") {
        findings.push(Finding::new(&file.path, last, "empty lines at the end of the file"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[("a.txt", text)]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn clean_text_and_empty_files_are_fine() {
        for good in ["", "one\n\n  two\n"] {
            assert_eq!(findings(good), []);
        }
    }

    #[test]
    fn white_space_at_line_ends_is_found() {
        for bad in ["one\ntwo \n", "one\ntwo\t\n"] {
            assert_eq!(findings(bad), [(2, "white space at the end of the line".into())]);
        }
    }

    #[test]
    fn a_file_ends_with_exactly_one_newline() {
        assert_eq!(findings("one\ntwo"), [(2, "no newline at the end of the file".into())]);
        assert_eq!(findings("one\n\n"), [(2, "empty lines at the end of the file".into())]);
    }
}
