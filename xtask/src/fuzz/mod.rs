//! `fuzz`: builds the fuzz targets, runs them, keeps what they find, and minimizes their corpora. On stable Rust, with
//! nothing but cargo and a C++ compiler, which builds the engine (libFuzzer).

use std::path::Path;

mod args;
mod build;
mod corpus;
mod report;
mod run;

use args::{Args, What};

/// The fuzz targets, by the names of their programs.
const TARGETS: &[&str] = &["decode", "roundtrip", "session_bytes", "session_ops", "two_node"];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let Args { what, targets } =
        Args::read(args).map_err(|error| format!("fuzz: {error}\n\n{}", args::USAGE))?;
    match what {
        What::Seed => corpus::seed(root),
        What::Run { minutes, jobs } => {
            let programs = build::build(root)?;
            run::run(root, &programs, &targets, minutes, jobs)
        }
        What::Minimize => {
            let programs = build::build(root)?;
            targets.iter().try_for_each(|target| corpus::minimize(root, &programs, target))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_targets_are_the_programs() {
        let programs = fs::read_dir(crate::workspace_root().join("fuzz/fuzz_targets")).unwrap();
        let mut programs: Vec<_> =
            programs.map(|program| program.unwrap().file_name().into_string().unwrap()).collect();
        programs.sort();
        assert_eq!(programs, TARGETS.iter().map(|target| format!("{target}.rs")).collect::<Vec<_>>());
    }
}
