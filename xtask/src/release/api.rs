//! The public API of each published crate, listed in its folder so that a change of it is seen in review: what there is
//! without features, and what each feature adds. cargo-public-api writes the lines, from what rustdoc knows.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::Verdict;
use crate::metadata::{Published, published};

/// The list, in the folder of its crate. `tidy` reads it too.
pub(crate) const FILE: &str = "public-api.txt";

/// What a heading of a feature begins with.
pub(crate) const FEATURE: &str = "== ";

/// The Rust that the lists are written with. Another may write a line otherwise, or what cargo-public-api cannot read, and
/// neither says that this is the reason.
const RUST: &str = "1.95";

pub(super) fn check(root: &Path) -> Verdict {
    crate::tools::need(root, "cargo-public-api")?;
    compare(root).map_err(|wrong| {
        let here = crate::output_of("api", &mut crate::cargo(root, &["--version"])).unwrap_or_default();
        format!("{}{wrong}", hint(&here))
    })
}

fn compare(root: &Path) -> Verdict {
    let mut stale = Vec::new();
    for package in published(root)? {
        let current = listing(root, &package)?;
        if fs::read_to_string(root.join(&package.name).join(FILE)).ok().as_ref() != Some(&current) {
            stale.push(package.name);
        }
    }
    if stale.is_empty() {
        Ok("as listed".into())
    } else {
        Err(format!(
            "not as listed: {}; `release-check api --bless`, and look at the difference",
            stale.join(", ")
        ))
    }
}

/// What to try first, if it is not the Rust of the lists that was asked.
fn hint(cargo: &str) -> String {
    let here = cargo.split(' ').nth(1).unwrap_or_default();
    if here.starts_with(&format!("{RUST}.")) {
        return String::new();
    }
    format!("the lists are those of Rust {RUST}, not {here}: cargo +{RUST} xtask release-check api\n")
}

pub(super) fn bless(root: &Path) -> Result<(), String> {
    crate::tools::need(root, "cargo-public-api")?;
    for package in published(root)? {
        let file = root.join(&package.name).join(FILE);
        let text = listing(root, &package)?;
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn listing(root: &Path, package: &Published) -> Result<String, String> {
    let name = &package.name;
    let mut text = format!(
        "# The public API of {name} without features and, after `{FEATURE}NAME`, what a feature adds to that and to the\n\
         # features it brings along. Written by `cargo xtask release-check api --bless`.\n\n"
    );
    let mut known = vec![(String::new(), lines(root, name, "")?)];
    for feature in package.features() {
        known.push((feature.clone(), lines(root, name, &feature)?));
    }
    for (feature, lines) in &known {
        let brings = brought_along(package, feature);
        let others = known.iter().filter(|(other, _)| other != feature && brings.contains(other));
        let others: HashSet<&String> = others.flat_map(|(_, lines)| lines).collect();
        let own: Vec<&str> = lines.iter().filter(|line| !others.contains(line)).map(String::as_str).collect();
        if !feature.is_empty() && !own.is_empty() {
            text.push_str(&format!("\n{FEATURE}{feature}\n\n"));
        }
        text.extend(own.iter().flat_map(|line| [line, "\n"]));
    }
    Ok(text)
}

/// The features of the package that come with one of them; what there is without features comes with each.
fn brought_along(package: &Published, feature: &str) -> HashSet<String> {
    let mut found = HashSet::from([String::new(), feature.to_owned()]);
    loop {
        let direct =
            found.iter().flat_map(|name| package.value["features"][name].as_array().into_iter().flatten());
        let more: HashSet<String> = direct.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        if more.is_subset(&found) {
            return found;
        }
        found.extend(more);
    }
}

/// The items of a crate with one feature or none, without those that every type has.
fn lines(root: &Path, package: &str, feature: &str) -> Result<Vec<String>, String> {
    println!("{package} with {}", if feature.is_empty() { "none" } else { feature });
    let target = root.join("target/api");
    let args = [
        "rustdoc",
        "--quiet",
        "--locked",
        "--lib",
        "--no-default-features",
        "-p",
        package,
        "--features",
        feature,
    ];
    let mut rustdoc = crate::cargo(root, &args);
    rustdoc.arg("--target-dir").arg(&target);
    rustdoc.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    // The output is for nightly Rust; cargo-public-api says if it does not know the version of it.
    crate::succeed("api", rustdoc.env("RUSTC_BOOTSTRAP", "1"))?;
    let json = target.join("doc").join(format!("{}.json", package.replace('-', "_")));
    let mut list = crate::cargo(root, &["public-api", "-sss", "--color", "never", "--rustdoc-json"]);
    let list = crate::output_of("api", list.arg(&json))?;
    Ok(list.lines().map(|line| line.trim_end().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::package;

    #[test]
    fn another_rust_is_the_first_thing_to_say() {
        assert_eq!(hint(&format!("cargo {RUST}.0 (f2d3ce0bd 2026-03-21)\n")), "");
        let hint = hint("cargo 1.85.1 (d73d2caf9 2024-12-31)\n");
        assert!(hint.contains("not 1.85.1: cargo +") && hint.lines().count() == 1, "{hint}");
    }

    #[test]
    fn a_feature_brings_along_what_it_names_and_that_names() {
        let features =
            serde_json::json!({ "http": ["tower", "dep:http"], "tower": ["base"], "base": [], "tls": [] });
        let package = package(serde_json::json!({ "name": "a", "features": features }));
        let found = brought_along(&package, "http");
        for name in ["", "http", "tower", "base"] {
            assert!(found.contains(name), "{name}");
        }
        assert!(!found.contains("tls"));
    }
}
