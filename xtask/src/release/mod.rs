//! `release-check`: what is looked at before a release, and not in ci since its tools take long to build. Every check is run,
//! whatever became of the others, and a table says the results.

use std::path::Path;
use std::process::Command;

pub(crate) mod api;
mod docs;
mod minimal;
mod semver;

/// What came of a check: a word or two for the table, or what is wrong.
type Verdict = Result<String, String>;

struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(root: &Path) -> Verdict,
}

const CHECKS: &[Check] = &[
    Check {
        name: "package",
        about: "each crate builds from its package",
        run: |root| crate::package::run(root, &[]).map(|()| "all build".into()),
    },
    Check { name: "docs", about: "the pages build as docs.rs builds them", run: docs::check },
    Check { name: "semver", about: "nothing breaks that the version does not say", run: semver::check },
    Check { name: "api", about: "the lists of the public API are current", run: api::check },
    Check { name: "deny", about: "licences and sources of what we build from", run: deny },
    Check { name: "advisories", about: "known flaws of what we build from", run: advisories },
    Check {
        name: "minimal",
        about: "the lowest versions that the manifests allow are enough",
        run: minimal::check,
    },
    Check { name: "rust", about: "the oldest Rust that the manifests allow is enough", run: oldest_rust },
    Check {
        name: "features",
        about: "any features together compile",
        run: |root| crate::features::run(root, &["--powerset".into()]).map(|()| "all sets".into()),
    },
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if args == ["api", "--bless"] {
        return api::bless(root);
    }
    if let Some(unknown) = args.iter().find(|name| CHECKS.iter().all(|check| check.name != **name)) {
        return Err(format!("release-check: what is `{unknown}`?\n\n{}", usage()));
    }
    let chosen = CHECKS.iter().filter(|check| args.is_empty() || args.iter().any(|name| name == check.name));
    let mut results = Vec::new();
    for check in chosen {
        println!("\n== {}: {}", check.name, check.about);
        let verdict = (check.run)(root);
        if let Err(wrong) = &verdict {
            println!("{wrong}");
        }
        results.push((check.name, verdict));
    }
    print!("\n{}", table(&results));
    let failed = results.iter().filter(|(_, verdict)| verdict.is_err()).count();
    if failed == 0 { Ok(()) } else { Err(format!("release-check: {failed} of {} not passed", results.len())) }
}

fn usage() -> String {
    let mut text = "cargo xtask release-check [CHECK...]     all, or those named\n\
                    cargo xtask release-check api --bless    write the lists of the public API anew\n\n"
        .to_owned();
    for check in CHECKS {
        text.push_str(&format!("  {:<10} {}\n", check.name, check.about));
    }
    text
}

/// One line for each check; of what is wrong, the first line.
fn table(results: &[(&str, Verdict)]) -> String {
    let row = |(name, verdict): &(&str, Verdict)| match verdict {
        Ok(note) => format!("  {name:<10} ok      {note}\n"),
        Err(wrong) => format!("  {name:<10} FAILED  {}\n", wrong.lines().next().unwrap_or_default()),
    };
    results.iter().map(row).collect()
}

fn deny(root: &Path) -> Verdict {
    crate::tools::need(root, "cargo-deny")?;
    let args = ["deny", "--all-features", "--locked", "check", "bans", "licenses", "sources"];
    crate::succeed("deny", &mut crate::cargo(root, &args))?;
    Ok("as deny.toml says".into())
}

/// Apart from the rest, which can be judged without a network.
fn advisories(root: &Path) -> Verdict {
    crate::tools::need(root, "cargo-deny")?;
    let args = ["deny", "--all-features", "--locked", "check", "advisories"];
    let verdict = crate::succeed("advisories", &mut crate::cargo(root, &args));
    verdict.map_err(|error| {
        format!("{error}: a known flaw, or the list of them cannot be fetched; see above")
    })?;
    Ok("none that deny.toml does not name".into())
}

/// Builds with the Rust that the manifests name, from the committed Cargo.lock.
fn oldest_rust(root: &Path) -> Verdict {
    let packages = crate::metadata::published(root)?;
    let rust = packages.first().and_then(|package| package.value["rust_version"].as_str());
    let rust = rust.ok_or("no `rust-version` in the manifests")?;
    let mut rustup = Command::new("rustup");
    rustup.arg("run");
    if std::env::var_os("CI").is_some() {
        rustup.arg("--install");
    }
    let installed = rustup.args([rust, "rustc", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return Err(format!("not run; it needs: rustup toolchain install {rust} --profile minimal"));
    }
    let mut check = Command::new("rustup");
    check.current_dir(root).args(["run", rust, "cargo", "check", "--locked", "--lib", "--all-features"]);
    // The cargo that runs us has set these, for the Rust of today.
    check.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").args(["--target-dir", "target/oldest-rust"]);
    for package in &packages {
        check.args(["-p", &package.name]);
    }
    crate::succeed("rust", &mut check)?;
    Ok(format!("Rust {rust}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_check_is_an_error_that_lists_the_known_ones() {
        let error = run(Path::new("."), &["smver".into()]).unwrap_err();
        assert!(error.contains("`smver`") && error.contains("  semver "), "{error}");
    }

    #[test]
    fn the_table_says_what_became_of_each() {
        let results = [("semver", Ok("no tag".to_owned())), ("deny", Err("not run\nmore".to_owned()))];
        let expected = "  semver     ok      no tag\n  deny       FAILED  not run\n";
        assert_eq!(table(&results), expected);
    }
}
