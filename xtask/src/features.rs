//! `features`: each crate that is published compiles without features and with each of its own alone; with `--powerset` also
//! with any of them together. That all work together is what the tests show.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let sets: fn(&[String]) -> Vec<String> = match args {
        [] => alone,
        [arg] if arg == "--powerset" => powerset,
        _ => return Err("features: takes --powerset and nothing else".into()),
    };
    for package in crate::metadata::published(root)? {
        let features = package.features();
        // One that has none is checked by every other command.
        for set in sets(&features).iter().filter(|_| !features.is_empty()) {
            println!("{} with {}", package.name, if set.is_empty() { "none" } else { set });
            check(root, &package.name, set)?;
        }
    }
    Ok(())
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
