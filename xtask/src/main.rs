//! The project's own commands, `cargo xtask <task>`: what they are called and how one is picked.
//! Each task is a function in a file of its own; this file knows only their names.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod bench;
mod book;
mod ci;
mod cost;
mod features;
mod fuzz;
mod ids;
mod interop;
mod metadata;
mod models;
mod mutants;
mod options;
mod package;
mod release;
mod sim;
mod soak;
mod system;
mod tidy;
mod tools;
mod wan;
mod wireshark;

/// One command: its name, the line that explains it, and the function that does it.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(root: &Path, args: &[String]) -> Result<(), String>,
}

const TASKS: &[Task] = &[
    Task {
        name: "ci",
        about: "everything a change must pass, or the steps that are named: ci [STEP...]",
        run: ci::run,
    },
    Task {
        name: "features",
        about: "each feature of each published crate alone; features --powerset: any together; features CRATE: that one",
        run: features::run,
    },
    Task {
        name: "package",
        about: "what would go to crates.io: complete, nothing else, and builds; package --list does not build",
        run: package::run,
    },
    Task {
        name: "release-check",
        about: "what is looked at before a release: API, semver, licences, lowest versions, oldest Rust, all features",
        run: release::run,
    },
    Task {
        name: "tidy",
        about: "the house rules that no compiler checks: dependencies, purity, size, links",
        run: tidy::run,
    },
    Task {
        name: "ids",
        about: "which ids of the tables no test names; ids --prove breaks the code for each row",
        run: ids::run,
    },
    Task {
        name: "tools",
        about: "the programs that some of these need: which are here; tools NAME... or tools all installs them",
        run: tools::run,
    },
    Task { name: "book", about: "the book as HTML, by mdBook: target/book/index.html", run: book::run },
    Task {
        name: "interop",
        about: "ours and the crate muxado against each other, and the conformance suite against it; interop --go [FOLDER]: the Go peer",
        run: interop::run,
    },
    Task {
        name: "wireshark",
        about: "the dissector for Wireshark, judged by tshark, which is installed where that is possible",
        run: wireshark::run,
    },
    Task {
        name: "mutants",
        about: "change the encoding and the machine in every small way, and look for a test that notices",
        run: mutants::run,
    },
    Task {
        name: "models",
        about: "tasks that share a session, in thousands of orders: models [--orders N] [MODEL]",
        run: models::run,
    },
    Task {
        name: "sim",
        about: "random use of two machines, checked after every step: sim --seed N, sim --seeds N",
        run: sim::run,
    },
    Task {
        name: "bench",
        about: "measure against the peers: bench [--quick], arguments go to the package `bench`",
        run: bench::run,
    },
    Task {
        name: "wan",
        about: "throughput against the round trip, over real TCP and a long line: wan [--quick] [--plots FOLDER]; as root",
        run: wan::run,
    },
    Task {
        name: "cost",
        about: "count instructions and calls, and hold them to a baseline: cost [--bless]",
        run: cost::run,
    },
    Task {
        name: "soak",
        about: "random churn over TCP, every byte checked: soak --minutes N [--plot]",
        run: soak::run,
    },
    Task {
        name: "fuzz",
        about: "fuzz --minutes N TARGET|all: run fuzz targets; also --minimize and --seed",
        run: fuzz::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let result = match args.split_first() {
        None => help(),
        Some((name, _)) if ["help", "--help", "-h"].contains(&name.as_str()) => help(),
        Some((name, rest)) => find(name).and_then(|task| (task.run)(&workspace_root(), rest)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> Result<(), String> {
    print!("{}", usage());
    Ok(())
}

fn find(name: &str) -> Result<&'static Task, String> {
    TASKS.iter().find(|task| task.name == name).ok_or_else(|| format!("no task `{name}`\n\n{}", usage()))
}

fn usage() -> String {
    let mut text = String::from("cargo xtask <task>\n\n");
    for task in TASKS {
        text.push_str(&format!("  {:<13} {}\n", task.name, task.about));
    }
    text
}

/// The folder that holds the workspace: the parent of this package's own.
///
/// Cargo says which one that is when it runs us; where we were built may be another one, if they share a target folder.
fn workspace_root() -> PathBuf {
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().unwrap_or(&package).to_path_buf()
}

/// A command that runs the cargo which started us, not whichever one PATH finds first.
///
/// Without the name and version of this package, which that cargo has left us: ring is built anew whenever they change,
/// and with it all that is on top of it, so that nothing would be left of a build that was not made by us.
fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_package(name)) {
        command.env_remove(name);
    }
    command
}

fn is_of_this_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Leaves out the lines that debuggers want, which cost a third of the time of a build that is thrown away.
fn without_debug_lines(cargo: &mut Command) -> &mut Command {
    cargo.env("CARGO_PROFILE_TEST_DEBUG", "0").env("CARGO_PROFILE_DEV_DEBUG", "0")
}

/// Runs a command to its end. An error names the task that it was run for.
fn succeed(task: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{task}: {status}")),
        Err(error) => Err(format!("{task}: cannot start cargo: {error}")),
    }
}

/// Runs a command to its end, and gives what it has said. An error is what it said is wrong, behind the name of the task.
fn output_of(task: &str, command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{task}: cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("{task}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_has_one_line_for_each_task() {
        let usage = usage();
        for task in TASKS {
            assert_eq!(usage.lines().filter(|line| line.trim_start().starts_with(task.name)).count(), 1);
        }
    }

    #[test]
    fn a_cargo_of_ours_is_not_told_of_this_package() {
        let command = cargo(Path::new("."), &[]);
        for name in
            ["CARGO_PKG_NAME", "CARGO_PKG_VERSION_MAJOR", "CARGO_PKG_VERSION_PRE", "CARGO_MANIFEST_DIR"]
        {
            assert!(command.get_envs().any(|(removed, value)| removed == name && value.is_none()), "{name}");
        }
    }

    #[test]
    fn an_unknown_task_is_an_error_that_lists_the_known_ones() {
        let error = find("tidier").err().unwrap();
        assert!(error.contains("`tidier`") && error.contains("cargo xtask"), "{error}");
        assert_eq!(find("tidy").ok().map(|task| task.name), Some("tidy"));
    }
}
