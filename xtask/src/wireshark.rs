//! `wireshark`: the tests of the dissector, which need tshark. On Debian as root it is installed if it is missing; where it
//! cannot be had, the tests are left out, and a line says so.

use std::path::Path;
use std::process::Command;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("wireshark: takes no arguments".into());
    }
    if !have_tshark() {
        if let Err(why) = install() {
            println!(
                "wireshark: SKIPPED, no test of the dissector was run: there is no tshark, and {why}\n\
                 Install it: apt-get install tshark, dnf install wireshark-cli, brew install wireshark."
            );
            return Ok(());
        }
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
    let id = Command::new("id").arg("-u").output();
    if !id.is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
        return Err("only root may install it".into());
    }
    println!("wireshark: installing tshark");
    let apt = |args: &[&str]| {
        succeeds(Command::new("apt-get").arg("-qq").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
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
