//! `models`: builds the core with shuttle's locks in place of std's, and runs its models in many orders.

use std::path::Path;

const USAGE: &str = "\
cargo xtask models [--orders N] [MODEL]    run those whose names contain MODEL, or all, in N orders each
cargo xtask models --replay ORDER MODEL    run one again, in the order that its failure printed";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (variable, model) = match args.as_slice() {
        [] => (None, "models::"),
        [model] if !model.starts_with('-') => (None, *model),
        ["--orders", orders, model @ ..] if orders.parse::<u32>().is_ok() && model.len() < 2 => {
            (Some(("MUXADO_MODELS", *orders)), *model.first().unwrap_or(&"models::"))
        }
        ["--replay", order, model] => (Some(("MUXADO_MODELS_REPLAY", *order)), *model),
        _ => return Err(format!("models: what is that?\n\n{USAGE}")),
    };
    let mut tests = crate::cargo(root, &["test", "--quiet", "--locked", "-p", "muxado-core", "--lib"]);
    // A folder of its own: everything is built with the flag, and nothing else is to be built again because of it.
    tests
        .args(["--target-dir", "target/models", model])
        .env("RUSTFLAGS", "--cfg muxado_models")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .envs(variable);
    crate::succeed("models", &mut tests).map_err(|error| format!("{error}\n\n{USAGE}"))
}
