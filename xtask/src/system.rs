//! The programs that some commands need and that are packages of the system: whether they are here, and how to get them on
//! Debian, where continuous integration runs.

use std::path::Path;
use std::process::Command;

/// One of them.
pub(crate) struct Program {
    /// What it is called, with what it is asked for its version.
    pub(crate) name: &'static str,
    version: &'static str,
    /// Debian's package.
    pub(crate) package: &'static str,
}

pub(crate) const GO: Program = Program { name: "go", version: "version", package: "golang-go" };

pub(crate) const TSHARK: Program = Program { name: "tshark", version: "--version", package: "tshark" };

const VALGRIND: Program = Program { name: "valgrind", version: "--version", package: "valgrind" };

pub(crate) const ALL: &[Program] = &[GO, TSHARK, VALGRIND];

pub(crate) fn have(program: &Program) -> bool {
    version(program).is_some()
}

/// What it says of its version, if it is here.
pub(crate) fn version(program: &Program) -> Option<String> {
    let output = Command::new(program.name).arg(program.version).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Installs it if it is not here. The error says why not.
pub(crate) fn install(program: &Program) -> Result<(), String> {
    if have(program) {
        return Ok(());
    }
    let name = program.name;
    if !Path::new("/etc/debian_version").exists() {
        return Err(format!("there is no {name}, and this is no Debian to install it on"));
    }
    println!("installing {name}");
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let as_root: &[&str] = if is_root { &["env"] } else { &["sudo", "-n", "env"] };
    let apt = |args: &[&str]| {
        let words = [as_root, &["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"], args].concat();
        succeeds(Command::new(words[0]).args(&words[1..]))
    };
    // A fresh machine has no list of packages, or an old one.
    apt(&["update"]);
    if apt(&["install", "-y", "--no-install-recommends", program.package]) && have(program) {
        Ok(())
    } else {
        Err(format!("there is no {name}, and apt-get could not install it"))
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_is_seen_and_not_installed_again() {
        // One that everybody has who runs this.
        let cargo = Program { name: "cargo", version: "--version", package: "none" };
        assert_eq!(install(&cargo), Ok(()));
        assert!(!have(&Program { name: "no-such-program", ..cargo }));
    }
}
