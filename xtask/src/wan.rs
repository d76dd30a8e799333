//! `wan`: the command `far` of the package `bench`, which needs Linux and the right to make a network.

use std::path::Path;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    crate::bench::run(root, &[&["far".to_owned()], args].concat())
}
