//! The options of programs that take minutes to build, looked at before: one that the program's own usage does not name is
//! refused at once. What else is wrong with them, the program says.

use std::fs;
use std::path::Path;

/// Refuses what the usage in `source`, a file of the program, does not name.
pub(crate) fn check(root: &Path, task: &str, source: &str, args: &[String]) -> Result<(), String> {
    let text = fs::read_to_string(root.join(source)).map_err(|error| format!("{task}: {source}: {error}"))?;
    let usage = usage(&text).ok_or_else(|| format!("{task}: no usage in {source}"))?;
    let mut options = args.iter().filter(|arg| arg.starts_with("--") && *arg != "--help");
    match options.find(|option| !names(usage, option)) {
        Some(unknown) => Err(format!("{task}: unknown option `{unknown}`\n\n{usage}")),
        None => Ok(()),
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
    fn what_no_usage_names_is_refused_and_what_it_names_is_not() {
        let root = crate::workspace_root();
        for (source, good) in [
            (crate::bench::ARGS, "--rounds 3 --workload rtt --quick"),
            (crate::soak::ARGS, "--minutes 1 --plot"),
            (crate::cost::ARGS, "--bless --only x"),
            (crate::sim::ARGS, "--seeds 9 --from 3"),
        ] {
            let check = |line: &str| {
                let args: Vec<String> = line.split(' ').map(String::from).collect();
                check(&root, "task", source, &args)
            };
            assert_eq!(check(good), Ok(()));
            assert_eq!(check("--help"), Ok(()));
            let refused = check(&format!("{good} --see")).unwrap_err();
            assert!(refused.starts_with("task: unknown option `--see`\n\n"), "{refused}");
            assert!(refused.contains(good.split(' ').next().unwrap()), "{refused}");
        }
    }
}
