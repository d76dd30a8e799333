//! The committed figures: a text file with a section for each environment, and a line for each measure in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use crate::count::Cost;
use crate::measure::Measure;

/// What one unit cost when the baseline was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) instructions: f64,
    pub(crate) calls: f64,
}

/// The figures of one environment, by the name of the measure.
pub(crate) type Section = BTreeMap<String, Known>;

/// The whole file: the lines before the first section, and the sections by what they hold for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Baseline {
    head: Vec<String>,
    sections: BTreeMap<String, Section>,
}

impl Baseline {
    pub(crate) fn parse(text: &str) -> Result<Baseline, Box<dyn Error>> {
        let mut baseline = Baseline::default();
        let mut section = None;
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = Some(baseline.sections.entry(name.into()).or_default());
            } else if let Some(section) = &mut section {
                if !line.trim().is_empty() {
                    let (name, known) =
                        entry(line).ok_or_else(|| format!("baseline, line {}: not an entry", index + 1))?;
                    section.insert(name, known);
                }
            } else {
                baseline.head.push(line.into());
            }
        }
        Ok(baseline)
    }

    pub(crate) fn of(&self, environment: &str) -> Option<&Section> {
        self.sections.get(environment)
    }

    /// Takes over new figures. Those of measures that were not counted this time stay.
    pub(crate) fn set(&mut self, environment: &str, costs: &[(&'static Measure, Cost)]) {
        let section = self.sections.entry(environment.into()).or_default();
        for (measure, cost) in costs {
            let known = Known { instructions: cost.instructions, calls: cost.calls };
            section.insert(measure.name.into(), known);
        }
    }
}

/// `session/ping-pong 9876.50 instructions 4.000 calls`
fn entry(line: &str) -> Option<(String, Known)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [name, instructions, "instructions", calls, "calls"] => Some((
            name.into(),
            Known { instructions: instructions.parse().ok()?, calls: calls.parse().ok()? },
        )),
        _ => None,
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.head {
            writeln!(f, "{line}")?;
        }
        for (index, (environment, section)) in self.sections.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "[{environment}]")?;
            for (name, Known { instructions, calls }) in section {
                writeln!(f, "{name:<30} {instructions:>10.2} instructions {calls:>9.5} calls")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Why.\n\n[rustc 1, here]\n\
        machine/send-bytes                 123.40 instructions   0.00000 calls\n\
        session/ping-pong                 9876.50 instructions   4.00000 calls\n\
        \n[rustc 2, here]\n\
        session/ping-pong                 9000.00 instructions   4.00000 calls\n";

    #[test]
    fn a_file_is_read_and_written_back_as_it_was() {
        let baseline = Baseline::parse(TEXT).unwrap();
        assert_eq!(baseline.to_string(), TEXT);
        let known = baseline.of("rustc 1, here").unwrap()["session/ping-pong"];
        assert_eq!(known, Known { instructions: 9876.5, calls: 4.0 });
        assert_eq!(baseline.of("rustc 3, here"), None);
    }

    #[test]
    fn new_figures_replace_those_of_their_own_environment_only() {
        let mut baseline = Baseline::parse(TEXT).unwrap();
        let measure = crate::measure::find("session/ping-pong").unwrap();
        baseline.set("rustc 2, here", &[(measure, Cost { instructions: 1.0, calls: 2.0, wire: 0.0 })]);
        assert_eq!(baseline.of("rustc 2, here").unwrap()[measure.name].instructions, 1.0);
        assert_eq!(baseline.of("rustc 1, here").unwrap()[measure.name].instructions, 9876.5);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let error = Baseline::parse("[a]\nsession/ping-pong 1 instruction\n").unwrap_err();
        assert_eq!(error.to_string(), "baseline, line 2: not an entry");
    }
}
