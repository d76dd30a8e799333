//! The machines stay pure: no async, waker, lock, clock, thread or I/O in their code, and no hash map that
//! hashes at SipHash's price. Documentation and tests may mention what they like.

use super::Finding;
use super::code::{Code, word_at};
use super::tree::Tree;

/// Where the pure machines live.
const MACHINES: &[&str] = &["muxado-core/src/proto", "muxado-heartbeat/src/proto"];

const WORDS: &[&str] = &["async", "await", "Waker", "Instant", "SystemTime", "DefaultHasher"];

/// Crates, with everything named after them (`futures_io`).
const CRATES: &[&str] = &["futures", "tokio"];

const STD_MODULES: &[&str] = &["env", "fs", "io", "net", "process", "sync", "task", "thread"];

/// What a machine may use of its own crate: the shell around it is built on it, not the other way round.
const OWN_MODULES: &[&str] = &["config", "error", "proto"];

/// The constructors that exist only with the standard library's own hasher.
const SIP_CONSTRUCTORS: &[&str] = &["new", "with_capacity"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| is_machine(&file.path)) {
        let code = Code::of(&file.text);
        for (at, word) in code.words() {
            for what in impurities(word, &code.text()[at + word.len()..]) {
                let what = format!("`{what}` in a pure machine");
                findings.push(Finding::new(&file.path, code.line_of(at), what));
            }
        }
    }
    findings
}

fn is_machine(path: &str) -> bool {
    let rest = MACHINES.iter().find_map(|machine| path.strip_prefix(machine));
    rest.is_some_and(|rest| !rest.ends_with("tests.rs") && !rest.contains("tests/"))
}

/// What is wrong with `word`, given the code that follows it.
fn impurities(word: &str, rest: &str) -> Vec<String> {
    let of_crate =
        |name: &&&str| word == **name || word.strip_prefix(**name).is_some_and(|r| r.starts_with('_'));
    if WORDS.contains(&word) || CRATES.iter().any(|name| of_crate(&name)) {
        return vec![word.to_owned()];
    }
    let Some(rest) = rest.strip_prefix("::") else { return Vec::new() };
    match word {
        "std" | "core" | "alloc" => {
            let bad = paths(rest).into_iter().filter(|module| STD_MODULES.contains(module));
            bad.map(|module| format!("{word}::{module}")).collect()
        }
        "crate" => {
            let bad = paths(rest)
                .into_iter()
                .filter(|module| module.starts_with(char::is_lowercase) && !OWN_MODULES.contains(module));
            bad.map(|module| format!("crate::{module}")).collect()
        }
        "HashMap" | "HashSet" if SIP_CONSTRUCTORS.contains(&word_at(rest)) => {
            vec![format!("{word}::{}", word_at(rest))]
        }
        _ => Vec::new(),
    }
}

/// The first segments that follow `std::`: one, or all of a group `{a::b, c}`.
fn paths(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else { return vec![word_at(rest)] };
    let (mut firsts, mut depth, mut expected) = (Vec::new(), 0_usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected && !c.is_whitespace() => {
                firsts.push(word_at(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(source: &str) -> Vec<String> {
        let tree = Tree::of(&[("muxado-core/src/proto/mux.rs", source)]);
        check(&tree).iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
    }

    #[test]
    fn each_kind_of_impurity_is_found_on_its_line() {
        let cases = [
            ("async fn f() {}", "async"),
            ("x.await", "await"),
            ("fn f(w: &Waker) {}", "Waker"),
            ("let t = Instant::now();", "Instant"),
            ("SystemTime::now()", "SystemTime"),
            ("use std::sync::Arc;", "std::sync"),
            ("use core::task::Poll;", "core::task"),
            ("std::thread::yield_now()", "std::thread"),
            ("use std::io;", "std::io"),
            ("use futures_io::AsyncRead;", "futures_io"),
            ("use tokio::time;", "tokio"),
            ("use crate::session::pool;", "crate::session"),
            ("let m = HashMap::new();", "HashMap::new"),
            ("HashSet::with_capacity(3)", "HashSet::with_capacity"),
        ];
        for (source, word) in cases {
            assert_eq!(
                findings(&format!("//! Doc.\n{source}\n")),
                [format!("2: `{word}` in a pure machine")]
            );
        }
    }

    #[test]
    fn grouped_imports_are_looked_into() {
        let found = findings("use std::{collections::{BTreeMap, io}, fmt, sync::Arc, task};");
        let expected = ["1: `std::sync` in a pure machine", "1: `std::task` in a pure machine"];
        assert_eq!(found, expected);
    }

    #[test]
    fn words_in_comments_strings_tests_and_longer_names_are_fine() {
        let good = "//! No async, no Waker, no std::sync.\n/// tokio\nfn f() { let s = \"std::io\"; }\n\
                    fn asynchronous(waker: Wakers, instant: u32) {}\nuse crate::config::sync::Map;\n\
                    let m: HashMap<u32, u32, H> = HashMap::default();\n\
                    #[cfg(test)]\nmod tests { use std::sync::Arc; }\n";
        assert_eq!(findings(good), [""; 0]);
    }

    #[test]
    fn only_the_machines_are_held_to_it() {
        let impure = "use std::sync::Arc;";
        for (path, count) in [
            ("muxado-core/src/proto/mod.rs", 1),
            ("muxado-core/src/proto.rs", 1),
            ("muxado-heartbeat/src/proto.rs", 1),
            ("muxado-core/src/proto/tests.rs", 0),
            ("muxado-core/src/proto/tests/open.rs", 0),
            ("muxado-core/src/session/mod.rs", 0),
        ] {
            assert_eq!(check(&Tree::of(&[(path, impure)])).len(), count, "{path}");
        }
    }
}
