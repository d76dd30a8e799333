//! The files of the workspace as the rules see them: paths relative to the root, with `/`, and their text.

use std::fs;
use std::path::Path;

/// Every file below the root, except what tools generate.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<File>,
}

/// A file; `text` is empty where it is binary, part of a corpus, or a symbolic link (its target is checked where it
/// lies).
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The hidden folders that are part of the project; all others belong to some tool.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".config", ".githooks", ".github"];

/// Bytes for fuzz targets, which may look like text.
const CORPORA: &[&str] = &["fuzz/corpus/", "fuzz/crashes/"];

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Tree, String> {
        let mut tree = Tree::default();
        tree.read_folder(root, "").map_err(|error| format!("tidy: cannot read the workspace: {error}"))?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, entry.path());
            let name = entry.file_name().to_string_lossy().into_owned();
            let relative = format!("{prefix}{name}");
            if kind.is_dir() {
                if !is_foreign(&name, &path) {
                    self.read_folder(&path, &format!("{relative}/"))?;
                }
                continue;
            }
            // In a linked worktree it is a file that names a folder elsewhere.
            if relative == ".git" {
                continue;
            }
            let has_text = kind.is_file() && !CORPORA.iter().any(|folder| prefix.starts_with(folder));
            let bytes = if has_text { fs::read(&path)? } else { Vec::new() };
            self.files.push(File { path: relative, text: String::from_utf8(bytes).unwrap_or_default() });
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file = |&(path, text): &(&str, &str)| File { path: path.into(), text: text.into() };
        Tree { files: files.iter().map(file).collect() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| file.path.rsplit_once('.').is_some_and(|(_, ext)| ext == extension))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files().find(|file| file.path == path)
    }

    /// Whether `path` names a file or a folder with something in it; the root itself is the empty path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        path.is_empty() || self.files().any(|file| file.path == path || file.path.starts_with(&inside))
    }
}

/// Version control, editors' folders, and cargo's output, which cargo itself marks.
fn is_foreign(name: &str, folder: &Path) -> bool {
    let hidden = name.starts_with('.') && !HIDDEN.contains(&name);
    hidden || name == "target" || folder.join("CACHEDIR.TAG").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_workspace_without_its_build_output() {
        let tree = Tree::read(&crate::workspace_root()).unwrap();
        assert!(tree.file("Cargo.toml").is_some_and(|file| file.text.contains("[workspace]")));
        assert!(tree.contains("xtask/src/") && tree.contains(".ci/run"));
        assert!(
            tree.files().all(|file| !file.path.starts_with(".git/") && !file.path.starts_with("target/"))
        );
    }

    #[test]
    fn a_path_is_contained_as_a_file_or_as_a_folder() {
        let tree = Tree::of(&[("docs/protocol.md", "")]);
        assert!(tree.contains("docs") && tree.contains("docs/") && tree.contains("docs/protocol.md"));
        assert!(!tree.contains("doc") && !tree.contains("docs/protocol"));
    }
}
