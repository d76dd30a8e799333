//! Continuous integration runs commands of ours and nothing else, so that whatever fails there can be repeated by hand.

use super::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let workflows = tree.files().filter(|file| file.path.starts_with(".github/workflows/"));
    workflows.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let commands = lines.filter_map(|(index, line)| Some((index, line.split_once("run: ")?.1.trim())));
    let foreign = commands.filter(|(_, command)| !is_ours(command));
    foreign
        .map(|(index, command)| {
            Finding::new(&file.path, index + 1, format!("`{command}` is no `cargo xtask` command"))
        })
        .collect()
}

fn is_ours(command: &str) -> bool {
    let task = command.strip_prefix("cargo xtask ").and_then(|rest| rest.split(' ').next());
    task.is_some_and(|name| crate::TASKS.iter().any(|task| task.name == name)) && !command.contains("&&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(command: &str) -> usize {
        let text = format!("jobs:\n  a:\n    steps:\n      - run: {command}\n");
        check(&Tree::of(&[(".github/workflows/ci.yml", &text)])).len()
    }

    #[test]
    fn commands_of_ours_are_fine_and_no_others() {
        assert_eq!(findings("cargo xtask ci test doctest"), 0);
        for bad in ["cargo test", "cargo xtask tidier", "cargo xtask ci && rm x", "|"] {
            assert_eq!(findings(bad), 1, "{bad}");
        }
    }
}
