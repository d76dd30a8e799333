//! What `fuzz` can be asked for.

use super::TARGETS;

pub(super) const USAGE: &str = "\
cargo xtask fuzz --minutes N [--jobs J] TARGET...   run each for N minutes, J at a time
cargo xtask fuzz --minimize TARGET...               bring what was found into fuzz/corpus, as few files as will do
cargo xtask fuzz --seed                             write the seeds into fuzz/corpus, before a corpus is made anew
TARGET is `all` or one of: decode, roundtrip, session_bytes, session_ops, two_node";

#[derive(Debug, PartialEq)]
pub(super) struct Args {
    pub(super) what: What,
    pub(super) targets: Vec<&'static str>,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    Run { minutes: f64, jobs: usize },
    Minimize,
    Seed,
}

impl Args {
    pub(super) fn read(args: &[String]) -> Result<Args, String> {
        let (mut minutes, mut jobs, mut minimize, mut seed) = (None, 1, false, false);
        let mut targets = Vec::new();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            match arg {
                "--minutes" => minutes = Some(positive(args.next())?),
                "--jobs" => jobs = positive(args.next())? as usize,
                "--minimize" => minimize = true,
                "--seed" => seed = true,
                "all" => targets = TARGETS.to_vec(),
                name => targets.push(find(name)?),
            }
        }
        let what = match (minutes, minimize, seed) {
            (Some(minutes), false, false) => What::Run { minutes, jobs: jobs.max(1) },
            (None, true, false) => What::Minimize,
            (None, false, true) => What::Seed,
            _ => return Err("one of --minutes, --minimize and --seed is needed".into()),
        };
        match (seed, targets.is_empty()) {
            (true, false) => Err("--seed is for all targets".into()),
            (false, true) => Err("which target?".into()),
            _ => Ok(Args { what, targets }),
        }
    }
}

fn positive(value: Option<&str>) -> Result<f64, String> {
    let number = value.and_then(|value| value.parse::<f64>().ok());
    number.filter(|number| *number > 0.0 && *number < 1e6).ok_or_else(|| "a number above 0 is needed".into())
}

fn find(name: &str) -> Result<&'static str, String> {
    let target = TARGETS.iter().find(|target| **target == name);
    target.copied().ok_or_else(|| format!("no target `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args, String> {
        Args::read(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn targets_and_what_to_do_with_them() {
        let run = |minutes, jobs, targets: &[&'static str]| {
            Ok(Args { what: What::Run { minutes, jobs }, targets: targets.to_vec() })
        };
        assert_eq!(read("--minutes 30 decode"), run(30.0, 1, &["decode"]));
        assert_eq!(read("decode roundtrip --minutes 0.5 --jobs 2"), run(0.5, 2, &["decode", "roundtrip"]));
        assert_eq!(read("--minutes 1 all"), run(1.0, 1, TARGETS));
        assert_eq!(read("--minimize all"), Ok(Args { what: What::Minimize, targets: TARGETS.to_vec() }));
        assert_eq!(read("--seed"), Ok(Args { what: What::Seed, targets: vec![] }));
    }

    #[test]
    fn everything_else_is_refused() {
        for line in [
            "",
            "decode",
            "--minutes",
            "--minutes 1",
            "--minutes 0 all",
            "--minutes x all",
            "--minutes NaN all",
            "--minutes 1 decoder",
            "--minutes 1 --minimize all",
            "--seed decode",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
        assert!(TARGETS.iter().all(|target| USAGE.contains(target)), "the usage names every target");
    }
}
