//! Dependencies between our crates run one way: frame, core, what is built on core, the faces.
//! What users download never pulls in what is made for tests.

use super::Finding;
use super::manifest::{self, Manifest};
use super::tree::Tree;

/// Each published crate and those of ours that it may be built from.
const MAY_USE: &[(&str, &[&str])] = &[
    ("muxado-frame", &[]),
    ("muxado-core", &["muxado-frame"]),
    ("muxado-typed", &["muxado-core"]),
    ("muxado-heartbeat", &["muxado-core", "muxado-typed"]),
    ("muxado-sniff", &["muxado-frame", "muxado-core"]),
    ("muxado-tokio", &["muxado-core", "muxado-typed", "muxado-heartbeat"]),
    ("muxado-async-std", &["muxado-core", "muxado-typed", "muxado-heartbeat"]),
    ("muxado-smol", &["muxado-core", "muxado-typed", "muxado-heartbeat"]),
];

/// The crates of others that the inner crates may be built from. Each costs every user, and a runtime among them would
/// be the end of runtime neutrality.
const FOREIGN: &[(&str, &[&str])] = &[
    ("muxado-frame", &[]),
    ("muxado-core", &["async-channel", "bytes", "foldhash", "futures-io", "slab", "socket2", "tracing"]),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = manifest::all(tree);
    let mut findings = Vec::new();
    for package in manifests.iter().filter(|package| package.published) {
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
            let what = format!("published crate `{}` has no place in the order of our crates", package.name);
            findings.push(Finding::new(&package.path, 1, what));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.dev) {
            let ours = manifests.iter().find(|other| other.name == dependency.name);
            let what = match ours {
                Some(ours) => judge(package, ours, may_use),
                None => judge_foreign(package, &dependency.name),
            };
            if let Some(what) = what {
                findings.push(Finding::new(&package.path, dependency.line, what));
            }
        }
    }
    findings
}

fn judge(package: &Manifest, used: &Manifest, may_use: &[&str]) -> Option<String> {
    let (name, uses) = (&package.name, &used.name);
    if !used.published {
        Some(format!("`{name}` is published and `{uses}` is not: it can only be a dev-dependency"))
    } else if !may_use.contains(&uses.as_str()) {
        Some(format!("`{name}` must not depend on `{uses}`"))
    } else {
        None
    }
}

fn judge_foreign(package: &Manifest, used: &str) -> Option<String> {
    let (name, allowed) = FOREIGN.iter().find(|(name, _)| *name == package.name)?;
    (!allowed.contains(&used)).then(|| format!("`{name}` must not depend on `{used}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(core: &str) -> Vec<String> {
        let core = format!("[package]\nname = \"muxado-core\"\n{core}");
        let tree = Tree::of(&[
            ("muxado-frame/Cargo.toml", "[package]\nname = \"muxado-frame\"\n"),
            ("muxado-core/Cargo.toml", &core),
            ("muxado-tokio/Cargo.toml", "[package]\nname = \"muxado-tokio\"\n"),
            ("muxado-testkit/Cargo.toml", "[package]\nname = \"muxado-testkit\"\npublish = false\n"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_inner_crates_take_no_others_than_those_agreed_on() {
        let bad = findings("[dependencies]\ntokio = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n");
        assert_eq!(bad.len(), 1, "{bad:?}");
        assert!(bad[0].contains("`muxado-core` must not depend on `tokio`"), "{bad:?}");
    }

    #[test]
    fn downwards_and_foreign_dependencies_are_fine() {
        let good = "[dependencies]\nmuxado-frame.workspace = true\nbytes = \"1\"\n\
                    [dev-dependencies]\nmuxado-testkit.workspace = true\n";
        assert_eq!(findings(good), [""; 0]);
    }

    #[test]
    fn upwards_is_wrong() {
        let found = findings("[dependencies]\nmuxado-tokio.workspace = true\n");
        assert_eq!(found, ["muxado-core/Cargo.toml:4: `muxado-core` must not depend on `muxado-tokio`"]);
    }

    #[test]
    fn published_crates_do_not_build_from_unpublished_ones() {
        let found = findings("[build-dependencies]\nmuxado-testkit = { path = \"../muxado-testkit\" }\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("muxado-core/Cargo.toml:4:") && found[0].contains("dev-dependency"));
    }

    #[test]
    fn a_new_published_crate_must_be_given_its_place() {
        let tree = Tree::of(&[("other/Cargo.toml", "[package]\nname = \"muxado-other\"\n")]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle() {
        for (index, (name, may_use)) in MAY_USE.iter().enumerate() {
            for used in *may_use {
                let place = MAY_USE.iter().position(|(other, _)| other == used);
                assert!(place.is_some_and(|place| place < index), "{name} uses {used}");
            }
        }
    }
}
