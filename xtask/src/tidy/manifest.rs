//! Just enough of Cargo.toml: the package's name, whether it is published, and what it depends on.

use super::tree::{File, Tree};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) published: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Every package of the workspace.
pub(crate) fn all(tree: &Tree) -> Vec<Manifest> {
    let is_manifest = |file: &&File| file.path.rsplit('/').next() == Some("Cargo.toml");
    tree.files().filter(is_manifest).filter_map(Manifest::of).collect()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// A dev-dependency: tests and examples see it, users of the crate do not.
    pub(crate) dev: bool,
}

impl Manifest {
    /// None for a manifest without a package, which is the workspace's own.
    fn of(file: &File) -> Option<Manifest> {
        let mut manifest = Manifest {
            path: file.path.clone(),
            name: String::new(),
            published: true,
            dependencies: Vec::new(),
        };
        let mut section = String::new();
        for (index, line) in file.text.lines().enumerate() {
            let line = without_comment(line).trim();
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = header.trim_matches(['[', ']']).trim().to_owned();
                manifest.enter(&section, index + 1);
            } else if let Some((key, value)) = line.split_once('=') {
                manifest.entry(&section, key.trim(), value.trim(), index + 1);
            }
        }
        (!manifest.name.is_empty()).then_some(manifest)
    }

    /// `src/…` in the folder of this manifest.
    pub(crate) fn lib_path(&self) -> String {
        format!("{}src/lib.rs", self.folder())
    }

    /// The folder of this manifest, with a `/` at its end; nothing for the root.
    pub(crate) fn folder(&self) -> &str {
        self.path.trim_end_matches("Cargo.toml")
    }

    /// A header of its own for one dependency: `[dependencies.name]`.
    fn enter(&mut self, section: &str, line: usize) {
        if let Some((dev, name)) = own_table(section) {
            self.dependencies.push(Dependency { name: unquoted(name), line, dev });
        }
    }

    fn entry(&mut self, section: &str, key: &str, value: &str, line: usize) {
        if section == "package" {
            match key {
                "name" => self.name = unquoted(value),
                "publish" => self.published = !matches!(value, "false" | "[]"),
                _ => {}
            }
        } else if let Some(dev) = dependency_table(section) {
            // `name = …` or `name.workspace = true`; `package` says what a renamed dependency really is.
            let key = key.split('.').next().unwrap_or(key).trim();
            let name =
                value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or(key);
            self.dependencies.push(Dependency { name: unquoted(name), line, dev });
        } else if key == "package" && own_table(section).is_some() {
            if let Some(renamed) = self.dependencies.last_mut() {
                renamed.name = unquoted(value);
            }
        }
    }
}

/// Of the section `dependencies.name`: whether it is a dev-dependency, and its name.
fn own_table(section: &str) -> Option<(bool, &str)> {
    let (table, name) = section.rsplit_once('.')?;
    Some((dependency_table(table)?, name))
}

/// Whether a section lists dependencies, and if so whether they are dev-dependencies.
fn dependency_table(section: &str) -> Option<bool> {
    match section.rsplit('.').next()? {
        "dependencies" | "build-dependencies" if !section.starts_with("workspace") => Some(false),
        "dev-dependencies" => Some(true),
        _ => None,
    }
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let comment = line.find(|c| {
        quoted ^= c == '"';
        c == '#' && !quoted
    });
    comment.map_or(line, |at| &line[..at])
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Option<Manifest> {
        Manifest::of(&File { path: "some/Cargo.toml".into(), text: text.into() })
    }

    #[test]
    fn reads_every_way_to_name_a_dependency() {
        let text = r#"
[package]
name = "some" # not "other"
publish = false

[dependencies]
plain = "1"
shared.workspace = true
renamed = { package = "real", version = "1" }
long = { version = "1", features = [
    "a",
] }

[dependencies.own-table]
version = "1"

[dependencies.alias]
package = "actual"

[target.'cfg(unix)'.build-dependencies]
builder = "1"

[dev-dependencies]
tester = "1"

[features]
default = ["plain"]
"#;
        let manifest = manifest(text).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.published), ("some", false));
        assert_eq!(manifest.lib_path(), "some/src/lib.rs");
        let names: Vec<(&str, bool)> =
            manifest.dependencies.iter().map(|found| (found.name.as_str(), found.dev)).collect();
        let expected =
            [("plain", false), ("shared", false), ("real", false), ("long", false), ("own-table", false)];
        let rest = [("actual", false), ("builder", false), ("tester", true)];
        assert_eq!(names, [&expected[..], &rest[..]].concat());
        assert_eq!(manifest.dependencies[1].line, 8);
    }

    #[test]
    fn a_package_is_published_unless_it_says_otherwise() {
        assert!(manifest("[package]\nname = \"a\"\n").unwrap().published);
        assert!(!manifest("[package]\nname = \"a\"\npublish = []\n").unwrap().published);
    }

    #[test]
    fn the_workspace_manifest_is_no_package() {
        assert_eq!(
            manifest("[workspace.package]\nname = \"x\"\n[workspace.dependencies]\na = \"1\"\n"),
            None
        );
    }
}
