//! The command line: what to measure, how often, and where the figures go.

use std::error::Error;
use std::path::PathBuf;
use std::str::FromStr;

use crate::peer::PeerName;
use crate::scale::Scale;
use crate::workload::Workload;
use crate::{far, run};

pub(crate) const USAGE: &str = "\
bench [--quick] [--syscalls] [--rounds N] [--workload NAMES] [--json FILE] [--plots FOLDER]

  --quick          a quarter of the work and 3 rounds, for a first look
  --syscalls       counts system calls as well, in one more run of each under strace
  --rounds N       rounds; in each one every peer has its turn (default 5)
  --workload NAMES only these, with commas between: bulk1, bulk64, duplex, churn, hello10k, rtt, rtt-busy, tls,
                   mixed, sessions, idle, wan, wan-1g, stuck-reader
  --plots FOLDER   draws a picture of each workload there
  --json FILE      writes every single measurement to FILE as well

bench far [--quick] [--plots FOLDER] [--send-buffer BYTES]
                   throughput against the round trip, over a line of real TCP: see line/line.py; `cargo xtask wan`
  --send-buffer    what a socket may hold unacknowledged at the most, in place of what the system allows

bench scale [--plots FOLDER]   what one more stream, session or writer costs when there are many

bench child WORKLOAD PEER AMOUNT   one measurement, as JSON: bytes, streams or messages
bench child-scale KIND NUMBER      one of `scale`: so many streams, sessions or writers
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Run(run::Plan),
    Far(far::Plan),
    Scale { plots: Option<PathBuf> },
    ScaleChild { scale: Scale, step: u64 },
    Child { workload: Workload, peer: PeerName, amount: u64 },
}

pub(crate) fn parse(words: &[String]) -> Result<Command, Box<dyn Error>> {
    let mut words = words.iter().map(String::as_str).peekable();
    let asked = words.next_if(|word| ["far", "scale"].contains(word));
    let (mut quick, mut rounds, mut workloads) = (false, None, None);
    let (mut json, mut plots, mut syscalls, mut send_buffer) = (None, None, false, None);
    while let Some(word) = words.next() {
        match word {
            "child" => {
                let workload = value(word, words.next())?;
                let peer = value(word, words.next())?;
                return Ok(Command::Child { workload, peer, amount: value(word, words.next())? });
            }
            "child-scale" => {
                return Ok(Command::ScaleChild {
                    scale: value(word, words.next())?,
                    step: value(word, words.next())?,
                });
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--quick" => quick = true,
            "--syscalls" => syscalls = true,
            "--rounds" => rounds = Some(value(word, words.next())?),
            "--workload" => {
                let names: String = value(word, words.next())?;
                let named =
                    names.split(',').map(|name| value(word, Some(name))).collect::<Result<Vec<_>, _>>()?;
                workloads = Some(named);
            }
            "--json" => json = Some(value(word, words.next())?),
            "--plots" => plots = Some(value(word, words.next())?),
            "--send-buffer" => send_buffer = Some(value(word, words.next())?),
            other => return Err(format!("unknown argument `{other}`\n\n{USAGE}").into()),
        }
    }
    let of_a_run = rounds.is_some() || workloads.is_some() || json.is_some() || syscalls;
    match asked {
        None if send_buffer.is_some() => return Err("--send-buffer is for `far`".into()),
        Some(name) if of_a_run => {
            return Err(format!("`{name}` has its own rounds and peers\n\n{USAGE}").into());
        }
        Some("scale") if quick || send_buffer.is_some() => {
            return Err(format!("`scale` takes only --plots\n\n{USAGE}").into());
        }
        Some("scale") => return Ok(Command::Scale { plots }),
        Some(_) => return Ok(Command::Far(far::Plan { quick, plots, send_buffer })),
        None => {}
    }
    let rounds = rounds.unwrap_or(if quick { 3 } else { 5 });
    if rounds == 0 {
        return Err("--rounds: at least 1".into());
    }
    let workloads = workloads.unwrap_or_else(|| Workload::ALL.to_vec());
    Ok(Command::Run(run::Plan { quick, syscalls, rounds, workloads, json, plots }))
}

fn value<T>(name: &str, word: Option<&str>) -> Result<T, Box<dyn Error>>
where
    T: FromStr,
    T::Err: Into<Box<dyn Error>>,
{
    let word = word.ok_or_else(|| format!("{name}: a value is missing\n\n{USAGE}"))?;
    word.parse().map_err(|error: T::Err| format!("{name} {word}: {}", error.into()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn quick_means_fewer_rounds_unless_told_otherwise() {
        for (line, expected) in [("", 5), ("--quick", 3), ("--quick --rounds 7", 7)] {
            match parsed(line) {
                Ok(Command::Run(plan)) => assert_eq!(plan.rounds, expected, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_usage_names_every_workload() {
        let names: Vec<&str> = USAGE.split([',', ' ', '\n']).collect();
        for workload in Workload::ALL {
            assert!(names.contains(&workload.as_str()), "{}", workload.as_str());
        }
    }

    #[test]
    fn a_long_line_is_as_it_was_asked_for() {
        let Ok(Command::Far(plan)) = parsed("far --quick --send-buffer 4096 --plots there") else { panic!() };
        assert_eq!((plan.quick, plan.send_buffer, plan.plots), (true, Some(4096), Some("there".into())));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "--fast",
            "--rounds",
            "--rounds many",
            "--rounds 0",
            "--workload x",
            "--send-buffer 4",
            "far --rounds 2",
            "far --syscalls",
            "scale --workload rtt",
            "scale --quick",
            "child bulk1 nobody 1",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
