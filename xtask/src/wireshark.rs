//! `wireshark`: the tests of the dissector, which need tshark. Where `CI` is set it is installed on Debian, or the step
//! fails. On anybody's own machine nothing is installed: the tests are left out, and a line says so.

use std::env;
use std::path::Path;
use std::process::Command;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("wireshark: takes no arguments".into());
    }
    if !have_tshark() {
        if env::var_os("CI").is_none() {
            println!(
                "wireshark: SKIPPED, no test of the dissector was run: there is no tshark.\n\
                 Install it: apt-get install tshark, dnf install wireshark-cli, brew install wireshark."
            );
            return Ok(());
        }
        install().map_err(|why| format!("wireshark: there is no tshark, and {why}"))?;
    }
    // With the features of the tests before it in `ci`, so that nothing is built twice.
    let mut tests =
        crate::cargo(root, &["test", "--workspace", "--all-features", "--locked", "--test", "wireshark"]);
    crate::succeed("wireshark", tests.args(["--", "--ignored"]))
}

fn have_tshark() -> bool {
    succeeds(Command::new("tshark").arg("--version"))
}

/// The error says why not.
fn install() -> Result<(), String> {
    if !Path::new("/etc/debian_version").exists() {
        return Err("this is no Debian to install it on".into());
    }
    println!("wireshark: installing tshark");
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let as_root: &[&str] = if is_root { &["env"] } else { &["sudo", "-n", "env"] };
    let apt = |args: &[&str]| {
        let words = [as_root, &["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"], args].concat();
        succeeds(Command::new(words[0]).args(&words[1..]))
    };
    // A fresh machine has no list of packages, or an old one.
    apt(&["update"]);
    if apt(&["install", "-y", "--no-install-recommends", "tshark"]) && have_tshark() {
        Ok(())
    } else {
        Err("apt-get could not install it".into())
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
