//! `features`: each crate that is published, or those that are named, compile without features and with each of their own
//! alone; with `--powerset` also with any of them together. That all work together is what the tests show.

use std::path::Path;

use crate::metadata::{Published, published};

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let (options, names): (Vec<_>, Vec<_>) = args.iter().partition(|arg| arg.starts_with('-'));
    let sets: fn(&[String]) -> Vec<String> = match options[..] {
        [] => alone,
        [option] if option == "--powerset" => powerset,
        _ => return Err("features: takes --powerset, and names of crates".into()),
    };
    for package in chosen(published(root)?, &names)? {
        let features = package.features();
        // One that has none is checked by every other command.
        for set in sets(&features).iter().filter(|_| !features.is_empty()) {
            println!("{} with {}", package.name, if set.is_empty() { "none" } else { set });
            check(root, &package.name, set)?;
        }
    }
    Ok(())
}

/// Those that are named; all, if none is.
fn chosen(all: Vec<Published>, names: &[&String]) -> Result<Vec<Published>, String> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|package| package.name != ***name)) {
        return Err(format!("features: there is no published crate `{unknown}`"));
    }
    let is_named = |package: &Published| names.is_empty() || names.iter().any(|name| **name == package.name);
    Ok(all.into_iter().filter(is_named).collect())
}

fn alone(features: &[String]) -> Vec<String> {
    features.iter().cloned().chain([String::new()]).collect()
}

/// Every choice of features, as cargo takes them.
fn powerset(features: &[String]) -> Vec<String> {
    features.iter().fold(vec![String::new()], |sets, feature| {
        let with =
            sets.iter().map(|set| if set.is_empty() { feature.clone() } else { format!("{set},{feature}") });
        let with: Vec<String> = with.collect();
        [sets, with].concat()
    })
}

fn check(root: &Path, package: &str, features: &str) -> Result<(), String> {
    let args = ["clippy", "--quiet", "--locked", "--lib", "--no-default-features"];
    let status = crate::cargo(root, &args)
        .args(["-p", package, "--features", features, "--", "-D", "warnings"])
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{package} does not compile with {features:?} alone")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::package;

    #[test]
    fn those_that_are_named_or_all() {
        let names = |chosen: &[&str]| {
            let all = ["a", "b", "c"].map(|name| package(serde_json::json!({ "name": name })));
            let words: Vec<String> = chosen.iter().map(ToString::to_string).collect();
            let found = super::chosen(all.into(), &words.iter().collect::<Vec<_>>())?;
            Ok(found.into_iter().map(|package| package.name).collect::<Vec<_>>().concat())
        };
        assert_eq!(names(&[]), Ok("abc".to_owned()));
        assert_eq!(names(&["c", "a"]), Ok("ac".to_owned()));
        assert_eq!(names(&["d"]), Err("features: there is no published crate `d`".to_owned()));
    }

    #[test]
    fn each_feature_alone_and_none() {
        assert_eq!(alone(&["a".into(), "b".into()]), ["a", "b", ""]);
    }

    #[test]
    fn every_choice_of_features() {
        assert_eq!(powerset(&["a".into(), "b".into()]), ["", "a", "b", "a,b"]);
        assert_eq!(powerset(&vec!["f".to_owned(); 5]).len(), 32);
    }
}
