//! Plain hygiene of every text file: no white space at line ends, one newline at the end, no paths of the
//! machine it happened to be written on.

use super::Finding;
use super::tree::{File, Tree};

/// Put together here so that this file does not contain them.
const FOREIGN_PATHS: &[&str] = &[concat!("/wo", "rk"), concat!("/tm", "p/")];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if line.ends_with(char::is_whitespace) {
            findings.push(Finding::new(&file.path, index + 1, "white space at the end of the line"));
        }
        for path in FOREIGN_PATHS.iter().filter(|path| mentions(line, path)) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                format!("`{path}` exists on one machine only"),
            ));
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

/// Whether `line` has `path` as whole components of an absolute path: `a/x` and `/xy` do not contain `/x`.
fn mentions(line: &str, path: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    line.match_indices(path).any(|(at, _)| {
        let rest = &line[at + path.len()..];
        !line[..at].ends_with(part_of_name) && (path.ends_with('/') || !rest.starts_with(part_of_name))
    })
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

    #[test]
    fn absolute_paths_of_the_workplace_are_found() {
        let [place, temporary] = [FOREIGN_PATHS[0], FOREIGN_PATHS[1]];
        for bad in [place.to_owned(), format!("see ({place}/x)"), format!("\"{temporary}a.log\"")] {
            assert_eq!(findings(&format!("{bad}\n")).len(), 1, "{bad}");
        }
        for good in [format!("{place}flows"), format!("net{place}"), format!("a{temporary}b")] {
            assert_eq!(findings(&format!("{good}\n")), [], "{good}");
        }
    }
}
