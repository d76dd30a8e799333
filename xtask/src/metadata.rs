//! What cargo says of the packages of this workspace, as JSON, and which of them are published.

use std::path::Path;

use serde_json::Value;

/// A package that goes to crates.io.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) name: String,
    /// All that cargo says of it.
    pub(crate) value: Value,
}

/// The packages that go to crates.io, each after those of ours that it is built from.
pub(crate) fn published(root: &Path) -> Result<Vec<Published>, String> {
    let args = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let said = crate::output_of("cargo metadata", &mut crate::cargo(root, &args))?;
    let metadata = serde_json::from_str(&said).map_err(|error| format!("cargo metadata: {error}"))?;
    in_order(of(&metadata)?)
}

fn of(metadata: &Value) -> Result<Vec<Published>, String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let for_everybody = packages.iter().filter(|package| package["publish"].is_null());
    Ok(for_everybody
        .filter_map(|value| {
            Some(Published { name: value["name"].as_str()?.to_owned(), value: value.clone() })
        })
        .collect())
}

fn in_order(mut left: Vec<Published>) -> Result<Vec<Published>, String> {
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|package| {
            package
                .dependencies()
                .all(|used| used == package.name || left.iter().all(|other| other.name != used))
        });
        ordered.push(left.remove(ready.ok_or("the published packages depend on each other in a circle")?));
    }
    Ok(ordered)
}

impl Published {
    /// What users of the package, and the registry, have to have before it.
    fn dependencies(&self) -> impl Iterator<Item = &str> {
        let all = self.value["dependencies"].as_array().into_iter().flatten();
        all.filter(|dependency| !is_left_out(dependency)).filter_map(|dependency| dependency["name"].as_str())
    }

    /// Its features but `default`, by name.
    pub(crate) fn features(&self) -> Vec<String> {
        let all = self.value["features"].as_object().into_iter().flat_map(|features| features.keys());
        all.filter(|name| *name != "default").cloned().collect()
    }
}

/// Whether cargo leaves a dependency out of a package: one for tests, which is named by its path alone.
fn is_left_out(dependency: &Value) -> bool {
    dependency["kind"] == "dev" && dependency["req"] == "*" && dependency["path"].is_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn package(value: Value) -> Published {
        Published { name: value["name"].as_str().unwrap_or_default().to_owned(), value }
    }

    fn names(metadata: &Value) -> Result<Vec<String>, String> {
        Ok(in_order(of(metadata)?)?.into_iter().map(|package| package.name).collect())
    }

    #[test]
    fn published_packages_come_after_what_they_are_built_from() {
        let on = |name: &str, kind: Option<&str>, req: &str| serde_json::json!({ "name": name, "kind": kind, "req": req, "path": "x" });
        let mut metadata = serde_json::json!({ "packages": [
            { "name": "top", "publish": null, "dependencies": [on("base", None, "^1"), on("top", Some("dev"), "*")] },
            { "name": "tools", "publish": [], "dependencies": [] },
            { "name": "base", "publish": null, "dependencies": [on("top", Some("dev"), "*")] },
        ]});
        assert_eq!(names(&metadata), Ok(vec!["base".to_owned(), "top".to_owned()]));
        metadata["packages"][2]["dependencies"][0]["req"] = "^1".into();
        assert!(names(&metadata).unwrap_err().contains("circle"));
        assert!(names(&Value::Null).is_err());
    }

    #[test]
    fn features_are_named_without_the_default() {
        let package =
            package(serde_json::json!({ "name": "a", "features": { "default": [], "tls": [], "http": [] } }));
        assert_eq!(package.features(), ["http", "tls"]);
    }
}
