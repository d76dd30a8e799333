//! What the counts depend on besides our code: the compiler, the target and the C library, with its copying and its
//! memory. A baseline holds for one of these and for no other.

use std::error::Error;
use std::process::Command;

/// One line, for instance `rustc 1.95.0 (59807616e 2026-04-14), x86_64-unknown-linux-gnu, glibc 2.36`.
pub(crate) fn describe() -> Result<String, Box<dyn Error>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = String::from_utf8(Command::new(rustc).arg("-vV").output()?.stdout)?;
    let version = said.lines().next().unwrap_or("unknown compiler");
    let target = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("unknown target");
    Ok(format!("{version}, {target}, {}", libc()))
}

/// Systems that do not say are no less different from the one with the baseline.
fn libc() -> String {
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let said = asked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let said = said.and_then(|said| String::from_utf8(said).ok()).unwrap_or_default();
    if said.trim().is_empty() { "unknown libc".into() } else { said.trim().into() }
}
