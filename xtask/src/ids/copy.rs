//! A copy of the workspace that may be spoiled. Files that are the same already are left alone, so that cargo builds
//! little the next time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tidy::tree::Tree;

pub(super) struct Copy {
    root: PathBuf,
}

impl Copy {
    /// Makes `to` a copy of what of the workspace builds and is read by tests.
    pub(super) fn make(root: &Path, tree: &Tree, to: PathBuf) -> Result<Copy, String> {
        let copy = Copy { root: to };
        for file in tree.files() {
            let bytes = fs::read(root.join(&file.path)).map_err(|error| format!("{}: {error}", file.path))?;
            copy.write(&file.path, &bytes)?;
        }
        Ok(copy)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let to = self.root.join(path);
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&to, bytes));
        made.map_err(|error| format!("{}: {error}", to.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_can_be_spoiled_and_the_original_stays() {
        let root = crate::workspace_root();
        let folder = std::env::temp_dir().join(format!("muxado-copy-{}", std::process::id()));
        let tree = Tree::of(&[("xtask/Cargo.toml", "")]);
        let copy = Copy::make(&root, &tree, folder.clone()).unwrap();
        let text = copy.read("xtask/Cargo.toml").unwrap();
        copy.write("xtask/Cargo.toml", b"spoiled").unwrap();
        assert_eq!(copy.read("xtask/Cargo.toml").unwrap(), "spoiled");
        assert_eq!(fs::read_to_string(root.join("xtask/Cargo.toml")).unwrap(), text);
        fs::remove_dir_all(folder).unwrap();
    }
}
