//! `book`: the pages as HTML, by mdBook. Not part of `ci`, which has all that can go wrong with the pages but their
//! looks and what mdBook warns of; it is built at night.

use std::path::Path;
use std::process::Command;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    crate::tools::need(root, "mdbook").map_err(|why| format!("book: {why}"))?;
    let output = Command::new("mdbook").args(["build", "docs"]).args(args).current_dir(root).output();
    let output = output.map_err(|error| format!("book: cannot start mdbook: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    if !output.status.success() {
        return Err(format!("book: {}", output.status));
    }
    match said.lines().find(|line| line.contains("WARN")) {
        Some(warning) => Err(format!("book: mdbook warns: {warning}")),
        None => Ok(()),
    }
}
