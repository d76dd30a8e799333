//! `ci`: the steps that a change must pass, in order, stopping at the first that fails; or those that are named.
//! Every cargo call is `--locked`, so that what passes here is what the committed Cargo.lock builds.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

/// A step is either a cargo command line or a task of this crate, by its name.
enum Action {
    Cargo { args: &'static [&'static str], env: &'static [(&'static str, &'static str)] },
    Own(&'static str, fn(root: &Path) -> Result<(), String>),
}

struct Step {
    name: &'static str,
    action: Action,
}

const STEPS: &[Step] = &[
    cargo("fmt", &["fmt", "--all", "--check"]),
    // The fuzz targets have a lock file of their own, which nobody else looks at.
    cargo("lock", &["fetch", "--locked", "--manifest-path", "fuzz/Cargo.toml"]),
    // What tests need, and fail without, where `CI` is set.
    Step { name: "go", action: Action::Own("tools go", |root| in_ci(root, "go")) },
    cargo(
        "clippy",
        &["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"],
    ),
    cargo(
        "test",
        &["test", "--workspace", "--all-features", "--locked", "--lib", "--bins", "--tests", "--examples"],
    ),
    cargo("doctest", &["test", "--workspace", "--all-features", "--locked", "--doc"]),
    Step {
        name: "doc",
        action: Action::Cargo {
            args: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
            env: &[("RUSTDOCFLAGS", "-D warnings")],
        },
    },
    own("features", |root| crate::features::run(root, &[])),
    own("models", |root| crate::models::run(root, &[])),
    own("wireshark", |root| crate::wireshark::run(root, &[])),
    Step {
        name: "package",
        action: Action::Own("package --list", |root| crate::package::run(root, &["--list".to_owned()])),
    },
    own("ids", |root| crate::ids::run(root, &[])),
    own("tidy", |root| crate::tidy::run(root, &[])),
];

/// Nothing is installed on anybody's own machine.
fn in_ci(root: &Path, tool: &str) -> Result<(), String> {
    if env::var_os("CI").is_some() { crate::tools::run(root, &[tool.to_owned()]) } else { Ok(()) }
}

const fn cargo(name: &'static str, args: &'static [&'static str]) -> Step {
    Step { name, action: Action::Cargo { args, env: &[] } }
}

const fn own(name: &'static str, task: fn(root: &Path) -> Result<(), String>) -> Step {
    Step { name, action: Action::Own(name, task) }
}

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let is_step = |name: &&String| STEPS.iter().any(|step| step.name == **name);
    if let Some(unknown) = args.iter().find(|name| !is_step(name)) {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("ci: no step `{unknown}`; there are {}", names.join(", ")));
    }
    let chosen = |step: &&Step| args.is_empty() || args.iter().any(|name| name == step.name);
    run_steps(root, &STEPS.iter().filter(chosen).collect::<Vec<_>>())
}

fn run_steps(root: &Path, steps: &[&Step]) -> Result<(), String> {
    let mut passed = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.action.command_line());
        let start = Instant::now();
        let result = step.action.run(root);
        let took = start.elapsed();
        println!("== {}: {} in {}", step.name, if result.is_ok() { "ok" } else { "FAILED" }, seconds(took));
        if let Err(error) = result {
            print!("\n{}", table(&passed));
            return Err(format!("{error}\nci: FAILED at step `{}` ({})", step.name, seconds(took)));
        }
        passed.push((step.name, took));
    }
    print!("\n{}", table(&passed));
    println!("ci: all {} steps passed", passed.len());
    Ok(())
}

impl Action {
    /// What to type to repeat the step alone.
    fn command_line(&self) -> String {
        match self {
            Action::Own(name, _) => format!("cargo xtask {name}"),
            Action::Cargo { args, env } => {
                let env: String = env.iter().map(|(key, value)| format!("{key}='{value}' ")).collect();
                format!("{env}cargo {}", args.join(" "))
            }
        }
    }

    fn run(&self, root: &Path) -> Result<(), String> {
        match self {
            Action::Own(_, task) => task(root),
            Action::Cargo { args, env } => {
                let status = crate::cargo(root, args)
                    .envs(env.iter().copied())
                    .status()
                    .map_err(|error| format!("cannot start cargo: {error}"))?;
                if status.success() { Ok(()) } else { Err(format!("{}: {status}", self.command_line())) }
            }
        }
    }
}

fn table(passed: &[(&str, Duration)]) -> String {
    let total = passed.iter().map(|(_, took)| *took).sum();
    let rows = passed.iter().copied().chain([("total", total)]);
    rows.map(|(name, took)| format!("  {name:<10} {:>9}\n", seconds(took))).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_builds_uses_the_committed_lock_file() {
        for step in STEPS {
            let Action::Cargo { args, .. } = &step.action else { continue };
            assert!(args[0] == "fmt" || args.contains(&"--locked"), "{} is not --locked", step.name);
        }
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let steps = [
            &own("first", |_| Ok(())),
            &own("second", |_| Err("because".into())),
            &own("third", |_| panic!("must not be reached")),
        ];
        let error = run_steps(Path::new("."), &steps).unwrap_err();
        assert!(error.starts_with("because\n") && error.contains("`second`"), "{error}");
        assert_eq!(run_steps(Path::new("."), &steps[..1]), Ok(()));
    }

    #[test]
    fn steps_are_run_by_name_and_unknown_ones_are_not() {
        let error = run(Path::new("."), &["tidy".into(), "tidier".into()]).unwrap_err();
        assert!(error.contains("`tidier`") && error.contains("clippy, test, doctest"), "{error}");
    }

    #[test]
    fn the_table_lists_the_steps_and_their_sum() {
        let table = table(&[("fmt", Duration::from_millis(400)), ("clippy", Duration::from_millis(1600))]);
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows, [["fmt", "0.4", "s"], ["clippy", "1.6", "s"], ["total", "2.0", "s"]]);
    }

    #[test]
    fn a_step_can_be_repeated_from_its_printed_line() {
        let step = STEPS.iter().find(|step| step.name == "doc").unwrap();
        assert_eq!(own("tidy", |_| Ok(())).action.command_line(), "cargo xtask tidy");
        assert_eq!(
            step.action.command_line(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features --locked"
        );
    }
}
