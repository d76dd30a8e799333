//! From measurements to figures: medians with their range, and ratios that are taken within a round before they are
//! summed up, because both sides of such a ratio met the same machine.

use std::fmt::Write as _;

use serde::Serialize;

use crate::args::Plan;
use crate::peer::PeerName;
use crate::run::Sample;
use crate::workload::Workload;

/// What the ratio columns compare with.
const COMPARED_WITH: [PeerName; 2] = [PeerName::CrateMuxado, PeerName::Tcp];

/// Median, least and greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: (below + above) / 2.0, min, max })
    }
}

/// The table for people.
pub(crate) fn table(plan: &Plan, samples: &[Sample]) -> String {
    let mut text = String::new();
    for workload in plan.workloads.iter().copied() {
        let (unit, _) = workload.unit();
        let amount = in_units(workload, workload.amount(plan.quick));
        let _ = writeln!(
            text,
            "{}: {amount} {unit}, {} rounds, medians (min-max)",
            workload.as_str(),
            plan.rounds
        );
        let row = ["peer", &format!("{unit}/s"), &format!("cpu-s/{unit}"), "x crate-muxado", "x tcp"];
        let mut rows = vec![row.map(String::from)];
        rows.extend(workload.peers().map(|peer| row_of(workload, peer, samples)));
        align(&mut text, &rows);
        text.push('\n');
    }
    text
}

fn row_of(workload: Workload, peer: PeerName, samples: &[Sample]) -> [String; 5] {
    let [rate, cpu] = figures(workload, peer, samples);
    let [to_crate, to_tcp] = COMPARED_WITH.map(|other| ratio(workload, peer, other, samples));
    [peer.as_str().into(), shown(rate), shown(cpu), shown(to_crate), shown(to_tcp)]
}

/// Units a second, and CPU seconds a unit.
fn figures(workload: Workload, peer: PeerName, samples: &[Sample]) -> [Option<Spread>; 2] {
    let mine = || samples.iter().filter(|sample| sample.workload == workload && sample.peer == peer);
    let cpu = mine().filter_map(|sample| {
        Some(sample.measurement.cpu_seconds? / in_units(workload, sample.measurement.amount))
    });
    [Spread::of(mine().map(rate).collect()), Spread::of(cpu.collect())]
}

fn rate(sample: &Sample) -> f64 {
    in_units(sample.workload, sample.measurement.amount) / sample.measurement.seconds
}

fn in_units(workload: Workload, amount: u64) -> f64 {
    amount as f64 / workload.unit().1
}

/// How many times as fast `peer` is as `other`, round by round.
fn ratio(workload: Workload, peer: PeerName, other: PeerName, samples: &[Sample]) -> Option<Spread> {
    let of = |peer| {
        samples.iter().filter(move |sample: &&Sample| sample.workload == workload && sample.peer == peer)
    };
    let ratios = of(peer).filter_map(|mine| {
        let theirs = of(other).find(|theirs| theirs.round == mine.round)?;
        Some(rate(mine) / rate(theirs))
    });
    Spread::of(ratios.collect())
}

fn shown(spread: Option<Spread>) -> String {
    let digits = |value: f64| if value < 10.0 { 3 } else { 1 };
    spread.map_or_else(
        || "-".into(),
        |Spread { median, min, max }| {
            let digits = digits(median);
            format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
        },
    )
}

fn align(text: &mut String, rows: &[[String; 5]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "  {}", line.trim_end());
    }
}

/// Everything for programs: each sample, and the figures of the table.
pub(crate) fn json(plan: &Plan, samples: &[Sample]) -> serde_json::Result<String> {
    let measured = samples.iter().map(|sample| {
        serde_json::json!({
            "workload": sample.workload.as_str(),
            "round": sample.round,
            "peer": sample.peer.as_str(),
            "measurement": sample.measurement,
        })
    });
    let mut summary = Vec::new();
    for workload in plan.workloads.iter().copied() {
        for peer in workload.peers() {
            let [rate, cpu] = figures(workload, peer, samples);
            let [to_crate, to_tcp] = COMPARED_WITH.map(|other| ratio(workload, peer, other, samples));
            summary.push(serde_json::json!({
                "workload": workload.as_str(),
                "unit": workload.unit().0,
                "peer": peer.as_str(),
                "units_per_second": rate,
                "cpu_seconds_per_unit": cpu,
                "times_crate_muxado": to_crate,
                "times_tcp": to_tcp,
            }));
        }
    }
    serde_json::to_string_pretty(&serde_json::json!({
        "rounds": plan.rounds,
        "summary": summary,
        "samples": measured.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measurement;

    fn sample(round: usize, peer: PeerName, seconds: f64) -> Sample {
        let measurement = Measurement { amount: 1 << 30, seconds, cpu_seconds: None };
        Sample { workload: Workload::Bulk1, round, peer, measurement }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(spread, Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was ten times slower in the second round; both peers were.
        let samples = [
            sample(0, PeerName::CrateMuxado, 2.0),
            sample(0, PeerName::Ours, 1.0),
            sample(1, PeerName::CrateMuxado, 20.0),
            sample(1, PeerName::Ours, 10.0),
        ];
        let spread = ratio(Workload::Bulk1, PeerName::Ours, PeerName::CrateMuxado, &samples);
        assert_eq!(spread, Some(Spread { median: 2.0, min: 2.0, max: 2.0 }));
        assert_eq!(ratio(Workload::Bulk1, PeerName::Ours, PeerName::Tcp, &samples), None);
    }
}
