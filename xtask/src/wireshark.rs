//! `wireshark`: the tests of the dissector, which need tshark. Where `CI` is set it is installed on Debian, or the step
//! fails. On anybody's own machine nothing is installed: the tests are left out, and a line says so.

use std::env;
use std::path::Path;

use crate::system;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("wireshark: takes no arguments".into());
    }
    if env::var_os("CI").is_none() && !system::have(&system::TSHARK) {
        println!(
            "wireshark: SKIPPED, no test of the dissector was run: there is no tshark.\n\
             Install it: apt-get install tshark, dnf install wireshark-cli, brew install wireshark."
        );
        return Ok(());
    }
    system::install(&system::TSHARK).map_err(|why| format!("wireshark: {why}"))?;
    // With the features of the tests before it in `ci`, so that nothing is built twice.
    let mut tests =
        crate::cargo(root, &["test", "--workspace", "--all-features", "--locked", "--test", "wireshark"]);
    crate::succeed("wireshark", tests.args(["--", "--ignored"]))
}
