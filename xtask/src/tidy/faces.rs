//! The handles of the faces can do what those of the core can, by the same names: who changes the runtime, or comes from
//! a layer below, need not learn which of them lacks what.

use std::collections::BTreeMap;

use super::Finding;
use super::code::{Code, word_at};
use super::tree::Tree;

/// What the methods of a type in one file must be methods of in another: the type, and the two files.
const PAIRS: &[(&str, &str, &str)] = &[
    ("Session", CORE_SESSION, TOKIO_SESSION),
    ("Session", CORE_SESSION, FACE_SESSION),
    ("Session", TOKIO_SESSION, FACE_SESSION),
    ("Session", FACE_SESSION, TOKIO_SESSION),
    ("Stream", "muxado-core/src/stream/mod.rs", "muxado-tokio/src/stream/mod.rs"),
    ("SendStream", "muxado-core/src/stream/send.rs", "muxado-tokio/src/stream/send.rs"),
    ("RecvStream", "muxado-core/src/stream/recv.rs", "muxado-tokio/src/stream/recv.rs"),
    ("Listener", "muxado-tokio/src/tcp.rs", "muxado-smol/src/tcp.rs"),
    ("Listener", "muxado-smol/src/tcp.rs", "muxado-tokio/src/tcp.rs"),
    ("Listener", "muxado-tokio/src/tcp.rs", "muxado-async-std/src/tcp.rs"),
    ("Listener", "muxado-async-std/src/tcp.rs", "muxado-tokio/src/tcp.rs"),
    ("Listener", "muxado-tokio/src/unix.rs", "muxado-smol/src/unix.rs"),
    ("Listener", "muxado-smol/src/unix.rs", "muxado-tokio/src/unix.rs"),
    ("Listener", "muxado-tokio/src/unix.rs", "muxado-async-std/src/unix.rs"),
    ("Listener", "muxado-async-std/src/unix.rs", "muxado-tokio/src/unix.rs"),
    ("Listener", "muxado-tokio/src/tls.rs", "muxado-smol/src/tls.rs"),
    ("Listener", "muxado-smol/src/tls.rs", "muxado-tokio/src/tls.rs"),
];

const CORE_SESSION: &str = "muxado-core/src/session/mod.rs";
const TOKIO_SESSION: &str = "muxado-tokio/src/session.rs";
/// What the faces with the futures-io traits have, all of them.
const FACE_SESSION: &str = "muxado-core/src/face/session.rs";

/// A method that stays missing: where, which, and why.
struct Allowed {
    path: &'static str,
    method: &'static str,
    #[expect(dead_code, reason = "read by people, who must find a reason in every row")]
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[
    Allowed { path: TOKIO_SESSION, method: "audit", reason: "for tests, which ask the core" },
    Allowed { path: FACE_SESSION, method: "audit", reason: "for tests, which ask the core" },
    Allowed { path: TOKIO_SESSION, method: "new", reason: "`client` and `server`" },
    Allowed { path: FACE_SESSION, method: "new", reason: "`client` and `server`" },
    Allowed {
        path: TOKIO_SESSION,
        method: "spawn",
        reason: "a driver on tokio's traits cannot be had outside",
    },
    Allowed {
        path: "muxado-tokio/src/stream/recv.rs",
        method: "poll_read_with",
        reason: "what tokio's `AsyncRead` is made of, which does the same",
    },
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    judge(tree, PAIRS, ALLOWED)
}

/// Methods that are missing without an entry, and entries whose method is not missing.
fn judge(tree: &Tree, pairs: &[(&str, &str, &str)], allowed: &[Allowed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut unused: Vec<&Allowed> = allowed.iter().filter(|entry| tree.contains(entry.path)).collect();
    for (name, from, to) in pairs {
        let (Some(offered), Some(wanted)) = (methods(tree, from, name), methods(tree, to, name)) else {
            continue;
        };
        for (path, methods) in [(from, &offered), (to, &wanted)] {
            if methods.is_empty() {
                findings.push(Finding::new(path, 1, format!("no methods of `{name}` to compare")));
            }
        }
        for (method, line) in offered.iter().filter(|(method, _)| !wanted.contains_key(*method)) {
            let entry = |entry: &&Allowed| entry.path == *to && entry.method == method;
            unused.retain(|allowed| !entry(allowed));
            if !allowed.iter().any(|allowed| entry(&allowed)) {
                findings.push(Finding::new(from, *line, format!("`{name}::{method}` is missing in {to}")));
            }
        }
    }
    for entry in unused {
        findings.push(Finding::new(entry.path, 1, format!("`{}` needs no exception any more", entry.method)));
    }
    findings
}

/// The public methods of a type in a file, and their lines; none if there is no such file.
fn methods(tree: &Tree, path: &str, name: &str) -> Option<BTreeMap<String, usize>> {
    let code = Code::of(&tree.file(path)?.text);
    let mut methods = BTreeMap::new();
    for (at, _) in code.words().filter(|(_, word)| *word == "impl") {
        let Some(block) = code.block_after(at) else { continue };
        let header = &code.text()[at..block.start];
        if !is_of(header, name) {
            continue;
        }
        let body = &code.text()[block.clone()];
        for (inside, _) in body.match_indices("pub ") {
            let rest = &body[inside + "pub ".len()..];
            let rest = rest.strip_prefix("async ").unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("fn ") {
                methods.insert(word_at(rest).to_owned(), code.line_of(block.start + inside));
            }
        }
    }
    Some(methods)
}

/// Whether `impl<R: Runtime> Session<R> ` and the like implements methods of its own for `name`.
fn is_of(header: &str, name: &str) -> bool {
    let plain = header.strip_prefix("impl").unwrap_or(header);
    // Behind the closing bracket of its parameters, if it has any.
    let mut depth = 0_usize;
    let end = plain.char_indices().find(|(_, c)| {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && !matches!(c, '>')
    });
    let target = plain[end.map_or(0, |(at, _)| at)..].trim_start();
    word_at(target) == name && !header.contains(" for ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "impl Session {\n    pub fn open(&self) {}\n    pub(crate) fn inner() {}\n    fn own() {}\n}\n\
                        impl Drop for Session {\n    fn drop(&mut self) {}\n}\n\
                        impl Other {\n    pub fn other(&self) {}\n}\n";

    fn findings(face: &str, allowed: &[Allowed]) -> Vec<String> {
        let tree = Tree::of(&[("core.rs", CORE), ("face.rs", face)]);
        let pairs = [("Session", "core.rs", "face.rs")];
        judge(&tree, &pairs, allowed).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_method_that_is_missing_is_found_where_it_is_offered() {
        assert_eq!(
            findings("impl<R: Rt<u8>> Session<R> {\n    pub async fn open(&self) {}\n}\n", &[]),
            [""; 0]
        );
        let lacks = "impl Session {\n    // pub fn open\n    pub fn close(&self) {}\n}\n";
        assert_eq!(findings(lacks, &[]), ["core.rs:2: `Session::open` is missing in face.rs"]);
        let allowed = [Allowed { path: "face.rs", method: "open", reason: "a test" }];
        assert_eq!(findings(lacks, &allowed), [""; 0]);
        let stale = "impl Session {\n    pub fn open(&self) {}\n}\n";
        assert_eq!(findings(stale, &allowed), ["face.rs:1: `open` needs no exception any more"]);
        let renamed = findings("impl Sitting {\n    pub fn open(&self) {}\n}\n", &[]);
        assert_eq!(renamed[0], "face.rs:1: no methods of `Session` to compare");
    }

    #[test]
    fn what_is_compared_is_there() {
        let tree = Tree::read(&crate::workspace_root()).unwrap();
        for (name, from, to) in PAIRS {
            for path in [from, to] {
                assert!(methods(&tree, path, name).is_some_and(|methods| methods.len() > 2), "{path}");
            }
        }
    }
}
