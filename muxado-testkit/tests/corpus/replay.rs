//! The committed corpora, the inputs of crashes that lie in `fuzz/crashes`, and the seeds.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use muxado_testkit::fuzz::TARGETS;

use crate::seeds;

/// A folder below `fuzz/`.
pub(crate) fn folder(name: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(name).join(target)
}

/// The files in `folder` in order, or none.
fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

/// Runs `target` over `inputs` and names those that it panics on.
fn replay(target: fn(&[u8]), inputs: &[(String, Vec<u8>)]) {
    let bad: Vec<&String> = inputs
        .iter()
        .filter(|(_, input)| catch_unwind(|| target(input)).is_err())
        .map(|(name, _)| name)
        .collect();
    assert!(bad.is_empty(), "these inputs fail: {bad:#?}");
}

fn replay_corpus(name: &str) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let corpus = inputs(&folder("corpus", name));
    assert!(corpus.len() >= 20, "the corpus of {name} is missing: {} files", corpus.len());
    let size: usize = corpus.iter().map(|(_, input)| input.len()).sum();
    assert!(size < 400 * 1024, "the corpus of {name} is too large for a repository: {size} bytes");
    replay(*target, &corpus);
    replay(*target, &inputs(&folder("crashes", name)));
    replay(*target, &seeds::of(name));
}

#[test]
fn decode_holds_for_its_corpus() {
    replay_corpus("decode");
}

#[test]
fn roundtrip_holds_for_its_corpus() {
    replay_corpus("roundtrip");
}

#[test]
fn session_bytes_holds_for_its_corpus() {
    replay_corpus("session_bytes");
}

#[test]
fn session_ops_holds_for_its_corpus() {
    replay_corpus("session_ops");
}

#[test]
fn two_node_holds_for_its_corpus() {
    replay_corpus("two_node");
}

#[test]
fn every_target_has_its_program_and_its_corpus_test() {
    let manifest = fs::read_to_string(folder("", "").join("Cargo.toml")).unwrap();
    let this = fs::read_to_string(folder("", "").join("../muxado-testkit/tests/corpus/replay.rs")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no program");
        let program = fs::read_to_string(folder("fuzz_targets", "").join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz::{name}(data)")), "{name}.rs runs something else");
        assert!(this.contains(&format!("replay_corpus(\"{name}\")")), "{name} is not replayed");
    }
}

/// `cargo xtask fuzz --seed` runs this: it writes files, so it is no test of anything.
#[test]
#[ignore = "writes the seeds into fuzz/corpus"]
fn write_the_seeds() {
    for (name, _) in TARGETS {
        let corpus = folder("corpus", name);
        fs::create_dir_all(&corpus).unwrap();
        for (seed, input) in seeds::of(name) {
            fs::write(corpus.join(seed), input).unwrap();
        }
    }
}
