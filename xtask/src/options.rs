//! The options of programs that take minutes to build, looked at before: one that the program's own usage does not name is
//! refused at once, and whoever asks for the usage gets it. What else is wrong with them, the program says.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `program` with `args`, or answers in its place, by the usage in `source`, a file of it.
pub(crate) fn pass(
    root: &Path,
    task: &str,
    source: &str,
    program: &mut Command,
    args: &[String],
) -> Result<(), String> {
    match answer(root, task, source, args)? {
        Some(usage) => println!("{}", usage.trim_end()),
        None => crate::succeed(task, program.args(args))?,
    }
    Ok(())
}

/// The usage, if it is asked for. An error for what it does not name.
fn answer(root: &Path, task: &str, source: &str, args: &[String]) -> Result<Option<String>, String> {
    let text = fs::read_to_string(root.join(source)).map_err(|error| format!("{task}: {source}: {error}"))?;
    let usage = usage(&text).ok_or_else(|| format!("{task}: no usage in {source}"))?;
    if args.iter().any(|arg| ["--help", "-h"].contains(&arg.as_str())) {
        return Ok(Some(usage.to_owned()));
    }
    match args.iter().filter(|arg| arg.starts_with("--")).find(|option| !names(usage, option)) {
        Some(unknown) => Err(format!("{task}: unknown option `{unknown}`\n\n{usage}")),
        None => Ok(None),
    }
}

/// The text of a constant of that name.
fn usage(source: &str) -> Option<&str> {
    let (_, from) = source.split_once("const USAGE: &str = \"")?;
    let (usage, _) = from.split_once("\";")?;
    Some(usage.trim_start_matches("\\\n"))
}

fn names(usage: &str, option: &str) -> bool {
    usage.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).any(|word| word == option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_usage_names_is_refused_what_it_names_is_not_and_the_usage_itself_is_given() {
        let root = crate::workspace_root();
        for (source, good) in [
            (crate::bench::ARGS, "--rounds 3 --workload rtt --quick"),
            (crate::soak::ARGS, "--minutes 1 --plot"),
            (crate::cost::ARGS, "--bless --only x"),
            (crate::sim::ARGS, "--seeds 9 --from 3"),
        ] {
            let answer = |line: &str| {
                let args: Vec<String> = line.split(' ').map(String::from).collect();
                answer(&root, "task", source, &args)
            };
            assert_eq!(answer(good), Ok(None));
            for asking in ["--help", "far --help", "-h", "--see --help"] {
                let usage = answer(asking).unwrap().unwrap();
                assert!(
                    good.split(' ').filter(|word| word.starts_with("--")).all(|word| usage.contains(word))
                );
            }
            let refused = answer(&format!("{good} --see")).unwrap_err();
            assert!(refused.starts_with("task: unknown option `--see`\n\n"), "{refused}");
            assert!(refused.contains(good.split(' ').next().unwrap()), "{refused}");
        }
    }
}
