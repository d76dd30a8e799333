//! The table for people: every figure, what it was, and what a hostile peer gets for a byte.

use std::fmt;

use crate::baseline::Section;
use crate::count::Cost;
use crate::measure::{FRAME, Measure, Unit};

/// Figures beside their baseline.
pub(crate) struct Compared<'a> {
    costs: &'a [(&'static Measure, Cost)],
    known: Option<&'a Section>,
}

impl<'a> Compared<'a> {
    pub(crate) fn new(costs: &'a [(&'static Measure, Cost)], known: Option<&'a Section>) -> Compared<'a> {
        Compared { costs, known }
    }
}

impl fmt::Display for Compared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = ["instructions for a", "", "now", "before", "change", "calls"];
        row(f, title.map(String::from))?;
        for (measure, cost) in self.costs {
            let before = self.known.and_then(|known| known.get(measure.name));
            let change = before.map(|before| (cost.instructions / before.instructions - 1.0) * 100.0);
            row(
                f,
                [
                    measure.name.into(),
                    measure.unit.as_str().into(),
                    format!("{:.1}", cost.instructions),
                    before.map_or_else(String::new, |before| format!("{:.1}", before.instructions)),
                    change.map_or_else(String::new, |change| format!("{change:+.2} %")),
                    calls(measure, cost),
                ],
            )?;
        }
        Ok(())
    }
}

/// Calls in the unit in which people think of them.
fn calls(measure: &Measure, cost: &Cost) -> String {
    match measure.unit {
        _ if measure.is_flood() => format!("{:.1} instructions for a byte", cost.instructions / cost.wire),
        _ if cost.calls == 0.0 => String::new(),
        Unit::BulkFrame => format!("{:.0} for a GiB", cost.calls * (1 << 30) as f64 / FRAME as f64),
        unit => format!("{:.3} for a {}", cost.calls, unit.as_str()),
    }
}

fn row(f: &mut fmt::Formatter<'_>, [name, unit, now, before, change, calls]: [String; 6]) -> fmt::Result {
    let line = format!("{name:<30} {unit:<12} {now:>10} {before:>10} {change:>9}  {calls}");
    writeln!(f, "{}", line.trim_end())
}
