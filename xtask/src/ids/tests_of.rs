//! Where the tests of a row are, and what they say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::named::named;
use crate::tidy::tree::Tree;

/// The packages whose tests prove the rows. Others test a peer, or the tests.
const PACKAGES: [&str; 5] =
    ["muxado-frame", "muxado-core", "muxado-typed", "muxado-heartbeat", "muxado-tokio"];

/// What a program of tests may take before it counts as hanging. They take some seconds at the most.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program of tests, as cargo names it: a package, and its library or one of its test programs.
pub(super) type Program = (&'static str, String);

/// For each program of tests, those of its tests that name `id`.
pub(super) fn find(tree: &Tree, id: &str) -> BTreeMap<Program, Vec<String>> {
    let mut programs: BTreeMap<Program, Vec<String>> = BTreeMap::new();
    for file in tree.with_extension("rs") {
        let Some(program) = program_of(&file.path) else { continue };
        let tests = named(&file.text).into_iter().filter(|named| named.id == id).map(|named| named.test);
        let mut tests = tests.peekable();
        if tests.peek().is_some() {
            programs.entry(program).or_default().extend(tests);
        }
    }
    programs
}

/// `muxado-core/tests/rows/data.rs` is part of the program `rows` of `muxado-core`.
fn program_of(path: &str) -> Option<Program> {
    let (package, inside) = path.split_once('/')?;
    let package = PACKAGES.into_iter().find(|name| *name == package)?;
    // The models are built by a command of their own.
    if inside.starts_with("src/models/") {
        return None;
    }
    if inside.starts_with("src/") {
        return Some((package, "--lib".into()));
    }
    let name = inside.strip_prefix("tests/")?.split('/').next()?;
    Some((package, name.trim_end_matches(".rs").to_owned()))
}

/// Builds a program of tests in the workspace at `root`, and returns where it is.
pub(super) fn build(root: &Path, target: &Path, program: &Program) -> Result<PathBuf, String> {
    let (package, name) = program;
    let mut cargo = crate::cargo(root, &["test", "--quiet", "--no-run", "--locked", "--message-format=json"]);
    cargo.args(["-p", package]).arg("--target-dir").arg(target);
    match name.as_str() {
        "--lib" => cargo.arg("--lib"),
        name => cargo.args(["--test", name]),
    };
    let said = crate::output_of("does not build", crate::without_debug_lines(&mut cargo))?;
    executable(&said).ok_or_else(|| format!("cargo does not say where the tests of {package} are"))
}

/// The last executable that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    let (_, rest) = messages.rsplit_once("\"executable\":\"")?;
    let (path, _) = rest.split_once('"')?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

/// Runs the tests with these names. Returns those that failed; a hang counts as a failure of all.
pub(super) fn failing(program: &Path, folder: &Path, tests: &[String]) -> Result<Vec<String>, String> {
    let mut process = Command::new(program)
        .args(tests)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let output = process.stdout.take();
    let reader = thread::spawn(move || output.map(std::io::read_to_string).and_then(Result::ok));
    let start = Instant::now();
    let status = loop {
        match process.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = process.kill().and_then(|()| process.wait());
                break None;
            }
            Err(error) => return Err(format!("cannot wait for {}: {error}", program.display())),
        }
    };
    let said = reader.join().ok().flatten().unwrap_or_default();
    let failed = failed(&said);
    match status {
        Some(status) if status.success() && ran(&said) < tests.len() => {
            Err(format!("{} of {} tests were run: {}", ran(&said), tests.len(), tests.join(", ")))
        }
        Some(status) if status.success() => Ok(Vec::new()),
        Some(_) if failed.is_empty() => Ok(vec!["all, by a crash".into()]),
        Some(_) => Ok(failed),
        None if failed.is_empty() => Ok(vec!["all, by a hang".into()]),
        None => Ok(failed),
    }
}

/// The names of the tests that failed, without their modules.
fn failed(said: &str) -> Vec<String> {
    let line = |line: &str| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let name = name.split(" - ").next()?.rsplit("::").next()?;
        result.starts_with("FAILED").then(|| name.to_owned())
    };
    said.lines().filter_map(line).collect()
}

fn ran(said: &str) -> usize {
    said.lines().filter(|line| line.starts_with("test ") && line.contains(" ... ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_the_program_they_are_part_of() {
        let test = |name: &str| format!("#[test]\nfn {name}() {{}}\n");
        let files = [
            ("muxado-core/tests/rows/data.rs", test("s45_a") + &test("s46_b")),
            ("muxado-core/src/proto/flow.rs", test("s45_c")),
            ("muxado-tokio/tests/session.rs", test("s45_d")),
            ("muxado-testkit/tests/broken.rs", test("s45_e")),
            ("muxado-core/src/models/halves.rs", test("s45_f")),
        ];
        let tree = Tree::of(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
        let found: Vec<_> = find(&tree, "S45").into_iter().collect();
        assert_eq!(
            found,
            [
                (("muxado-core", "--lib".to_owned()), vec!["s45_c".to_owned()]),
                (("muxado-core", "rows".to_owned()), vec!["s45_a".to_owned()]),
                (("muxado-tokio", "session".to_owned()), vec!["s45_d".to_owned()]),
            ]
        );
    }

    #[test]
    fn what_cargo_and_the_tests_say_is_read() {
        let messages =
            "{\"executable\":null}\n{\"reason\":\"a\",\"executable\":\"/t/rows-12\",\"fresh\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/rows-12")));
        let said = "\nrunning 2 tests\ntest data::s45_a ... ok\ntest data::s45_b ... FAILED\n\nfailures:\n";
        assert_eq!((failed(said), ran(said)), (vec!["s45_b".to_owned()], 2));
    }
}
