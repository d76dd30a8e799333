//! What the manifest of a published crate must say, judged from what cargo makes of it.

use serde_json::Value;

use crate::metadata::Published;

/// Keys with a text that must be there.
const TEXTS: &[&str] = &["description", "license", "readme", "rust_version"];

/// Keys with a list that must not be empty; crates.io takes five of each at most.
const LISTS: &[&str] = &["keywords", "categories"];

pub(crate) fn check(package: &Published) -> Vec<String> {
    let value = &package.value;
    let texts = TEXTS.iter().filter(|key| value[**key].as_str().is_none_or(str::is_empty));
    let mut findings: Vec<String> = texts.map(|key| format!("its manifest has no `{key}`")).collect();
    let right = |list: &Value| list.as_array().is_some_and(|list| (1..=5).contains(&list.len()));
    let lists = LISTS.iter().filter(|key| !right(&value[**key]));
    findings.extend(lists.map(|key| format!("its manifest has not one to five `{key}`")));
    if value["metadata"]["docs"]["rs"]["all-features"] != true {
        findings.push("docs.rs would not show its features: no `package.metadata.docs.rs`".into());
    }
    if value["version"].as_str() != Some(env!("CARGO_PKG_VERSION")) {
        findings.push(format!("its version is not that of the workspace: {}", value["version"]));
    }
    findings.extend(dependencies(value));
    findings
}

/// Those of ours come in one version; for tests alone, from the tree and not from the registry.
fn dependencies(value: &Value) -> Vec<String> {
    let all = value["dependencies"].as_array().into_iter().flatten();
    let ours = all.filter(|dependency| dependency["path"].is_string());
    ours.filter_map(|dependency| {
        let name = dependency["name"].as_str()?;
        let with_version = dependency["req"] != "*";
        match (dependency["kind"] == "dev", with_version) {
            (true, true) => Some(format!(
                "`{name}` is for tests alone, so name it by path, without version or `workspace`"
            )),
            (false, false) => Some(format!("crates.io would not know which version of `{name}` it needs")),
            _ => None,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::package;

    fn good() -> Value {
        serde_json::json!({
            "name": "a", "version": env!("CARGO_PKG_VERSION"), "description": "d", "license": "MIT", "readme": "README.md",
            "rust_version": "1.85", "keywords": ["k"], "categories": ["c"],
            "metadata": { "docs": { "rs": { "all-features": true } } },
            "dependencies": [
                { "name": "b", "kind": null, "req": "^0.1.0", "path": "b" },
                { "name": "c", "kind": "dev", "req": "*", "path": "c" },
                { "name": "d", "kind": "dev", "req": "^1" },
            ],
        })
    }

    #[test]
    fn a_full_manifest_is_fine() {
        assert_eq!(check(&package(good())), [""; 0]);
    }

    #[test]
    fn each_thing_that_is_missing_is_found() {
        for key in TEXTS.iter().chain(LISTS).chain(&["metadata", "version"]) {
            let mut value = good();
            value[*key] = Value::Null;
            assert_eq!(check(&package(value)).len(), 1, "{key}");
        }
        let mut value = good();
        value["keywords"] = serde_json::json!(["1", "2", "3", "4", "5", "6"]);
        assert_eq!(check(&package(value)).len(), 1);
    }

    #[test]
    fn dependencies_of_ours_have_a_version_or_are_left_out() {
        for (index, req) in [(0, "*"), (1, "^0.1.0")] {
            let mut value = good();
            value["dependencies"][index]["req"] = req.into();
            assert_eq!(check(&package(value)).len(), 1, "{index}");
        }
    }
}
