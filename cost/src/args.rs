//! The command line: what to count, what to compare it with, and whether that becomes the new baseline.

use std::error::Error;
use std::path::{Path, PathBuf};

use crate::measure::{self, Measure};

pub(crate) const USAGE: &str = "\
cost [--bless] [--lenient] [--rates] [--only WORD] [--baseline FILE]

  --bless          the figures become the baseline for this compiler and machine
  --lenient        a machine without valgrind is no failure
  --rates          counts nothing, and says how much of each this machine does in a second
  --only WORD      only measures whose name contains WORD
  --baseline FILE  another baseline than the committed one

cost child MEASURE AMOUNT   does the work of one measure, AMOUNT units of it
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Run(Plan),
    Rates(Vec<&'static Measure>),
    Child { measure: &'static Measure, amount: u64 },
}

/// A run of everything, or of a part.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) bless: bool,
    pub(crate) lenient: bool,
    pub(crate) measures: Vec<&'static Measure>,
    pub(crate) baseline: PathBuf,
}

pub(crate) fn parse(words: &[String]) -> Result<Command, Box<dyn Error>> {
    let mut words = words.iter().map(String::as_str);
    let (mut bless, mut lenient, mut rates, mut only) = (false, false, false, "");
    let mut baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.txt");
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n\n{USAGE}"));
        match word {
            "child" => {
                let name = value()?;
                let measure = measure::find(name).ok_or_else(|| format!("no measure `{name}`"))?;
                return Ok(Command::Child { measure, amount: value()?.parse()? });
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--bless" => bless = true,
            "--lenient" => lenient = true,
            "--rates" => rates = true,
            "--only" => only = value()?,
            "--baseline" => baseline = value()?.into(),
            other => return Err(format!("unknown argument `{other}`\n\n{USAGE}").into()),
        }
    }
    let measures: Vec<_> = measure::all().filter(|measure| measure.name.contains(only)).collect();
    if measures.is_empty() {
        return Err(format!("no measure has `{only}` in its name").into());
    }
    if rates {
        return Ok(Command::Rates(measures));
    }
    Ok(Command::Run(Plan { bless, lenient, measures, baseline }))
}
