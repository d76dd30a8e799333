//! `features`: each crate that is published compiles without features and with each of its own alone. That all work together
//! is what the tests show.

use std::path::Path;

use serde_json::Value;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("features: takes no arguments".into());
    }
    for (package, features) in published(&metadata(root)?)? {
        for feature in features.iter().map(String::as_str).chain([""]) {
            println!("{package} with {}", if feature.is_empty() { "none" } else { feature });
            check(root, &package, feature)?;
        }
    }
    Ok(())
}

fn metadata(root: &Path) -> Result<Value, String> {
    let args = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let output =
        crate::cargo(root, &args).output().map_err(|error| format!("cannot start cargo: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The packages that have features, and these.
fn published(metadata: &Value) -> Result<Vec<(String, Vec<String>)>, String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let for_everybody = packages.iter().filter(|package| package["publish"].is_null());
    let with_features = for_everybody.filter_map(|package| {
        let features = package["features"].as_object()?.keys().filter(|name| *name != "default");
        Some((package["name"].as_str()?.to_owned(), features.cloned().collect()))
    });
    Ok(with_features.filter(|(_, features): &(_, Vec<_>)| !features.is_empty()).collect())
}

fn check(root: &Path, package: &str, feature: &str) -> Result<(), String> {
    let args = ["clippy", "--quiet", "--locked", "--lib", "--no-default-features"];
    let status = crate::cargo(root, &args)
        .args(["-p", package, "--features", feature, "--", "-D", "warnings"])
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{package} does not compile with {feature:?} alone")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_of_published_packages_are_found() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "publish": null, "features": { "default": [], "tls": [], "http": [] } },
            { "name": "b", "publish": null, "features": {} },
            { "name": "c", "publish": [], "features": { "certs": [] } },
        ]});
        let a = ("a".to_owned(), vec!["http".to_owned(), "tls".to_owned()]);
        assert_eq!(published(&metadata), Ok(vec![a]));
        assert!(published(&Value::Null).is_err());
    }
}
