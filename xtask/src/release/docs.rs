//! Whether docs.rs will be able to build the pages, with its own flags: a crate whose page fails there cannot be published
//! again under the same version.

use std::path::Path;

use super::Verdict;
use crate::metadata::published;

pub(super) fn check(root: &Path) -> Verdict {
    let mut doc = crate::cargo(root, &["doc", "--no-deps", "--lib", "--all-features", "--locked"]);
    for package in published(root)? {
        doc.args(["-p", &package.name]);
    }
    // Here and not where cargo is told to build: the variable below has much of that built anew.
    doc.arg("--target-dir").arg(root.join("target/docs-rs"));
    // docs.rs has nightly Rust, which marks what needs a feature.
    doc.env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
    crate::succeed("docs", doc.env_remove("CARGO_ENCODED_RUSTDOCFLAGS"))?;
    Ok("as docs.rs builds them: target/docs-rs/doc".into())
}
