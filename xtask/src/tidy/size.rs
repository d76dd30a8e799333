//! Files and functions that have grown past what one reader takes in at once. Tests under `#[cfg(test)]`
//! at the end of a file do not count.

use super::Finding;
use super::code::{Code, word_at};
use super::tree::{File, Tree};

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 80;

/// An outlier that stays: the file, the function in it (none: the file itself), and why it is better whole.
struct Allowed {
    path: &'static str,
    function: Option<&'static str>,
    #[expect(dead_code, reason = "read by people, who must find a reason in every row")]
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[];

/// A file or function past its limit.
#[derive(Debug, PartialEq, Eq)]
struct Outlier {
    path: String,
    function: Option<String>,
    line: usize,
    lines: usize,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    judge(tree.with_extension("rs").flat_map(outliers).collect(), ALLOWED)
}

/// Outliers without an entry, and entries without their outlier.
fn judge(outliers: Vec<Outlier>, allowed: &[Allowed]) -> Vec<Finding> {
    let names = |entry: &Allowed, outlier: &Outlier| {
        entry.path == outlier.path && entry.function == outlier.function.as_deref()
    };
    let stale = allowed.iter().filter(|entry| !outliers.iter().any(|outlier| names(entry, outlier)));
    let mut findings: Vec<Finding> = stale
        .map(|entry| {
            let what = format!("{} needs no exception any more", entry.function.unwrap_or("the file"));
            Finding::new(entry.path, 1, what)
        })
        .collect();
    for outlier in outliers.iter().filter(|outlier| !allowed.iter().any(|entry| names(entry, outlier))) {
        let (name, max) = match &outlier.function {
            Some(function) => (format!("function `{function}`"), MAX_FUNCTION_LINES),
            None => ("file".into(), MAX_FILE_LINES),
        };
        let what = format!("{name} has {} lines, more than {max}", outlier.lines);
        findings.push(Finding::new(&outlier.path, outlier.line, what));
    }
    findings
}

fn outliers(file: &File) -> Vec<Outlier> {
    let code = Code::of(&file.text);
    let outlier = |function, line, lines| Outlier { path: file.path.clone(), function, line, lines };
    let mut outliers = Vec::new();
    if code.lines() > MAX_FILE_LINES {
        outliers.push(outlier(None, 1, code.lines()));
    }
    for (at, word) in code.words().filter(|(_, word)| *word == "fn") {
        let after = at + word.len();
        let name = word_at(code.text()[after..].trim_start());
        // No name: a function pointer type, or a macro's `fn $name`.
        let Some(body) = code.block_after(after).filter(|_| !name.is_empty()) else { continue };
        let lines = code.line_of(body.end) + 1 - code.line_of(body.start);
        if lines > MAX_FUNCTION_LINES {
            outliers.push(outlier(Some(name.to_owned()), code.line_of(at), lines));
        }
    }
    outliers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(statements: usize) -> String {
        format!("fn f(\n    a: u8,\n) -> [u8; 2] {{\n{}}}\n", "    g('}', \"}\"); // }\n".repeat(statements))
    }

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_function_body_may_have_80_lines_and_no_more() {
        assert_eq!(found("a.rs", &function(78)), [""; 0]);
        assert_eq!(found("a.rs", &function(79)), ["a.rs:1: function `f` has 81 lines, more than 80"]);
    }

    #[test]
    fn declarations_and_pointer_types_have_no_body() {
        let after = format!("{{\n{}}}\n", "    g();\n".repeat(100));
        let text = format!(
            "trait T {{ fn a(&self); fn b() -> u8; }}\nstatic F: fn(u8) = g;\nstatic G: () = {after};"
        );
        assert_eq!(found("a.rs", &text), [""; 0]);
    }

    #[test]
    fn a_file_may_have_500_lines_and_no_more() {
        assert_eq!(found("a.rs", &"//\n".repeat(500)), [""; 0]);
        assert_eq!(found("a.rs", &"//\n".repeat(501)), ["a.rs:1: file has 501 lines, more than 500"]);
    }

    #[test]
    fn tests_in_the_file_do_not_count() {
        let text = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(499), function(200));
        assert_eq!(found("a.rs", &text), [""; 0]);
    }

    #[test]
    fn an_entry_excuses_its_outlier_and_goes_when_that_is_gone() {
        let allowed = || [Allowed { path: "a.rs", function: Some("f"), reason: "one table" }];
        let outliers = outliers(&File { path: "a.rs".into(), text: function(90) });
        assert_eq!(outliers.len(), 1);
        assert_eq!(judge(outliers, &allowed()), []);
        assert_eq!(judge(Vec::new(), &allowed()).len(), 1);
    }
}
