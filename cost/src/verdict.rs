//! What the figures are held to: the baseline, and for floods B33.

use std::error::Error;
use std::fmt;

use crate::baseline::Section;
use crate::count::Cost;
use crate::measure::Measure;

/// A figure may be this much above its baseline.
const TOLERANCE: f64 = 0.03;

/// The same for floods, whose frames cost so little that one more check of a limit shows.
const TOLERANCE_OF_FLOODS: f64 = 0.1;

/// What B33 compares with: a full frame received, copied and read.
const BULK: &str = "machine/receive-copied";

/// How many times as much as that a frame of a flood may cost (B33).
const WORST: f64 = 10.0;

const NOTHING_KNOWN: &str = "no baseline for this compiler and system: nothing to compare with";

/// What is to be said about the figures. Faults fail the check, hints do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    faults: Vec<String>,
    hints: Vec<String>,
}

pub(crate) fn of(costs: &[(&'static Measure, Cost)], known: Option<&Section>) -> Verdict {
    let mut verdict = Verdict::default();
    match known {
        Some(known) => verdict.compare(costs, known),
        None => verdict.hints.push(NOTHING_KNOWN.into()),
    }
    verdict.hold_to_b33(costs);
    verdict
}

impl Verdict {
    fn compare(&mut self, costs: &[(&'static Measure, Cost)], known: &Section) {
        for (measure, cost) in costs {
            let Some(known) = known.get(measure.name) else {
                self.hints.push(format!("{}: not in the baseline yet; --bless adds it", measure.name));
                continue;
            };
            self.judge(measure, "instructions", cost.instructions, known.instructions);
            self.judge(measure, "calls", cost.calls, known.calls);
        }
    }

    fn judge(&mut self, measure: &Measure, what: &str, now: f64, before: f64) {
        let (name, unit) = (measure.name, measure.unit.as_str());
        let says = format!("{name}: {now:.4} {what} for a {unit}, {before:.4} in the baseline");
        let tolerance = if measure.is_flood() { TOLERANCE_OF_FLOODS } else { TOLERANCE };
        if now > before * (1.0 + tolerance) {
            self.faults.push(says);
        } else if now < before * (1.0 - tolerance) {
            self.hints.push(format!("{says}: better; --bless keeps it"));
        }
    }

    /// No flood may cost more than so many bulk frames for each of its own: then the worst mix of frames still comes in
    /// at a tenth of the rate, in frames, of plain data.
    fn hold_to_b33(&mut self, costs: &[(&'static Measure, Cost)]) {
        let Some((_, bulk)) = costs.iter().find(|(measure, _)| measure.name == BULK) else { return };
        let most = bulk.instructions * WORST;
        for (measure, cost) in costs.iter().filter(|(measure, _)| measure.is_flood()) {
            if cost.instructions > most {
                let (name, now) = (measure.name, cost.instructions);
                self.faults.push(format!("B33: {name}: {now:.0} instructions for a frame, above {most:.0}"));
            }
        }
    }

    pub(crate) fn result(&self) -> Result<(), Box<dyn Error>> {
        match self.faults.len() {
            0 => Ok(()),
            1 => Err("one figure is too high".into()),
            count => Err(format!("{count} figures are too high").into()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hints.iter().try_for_each(|hint| writeln!(f, "{hint}"))?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "TOO HIGH {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Known;
    use crate::measure::find;

    fn verdict(figures: &[(&str, f64, f64)], known: &[(&str, f64, f64)]) -> Verdict {
        let cost = |(name, instructions, calls): &(&str, f64, f64)| {
            (find(name).unwrap(), Cost { instructions: *instructions, calls: *calls, wire: 0.0 })
        };
        let known = known.iter().map(|(name, instructions, calls)| {
            ((*name).to_owned(), Known { instructions: *instructions, calls: *calls })
        });
        of(&figures.iter().map(cost).collect::<Vec<_>>(), Some(&known.collect()))
    }

    #[test]
    fn three_per_cent_more_is_the_most() {
        let known = [("session/ping-pong", 1000.0, 4.0)];
        assert_eq!(verdict(&[("session/ping-pong", 1030.0, 4.12)], &known), Verdict::default());
        let worse = verdict(&[("session/ping-pong", 1031.0, 4.0)], &known);
        assert_eq!(
            worse.faults,
            ["session/ping-pong: 1031.0000 instructions for a round trip, 1000.0000 in the baseline"]
        );
        assert!(worse.result().is_err());
        let calls = verdict(&[("session/ping-pong", 1000.0, 4.2)], &known);
        assert_eq!(
            calls.faults,
            ["session/ping-pong: 4.2000 calls for a round trip, 4.0000 in the baseline"]
        );
    }

    #[test]
    fn a_flood_may_be_a_tenth_dearer() {
        let known = [("hostile/empty-data", 200.0, 0.0)];
        assert_eq!(verdict(&[("hostile/empty-data", 219.0, 0.0)], &known), Verdict::default());
        assert_eq!(verdict(&[("hostile/empty-data", 221.0, 0.0)], &known).faults.len(), 1);
    }

    #[test]
    fn better_and_new_figures_are_hints() {
        let better = verdict(&[("session/ping-pong", 969.0, 4.0)], &[("session/ping-pong", 1000.0, 4.0)]);
        assert!(better.result().is_ok() && better.hints[0].ends_with("better; --bless keeps it"), "{better}");
        let new = verdict(&[("session/ping-pong", 969.0, 4.0)], &[]);
        assert!(new.result().is_ok() && new.hints.len() == 1, "{new}");
        let unknown = of(&[], None);
        assert!(unknown.result().is_ok() && unknown.hints.len() == 1, "{unknown}");
    }

    #[test]
    fn b33_a_flood_that_costs_more_than_ten_bulk_frames_is_a_fault() {
        let flood = |instructions| {
            let figures = [(BULK, 500.0, 0.0), ("hostile/empty-data", instructions, 0.0)];
            of(
                &figures.map(|(name, instructions, calls)| {
                    (find(name).unwrap(), Cost { instructions, calls, wire: 8.0 })
                }),
                None,
            )
        };
        assert!(flood(5000.0).result().is_ok());
        let worst = flood(5001.0);
        assert!(worst.result().is_err());
        assert_eq!(worst.faults, ["B33: hostile/empty-data: 5001 instructions for a frame, above 5000"]);
    }
}
