//! `ids --prove`: breaks the code as recorded for each row, in a copy of the workspace, and looks for a test of that
//! row that fails.

use std::path::{Path, PathBuf};

use super::copy::Copy;
use super::mutation::{HEAD, Mutation};
use super::tests_of::{build, failing, find};
use crate::tidy::tree::Tree;

/// What the tests of one row said of its mutation.
enum Verdict {
    /// These failed, as they must.
    Noticed(Vec<String>),
    /// None failed.
    Missed,
    /// It could not be tried.
    Invalid(String),
}

struct Prover<'a> {
    tree: &'a Tree,
    copy: Copy,
    target: PathBuf,
}

pub(super) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let markdown = args.iter().any(|arg| arg == "--markdown");
    let wanted: Vec<String> =
        args.iter().filter(|arg| *arg != "--markdown").map(|id| id.to_uppercase()).collect();
    let tree = Tree::read(root)?;
    let all = Mutation::all(&tree)?;
    if let Some(unknown) = wanted.iter().find(|id| !all.iter().any(|mutation| mutation.id == **id)) {
        return Err(format!("ids: no mutation is recorded for {unknown}"));
    }
    let picked: Vec<&Mutation> =
        all.iter().filter(|mutation| wanted.is_empty() || wanted.contains(&mutation.id)).collect();
    let scratch = root.join("target/prove");
    let copy = Copy::make(root, &tree, scratch.join("tree"))?;
    let prover = Prover { tree: &tree, copy, target: scratch.join("build") };
    if markdown {
        print!("{HEAD}");
    }
    // All of them first: it takes one build.
    picked.iter().try_for_each(|mutation| prover.check_unbroken(&mutation.id))?;
    let mut missed = Vec::new();
    for mutation in &picked {
        let verdict = prover.prove(mutation);
        let (said, is_good) = match &verdict {
            Verdict::Noticed(tests) => (first_and_others(tests), true),
            Verdict::Missed => ("NOTHING FAILS".to_owned(), false),
            Verdict::Invalid(why) => (format!("INVALID: {why}"), false),
        };
        match markdown {
            true => println!("{} {said} |", mutation.cells()),
            false => {
                println!("{}  {:<10} {said}", mutation.id, if is_good { "noticed" } else { "NOT PROVEN" });
            }
        }
        if !is_good {
            missed.push(mutation.id.as_str());
        }
    }
    match missed.is_empty() {
        true => {
            eprintln!("ids: {} mutations, each noticed by a test of its row", picked.len());
            Ok(())
        }
        false => Err(format!("ids: not proven: {}", missed.join(", "))),
    }
}

fn first_and_others(tests: &[String]) -> String {
    match tests {
        [] => String::new(),
        [test] => format!("`{test}`"),
        [first, others @ ..] => format!("`{first}` and {} more", others.len()),
    }
}

impl Prover<'_> {
    fn check_unbroken(&self, id: &str) -> Result<(), String> {
        match self.failing(id)?.as_slice() {
            [] => Ok(()),
            tests => Err(format!("ids: {id} fails without any change: {}", tests.join(", "))),
        }
    }

    fn prove(&self, mutation: &Mutation) -> Verdict {
        let original = match self.copy.read(&mutation.file) {
            Ok(original) => original,
            Err(error) => return Verdict::Invalid(error),
        };
        let broken = match mutation.apply(&original) {
            Ok(broken) => broken,
            Err(error) => return Verdict::Invalid(error),
        };
        let result =
            self.copy.write(&mutation.file, broken.as_bytes()).and_then(|()| self.failing(&mutation.id));
        // Whatever came of it, the next one begins with the original.
        let restored = self.copy.write(&mutation.file, original.as_bytes());
        match (result, restored) {
            (Ok(tests), Ok(())) if tests.is_empty() => Verdict::Missed,
            (Ok(tests), Ok(())) => Verdict::Noticed(tests),
            (Err(error), _) | (_, Err(error)) => Verdict::Invalid(error),
        }
    }

    /// The tests of a row that fail on the copy as it is.
    fn failing(&self, id: &str) -> Result<Vec<String>, String> {
        let programs = find(self.tree, id);
        if programs.is_empty() {
            return Err("no test names it".into());
        }
        let mut failed = Vec::new();
        for (program, tests) in &programs {
            let folder = self.copy.root().join(program.0);
            let built = build(self.copy.root(), &self.target, program)?;
            failed.extend(failing(&built, &folder, tests)?);
        }
        Ok(failed)
    }
}
