//! `models`: builds the core with shuttle's locks in place of std's, and runs its models in many orders.

use std::path::Path;
use std::process::Command;

const USAGE: &str = "\
cargo xtask models [--orders N] [MODEL]    run those whose names contain MODEL, or all, in N orders each
cargo xtask models --replay ORDER MODEL    run one again, in the order that its failure printed";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (variable, model) = match args.as_slice() {
        [] => (None, ""),
        [model] if !model.starts_with('-') => (None, *model),
        ["--orders", orders, model @ ..] if orders.parse::<u32>().is_ok() && model.len() < 2 => {
            (Some(("MUXADO_MODELS", *orders)), *model.first().unwrap_or(&""))
        }
        ["--replay", order, model] => (Some(("MUXADO_MODELS_REPLAY", *order)), *model),
        unknown => return Err(format!("models: what is `{}`?\n\n{USAGE}", unknown.join(" "))),
    };
    crate::succeed("models", &mut cargo_test(root, &["--no-run"]))?;
    let list = crate::output_of("models", &mut cargo_test(root, &["--quiet", "--", "--list"]))?;
    let chosen = chosen(&list, model)?;
    let mut run = cargo_test(root, &["--", "--exact"]);
    crate::succeed("models", run.args(chosen).envs(variable)).map_err(|error| format!("{error}\n\n{USAGE}"))
}

/// Those of the listed tests that are models and have this in their names. One that fits nothing is an error: no test at
/// all would pass.
fn chosen<'a>(list: &'a str, model: &str) -> Result<Vec<&'a str>, String> {
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let models: Vec<&str> = tests.filter(|name| name.starts_with("models::")).collect();
    let chosen: Vec<&str> = models.iter().copied().filter(|name| name.contains(model)).collect();
    if chosen.is_empty() {
        return Err(format!("models: no model `{model}`; there are\n\n{}", models.join("\n")));
    }
    Ok(chosen)
}

fn cargo_test(root: &Path, args: &[&str]) -> Command {
    let mut tests = crate::cargo(root, &["test", "--locked", "-p", "muxado-core", "--lib"]);
    // A folder of its own: everything is built with the flag, and nothing else is to be built again because of it.
    tests
        .args(["--target-dir", "target/models"])
        .args(args)
        .env("RUSTFLAGS", "--cfg muxado_models")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "config::tests::halves: test\nmodels::ends::a_close: test\n\
                        models::streams::the_halves: test\n\n3 tests, 0 benchmarks\n";

    #[test]
    fn only_models_are_chosen() {
        assert_eq!(chosen(LIST, "halves"), Ok(vec!["models::streams::the_halves"]));
        assert_eq!(chosen(LIST, "").map(|all| all.len()), Ok(2));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let args = ["--orders", "many"].map(str::to_owned);
        assert_eq!(
            run(Path::new("."), &args).unwrap_err(),
            format!("models: what is `--orders many`?\n\n{USAGE}")
        );
    }

    #[test]
    fn an_unknown_model_is_an_error_that_lists_the_known_ones() {
        let error = chosen(LIST, "halfs").unwrap_err();
        assert!(error.contains("`halfs`") && error.ends_with("models::streams::the_halves"), "{error}");
    }
}
