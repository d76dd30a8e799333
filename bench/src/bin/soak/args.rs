//! The command line: how long, from which seed, and where the plot goes.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

const USAGE: &str = "\
soak [--minutes N | --sessions N] [--seed N] [--plot [FILE]]

  --minutes N    goes on for N minutes, which may be a fraction (default 3; memory is not judged in less)
  --sessions N   N pairs of sessions instead, however long they take; memory is not judged
  --seed N       the seed of all that is random (default 1)
  --plot [FILE]  draws the curve, by default to docs/soak.svg

The samples of a timed run are in target/soak/soak.csv.
";

/// When it is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Length {
    Time(Duration),
    Sessions(u64),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) length: Length,
    pub(crate) seed: u64,
    pub(crate) plot: Option<PathBuf>,
    /// What was typed, for the title of the plot.
    pub(crate) command: String,
}

/// None if only help was asked for.
pub(crate) fn parse(words: &[String]) -> Result<Option<Options>, Box<dyn Error>> {
    let command = format!("cargo xtask soak {}", words.join(" "));
    let mut options =
        Options { length: Length::Time(Duration::from_secs(180)), seed: 1, plot: None, command };
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word {
            "--help" | "-h" => {
                print!("{USAGE}");
                return Ok(None);
            }
            "--minutes" => {
                let minutes: f64 = value(word, words.next())?;
                options.length = Length::Time(Duration::try_from_secs_f64(minutes * 60.0)?);
            }
            "--sessions" => options.length = Length::Sessions(value(word, words.next())?),
            "--seed" => options.seed = value(word, words.next())?,
            "--plot" => {
                let file = words.next_if(|next| !next.starts_with("--")).unwrap_or("docs/soak.svg");
                options.plot = Some(file.into());
            }
            other => return Err(format!("unknown argument `{other}`\n\n{USAGE}").into()),
        }
    }
    Ok(Some(options))
}

fn value<T>(name: &str, word: Option<&str>) -> Result<T, Box<dyn Error>>
where
    T: std::str::FromStr,
    T::Err: Error,
{
    let word = word.ok_or_else(|| format!("{name}: a value is missing\n\n{USAGE}"))?;
    word.parse().map_err(|error: T::Err| format!("{name} {word}: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Options> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        parse(&words).ok().flatten()
    }

    #[test]
    fn arguments_say_how_long_and_where() {
        let options = parsed("--minutes 0.5 --plot --seed 7").unwrap();
        assert_eq!(options.length, Length::Time(Duration::from_secs(30)));
        assert_eq!((options.seed, options.plot), (7, Some("docs/soak.svg".into())));
        assert_eq!(parsed("--sessions 4 --plot a.svg").unwrap().plot, Some("a.svg".into()));
        assert_eq!(parsed("--sessions 4").unwrap().length, Length::Sessions(4));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--fast", "--minutes", "--minutes -1", "--sessions many"] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
