//! `tools`: the programs that some commands need and Rust does not bring along. Most are packages of crates.io, each in a
//! version that is known to work, the others come with the system. Nothing is installed but by asking for it here, or, where
//! `CI` is set, by what needs it.

use std::path::Path;
use std::process::Command;

use crate::system;

/// Where the version of another program matters too, RELEASING.md says so.
const TOOLS: &[(&str, &str)] = &[
    ("cargo-deny", "0.20.2"),
    ("cargo-mutants", "27.1.0"),
    ("cargo-public-api", "0.52.0"),
    ("cargo-semver-checks", "0.51.0"),
    ("mdbook", "0.5.4"),
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let is_known = |name: &&String| *name == "all" || names().any(|known| known == name.as_str());
    if let Some(unknown) = args.iter().find(|name| !is_known(name)) {
        let names: Vec<&str> = names().collect();
        return Err(format!("tools: no tool `{unknown}`; there are {}, and `all`", names.join(", ")));
    }
    if args.is_empty() {
        print!("{}", table(|name| here(root, name)));
    }
    for (name, wanted) in TOOLS.iter().filter(|(name, _)| args.iter().any(|arg| arg == name || arg == "all"))
    {
        if here(root, name).as_deref() != Some(wanted) {
            let install = install(name);
            println!("cargo {install}");
            let args: Vec<&str> = install.split(' ').collect();
            crate::succeed("tools", &mut crate::cargo(root, &args))?;
        }
    }
    for program in system::ALL.iter().filter(|program| args.iter().any(|arg| arg == program.name)) {
        system::install(program).map_err(|why| format!("tools: {why}"))?;
    }
    Ok(())
}

fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|(name, _)| *name).chain(system::ALL.iter().map(|program| program.name))
}

/// Says how to get a tool where it is missing.
pub(crate) fn need(root: &Path, name: &str) -> Result<(), String> {
    if here(root, name).is_some() {
        Ok(())
    } else {
        Err(format!("not run; it needs: cargo {}", install(name)))
    }
}

/// The version of a tool that is installed, if any is.
fn here(root: &Path, name: &str) -> Option<String> {
    let mut command = match name.strip_prefix("cargo-") {
        Some(subcommand) => crate::cargo(root, &[subcommand]),
        None => Command::new(name),
    };
    let output = command.arg("--version").output().ok().filter(|output| output.status.success())?;
    let said = String::from_utf8_lossy(&output.stdout);
    Some(said.split_whitespace().nth(1)?.trim_start_matches('v').to_owned())
}

/// The arguments with which cargo installs it.
fn install(name: &str) -> String {
    let version = version(name).map_or_else(String::new, |version| format!(" --version {version}"));
    format!("install {name}{version} --locked")
}

fn version(name: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(known, _)| *known == name).map(|(_, version)| *version)
}

fn table(here: impl Fn(&str) -> Option<String>) -> String {
    let row = |(name, wanted): &(&str, &str)| {
        let there = here(name).map_or_else(|| "missing".to_owned(), |version| format!("{version} is here"));
        format!("  {name:<19}  {wanted:<7}  {there}\n")
    };
    let rows: String = TOOLS.iter().map(row).collect();
    let others = system::ALL.iter().map(|program| {
        let there = if system::have(program) { "here" } else { "missing" };
        format!("  {:<19}  {there}; Debian's package is {}\n", program.name, program.package)
    });
    let others: String = others.collect();
    format!(
        "{rows}\ncargo xtask tools NAME... or all installs them, in the version behind the name.\n\n\
         {others}\ncargo xtask tools NAME... installs those on Debian.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_the_way_to_get_it() {
        let error = need(&crate::workspace_root(), "cargo-no-such-tool").unwrap_err();
        assert!(error.ends_with("cargo install cargo-no-such-tool --locked"), "{error}");
        assert_eq!(
            install("mdbook"),
            format!("install mdbook --version {} --locked", version("mdbook").unwrap())
        );
    }

    #[test]
    fn what_is_here_is_seen_with_its_version() {
        // One that everybody has who runs this.
        let version = here(&crate::workspace_root(), "rustc").unwrap();
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{version}");
    }

    #[test]
    fn an_unknown_tool_is_an_error_that_lists_the_known_ones() {
        let error = run(&crate::workspace_root(), &["mdbok".into()]).unwrap_err();
        assert!(error.contains("`mdbok`") && error.contains("mdbook"), "{error}");
    }
}
