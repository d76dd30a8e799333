//! Whose types our public API names, by the lists that `release-check` keeps: each of them ties a version of ours to one of
//! theirs. A runtime's own are for its crate alone, those of other libraries for the feature of their name.

use super::Finding;
use super::manifest;
use super::tree::{File, Tree};
use crate::release::api::{FEATURE, FILE};

/// For every crate, with any features.
const EVERYWHERE: &[&str] = &["alloc", "bytes", "core", "futures_core", "futures_io", "std"];

/// For one crate: the runtime that it is for, by the names of the crates that runtime is made of.
const RUNTIMES: &[(&str, &[&str])] = &[
    ("muxado-tokio", &["tokio"]),
    ("muxado-smol", &["async_io", "async_net", "smol"]),
    ("muxado-async-std", &["async_std"]),
];

/// For a feature, in any crate.
const FEATURES: &[(&str, &[&str])] = &[
    ("axum", &["axum", "tokio"]),
    ("hyper", &["http", "http_body", "hyper", "hyper_util", "tower_service"]),
    ("tls", &["futures_rustls", "rustls", "rustls_pki_types", "tokio_rustls"]),
    ("tokio", &["tokio"]),
    ("tonic", &["http", "tonic", "tower_service", "tokio"]),
    ("tower", &["http", "hyper_util", "tower_service"]),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = manifest::all(tree);
    let published = manifests.iter().filter(|package| package.published);
    published
        .flat_map(|package| {
            let path = format!("{}{FILE}", package.folder());
            match tree.file(&path) {
                Some(list) => check_list(&package.name, list),
                None => {
                    vec![Finding::new(&path, 1, "missing: `cargo xtask release-check api --bless` writes it")]
                }
            }
        })
        .collect()
}

fn check_list(package: &str, list: &File) -> Vec<Finding> {
    let runtime = allowed(RUNTIMES, package);
    let mut feature = "";
    let mut findings = Vec::new();
    for (index, line) in list.text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        feature = line.strip_prefix(FEATURE).unwrap_or(feature);
        let of_feature = allowed(FEATURES, feature);
        let is_fine = |owner: &str| {
            let known = [EVERYWHERE, runtime, of_feature].concat();
            owner.starts_with("muxado_") || known.contains(&owner)
        };
        for owner in owners(line).filter(|owner| !is_fine(owner)) {
            let place =
                if feature.is_empty() { "without features".into() } else { format!("with `{feature}`") };
            findings.push(Finding::new(
                &list.path,
                index + 1,
                format!("`{owner}` in the public API {place}"),
            ));
        }
    }
    findings
}

fn allowed(table: &[(&str, &'static [&'static str])], name: &str) -> &'static [&'static str] {
    table.iter().find(|(known, _)| *known == name).map_or(&[], |(_, owners)| owners)
}

/// The crates that paths in a line begin with: not `T` of `T::Output`, nothing of `<T as Trait>::Output`.
fn owners(line: &str) -> impl Iterator<Item = &str> {
    let paths = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let first = paths.filter_map(|path| path.split_once("::")).map(|(first, _)| first);
    // `u32::from` is of nobody's crate.
    first.filter(|first| first.starts_with(|c: char| c.is_lowercase()) && *first != "u32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(package: &str, list: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"{package}\"\n");
        let tree = Tree::of(&[("a/Cargo.toml", &manifest), ("a/public-api.txt", list)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn types_of_ours_and_of_everybody_are_fine() {
        let list = "pub fn muxado_core::f<T: core::future::Future>(a: bytes::bytes::Bytes) -> <T as futures_io::R>::x\n\
                    pub type muxado_core::A::B = T::C\n";
        assert_eq!(findings("muxado-core", list), [""; 0]);
    }

    #[test]
    fn a_runtime_is_for_its_own_crate() {
        let list = "pub fn muxado_x::f(a: &mut tokio::io::ReadBuf<'_>)\n";
        assert_eq!(findings("muxado-tokio", list), [""; 0]);
        assert_eq!(
            findings("muxado-core", list),
            ["a/public-api.txt:1: `tokio` in the public API without features"]
        );
    }

    #[test]
    fn libraries_are_for_the_feature_of_their_name() {
        let line = "pub fn muxado_x::f(a: rustls::Config)\n";
        assert_eq!(findings("muxado-smol", &format!("== tls\n\n{line}")), [""; 0]);
        assert_eq!(findings("muxado-smol", line).len(), 1);
        assert_eq!(
            findings("muxado-smol", &format!("== tls\n== hyper\n{line}")),
            ["a/public-api.txt:3: `rustls` in the public API with `hyper`"]
        );
    }

    #[test]
    fn every_published_crate_has_its_list() {
        let tree = Tree::of(&[("a/Cargo.toml", "[package]\nname = \"a\"\n")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
