//! From measurements to figures: medians with their range, and ratios that are taken within a round before they are
//! summed up, because both sides of such a ratio met the same machine.

use std::fmt::Write as _;

use serde::Serialize;

use crate::measure::Measurement;
use crate::peer::PeerName;
use crate::run::{Counted, Plan, Results, Sample};
use crate::syscalls::Calls;
use crate::workload::{Headline, Workload};

/// Median, least and greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: (below + above) / 2.0, min, max })
    }
}

/// None if there are no values.
pub(crate) fn median(values: Vec<f64>) -> Option<f64> {
    Spread::of(values).map(|spread| spread.median)
}

/// What the samples say of one peer at one workload.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) peer: &'static str,
    /// The figure that the workload is about.
    pub(crate) headline: Option<Spread>,
    /// Further ones, by name.
    further: Vec<(&'static str, Option<Spread>)>,
    cpu_seconds_per_unit: Option<Spread>,
    peak_memory_mib: Option<Spread>,
    /// To the raw sockets of its runtime.
    times_tcp: Option<Spread>,
    /// System calls for each unit.
    pub(crate) calls: Option<Calls>,
    /// To the best other multiplexer, by the medians.
    times_best_peer: Option<Spread>,
    /// What went wrong, if anything did.
    failed: Option<String>,
}

/// The rows of a workload.
pub(crate) fn rows(workload: Workload, results: &Results) -> Vec<Row> {
    let Results { samples, calls } = results;
    let best = best_peer(workload, samples);
    workload.peers().map(|peer| row(workload, peer, best, samples, calls)).collect()
}

fn row(
    workload: Workload,
    peer: PeerName,
    best: Option<PeerName>,
    samples: &[Sample],
    calls: &[Counted],
) -> Row {
    let spread = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
        Spread::of(measured(workload, peer, samples).filter_map(|(_, measured)| figure(measured)).collect())
    };
    let (_, scale) = workload.cpu_unit();
    let mine = samples.iter().filter(|sample| sample.workload == workload && sample.peer == peer);
    Row {
        peer: peer.as_str(),
        headline: spread(&|measured| headline(workload, measured)),
        further: workload
            .further()
            .iter()
            .map(|name| (*name, spread(&|measured| measured.figures.get(*name).copied())))
            .collect(),
        cpu_seconds_per_unit: spread(&|measured| {
            Some(measured.cpu_seconds? / (measured.amount as f64 / scale))
        }),
        peak_memory_mib: spread(&|measured| Some(measured.peak_memory? as f64 / (1 << 20) as f64)),
        times_tcp: ratio(workload, peer, peer.raw(), samples),
        calls: calls.iter().find(|(of, by, _)| (*of, *by) == (workload, peer)).and_then(|(.., calls)| *calls),
        times_best_peer: best.and_then(|best| ratio(workload, peer, best, samples)),
        failed: mine.filter_map(|sample| sample.outcome.as_ref().err().cloned()).next(),
    }
}

fn measured(
    workload: Workload,
    peer: PeerName,
    samples: &[Sample],
) -> impl Iterator<Item = (usize, &Measurement)> {
    samples
        .iter()
        .filter(move |sample| sample.workload == workload && sample.peer == peer)
        .filter_map(|sample| Some((sample.round, sample.outcome.as_ref().ok()?)))
}

fn headline(workload: Workload, measured: &Measurement) -> Option<f64> {
    match workload.headline() {
        Headline::Rate(_, scale) => Some(measured.amount as f64 / scale / measured.seconds),
        Headline::Time => Some(measured.seconds * 1000.0),
        Headline::Figure(name) => measured.figures.get(name).copied(),
    }
}

fn more_is_better(workload: Workload) -> bool {
    matches!(workload.headline(), Headline::Rate(..))
}

/// The best that is not ours.
fn best_peer(workload: Workload, samples: &[Sample]) -> Option<PeerName> {
    let typical = |peer: PeerName| {
        let figures =
            measured(workload, peer, samples).filter_map(|(_, figures)| headline(workload, figures));
        median(figures.collect()).map(|median| (median, peer))
    };
    let others = workload.peers().filter(|peer| peer.is_another()).filter_map(typical);
    let order = |a: &(f64, PeerName), b: &(f64, PeerName)| a.0.total_cmp(&b.0);
    if more_is_better(workload) { others.max_by(order) } else { others.min_by(order) }.map(|(_, peer)| peer)
}

/// The headline of `peer` divided by that of `other`, round by round.
fn ratio(workload: Workload, peer: PeerName, other: PeerName, samples: &[Sample]) -> Option<Spread> {
    let ratios = measured(workload, peer, samples).filter_map(|(round, mine)| {
        let (_, theirs) = measured(workload, other, samples).find(|(theirs, _)| *theirs == round)?;
        Some(headline(workload, mine)? / headline(workload, theirs)?)
    });
    Spread::of(ratios.collect())
}

/// The tables for people, in Markdown.
pub(crate) fn tables(plan: &Plan, results: &Results) -> String {
    let mut text = String::new();
    for workload in plan.workloads.iter().copied() {
        let (figure, better) = match workload.headline() {
            Headline::Rate(unit, _) => (format!("{unit}/s"), "more is better"),
            Headline::Time => ("ms".into(), "less is better"),
            Headline::Figure(name) => (name.into(), "less is better"),
        };
        let (unit, _) = workload.cpu_unit();
        let _ = writeln!(
            text,
            "**{}**: medians (least-greatest) of {} rounds, {better}\n",
            workload.as_str(),
            plan.rounds
        );
        let mut header = vec!["peer".to_owned(), figure];
        header.extend(workload.further().iter().map(|name| (*name).to_owned()));
        header.extend([format!("cpu-s/{unit}"), "MiB".into(), "x raw".into(), "x best peer".into()]);
        header.extend(
            ["sends", "receives", "waits"]
                .iter()
                .filter(|_| plan.syscalls)
                .map(|name| format!("{name}/{unit}")),
        );
        let mut lines = vec![header];
        for row in rows(workload, results) {
            let mut line = vec![row.peer.to_owned(), row.failed.unwrap_or_else(|| shown(row.headline))];
            line.extend(row.further.iter().map(|(_, spread)| shown(*spread)));
            let peak = row.peak_memory_mib.map_or("-".into(), |spread| format!("{:.0}", spread.median));
            line.extend([shown(row.cpu_seconds_per_unit), peak]);
            line.extend([shown(row.times_tcp), shown(row.times_best_peer)]);
            if plan.syscalls {
                let calls = row.calls.map(|Calls { sends, receives, waits }| [sends, receives, waits]);
                line.extend(
                    calls.map_or([const { String::new() }; 3], |calls| {
                        calls.map(|calls| format!("{calls:.0}"))
                    }),
                );
            }
            lines.push(line);
        }
        align(&mut text, &lines);
        text.push('\n');
    }
    text
}

fn shown(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "-".into(),
        |Spread { median, min, max }| {
            let digits = match median {
                100.0.. => 0,
                10.0.. => 1,
                1.0.. => 2,
                _ => 3,
            };
            format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
        },
    )
}

fn align(text: &mut String, lines: &[Vec<String>]) {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<_> =
            (0..columns).map(|column| format!("{:<1$}", line[column], width(column))).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if number == 0 {
            let rules: Vec<_> = (0..columns).map(|column| "-".repeat(width(column))).collect();
            let _ = writeln!(text, "| {} |", rules.join(" | "));
        }
    }
}

/// Everything for programs: each sample, and the figures of the tables.
pub(crate) fn json(plan: &Plan, results: &Results) -> serde_json::Result<String> {
    let measured = results.samples.iter().map(|sample| {
        serde_json::json!({
            "workload": sample.workload.as_str(),
            "round": sample.round,
            "peer": sample.peer.as_str(),
            "measurement": sample.outcome.as_ref().ok(),
            "failed": sample.outcome.as_ref().err(),
        })
    });
    let summary = plan.workloads.iter().map(
        |workload| serde_json::json!({ "workload": workload.as_str(), "rows": rows(*workload, results) }),
    );
    serde_json::to_string_pretty(&serde_json::json!({
        "rounds": plan.rounds,
        "summary": summary.collect::<Vec<_>>(),
        "samples": measured.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sample(round: usize, peer: PeerName, seconds: f64) -> Sample {
        let figures = BTreeMap::new();
        let measurement =
            Measurement { amount: 1 << 30, seconds, cpu_seconds: None, peak_memory: None, figures };
        Sample { workload: Workload::Bulk1, round, peer, outcome: Ok(measurement) }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(spread, Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_to_the_best() {
        // The machine was ten times slower in the second round; all peers were.
        let samples = [
            sample(0, PeerName::CrateMuxado, 2.0),
            sample(0, PeerName::Yamux, 4.0),
            sample(0, PeerName::Ours, 1.0),
            sample(1, PeerName::CrateMuxado, 20.0),
            sample(1, PeerName::Yamux, 40.0),
            sample(1, PeerName::Ours, 10.0),
        ];
        assert_eq!(best_peer(Workload::Bulk1, &samples), Some(PeerName::CrateMuxado));
        let spread = ratio(Workload::Bulk1, PeerName::Ours, PeerName::CrateMuxado, &samples);
        assert_eq!(spread, Some(Spread { median: 2.0, min: 2.0, max: 2.0 }));
        assert_eq!(ratio(Workload::Bulk1, PeerName::Ours, PeerName::Tcp, &samples), None);
    }

    #[test]
    fn a_peer_that_fails_is_in_the_table() {
        let mut failed = sample(0, PeerName::Yamux, 1.0);
        failed.outcome = Err("stalled".into());
        let plan = Plan {
            quick: true,
            syscalls: false,
            rounds: 1,
            workloads: vec![Workload::Bulk1],
            json: None,
            plots: None,
        };
        let results = Results { samples: vec![failed], calls: Vec::new() };
        assert!(tables(&plan, &results).contains("| yamux          | stalled"));
    }
}
