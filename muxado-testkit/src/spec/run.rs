//! Runs the plays, several at a time, each try on a fresh connection, and judges the senders' rules on all that came.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Options;
use super::conn::Conn;
use super::expect::{Miss, Outcome};
use super::plays::senders::JUDGED;
use super::plays::{self, Play};
use super::report::{Finding, Report, Verdict};
use super::source::Source;

/// What all sessions together say about one rule.
#[derive(Debug, Default)]
struct Rule {
    judged: u64,
    fault: Option<String>,
}

type Rules = BTreeMap<&'static str, Rule>;

/// Whether there is anything to say about this row.
#[must_use]
pub fn is_row(row: &str) -> bool {
    JUDGED.iter().any(|(judged, _)| *judged == row) || plays::all().iter().any(|play| play.row == row)
}

/// Plays what `options` ask for against the peer that `source` leads to.
#[must_use]
pub fn run(source: &Source, options: &Options) -> Report {
    let wanted = |row: &str| options.only.is_empty() || options.only.iter().any(|only| only == row);
    // A rule that is judged on what comes has no play of its own: alone, it is judged on everything.
    let (mut plays, others): (Vec<Play>, _) = plays::all().into_iter().partition(|play| wanted(play.row));
    if plays.is_empty() {
        plays = others;
    }
    let (next, done, rules) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Rules::new()));
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, plays.len().max(1)) {
            scope.spawn(|| {
                while let Some((number, play)) = numbered(&plays, &next) {
                    let finding = perform(play, source, options, &rules);
                    if let Ok(mut done) = done.lock() {
                        done.push((number, finding));
                    }
                }
            });
        }
    });
    let mut findings = done.into_inner().unwrap_or_default();
    findings.sort_by_key(|(number, _)| *number);
    let mut findings: Vec<Finding> = findings.into_iter().map(|(_, finding)| finding).collect();
    findings.extend(judged(&rules.into_inner().unwrap_or_default()));
    findings.retain(|finding| wanted(finding.row));
    findings.sort_by_key(|finding| finding.row);
    Report { findings }
}

fn numbered<'a>(plays: &'a [Play], next: &AtomicUsize) -> Option<(usize, &'a Play)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    plays.get(number).map(|play| (number, play))
}

fn perform(play: &Play, source: &Source, options: &Options, rules: &Mutex<Rules>) -> Finding {
    let finding = |verdict, seen: String| Finding {
        row: play.row,
        what: play.what.clone(),
        expected: play.expected.clone(),
        seen,
        verdict,
    };
    if let Some(why) = play.unseen {
        return finding(Verdict::Untestable, why.into());
    }
    let mut seen = String::from("as expected");
    for (name, run) in &play.tries {
        let named = |what: String| if play.tries.len() == 1 { what } else { format!("{name}: {what}") };
        let mut conn = match connect(play, source, options) {
            Ok(conn) => conn,
            Err(why) => return finding(Verdict::NotPlayed, named(why)),
        };
        let outcome: Outcome = run(&mut conn);
        note(&conn, play, rules);
        match outcome {
            Ok(()) => {}
            Err(Miss::Differs(what)) => return finding(Verdict::Differs, named(what)),
            Err(Miss::Untestable(why)) => return finding(Verdict::Untestable, named(why)),
        }
        if play.tries.len() > 1 {
            seen = format!("as expected, in all {} variants", play.tries.len());
        }
    }
    finding(Verdict::Ok, seen)
}

fn connect(play: &Play, source: &Source, options: &Options) -> Result<Conn, String> {
    let tcp = source.connect(options.limit)?;
    let mut conn = Conn::new(tcp, options).map_err(|error| error.to_string())?;
    if !play.deaf {
        conn.listen().map_err(|error| error.to_string())?;
    }
    Ok(conn)
}

/// Adds what one session says about the rules.
fn note(conn: &Conn, play: &Play, rules: &Mutex<Rules>) {
    let Ok(mut rules) = rules.lock() else { return };
    for (rule, judged) in &conn.book.judged {
        rules.entry(rule).or_default().judged += judged;
    }
    for (rule, fault) in &conn.book.faults {
        let rule = rules.entry(rule).or_default();
        rule.fault.get_or_insert_with(|| format!("{fault}; in {}, {}", play.row, play.what));
    }
}

fn judged(rules: &Rules) -> impl Iterator<Item = Finding> {
    JUDGED.iter().map(|&(row, expected)| {
        let none = Rule::default();
        let rule = rules.get(row).unwrap_or(&none);
        let (verdict, seen) = match &rule.fault {
            Some(fault) => (Verdict::Differs, fault.clone()),
            None if rule.judged == 0 => (Verdict::Untestable, "nothing came to judge it by".into()),
            None => (Verdict::Ok, format!("kept {} times", rule.judged)),
        };
        Finding { row, what: "every frame that came".into(), expected: expected.into(), seen, verdict }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_that_is_played_or_judged_and_nothing_else() {
        assert!(["S01", "S45", "W06", "W05"].into_iter().all(is_row));
        assert!(!["S99", "s45", "", "B01"].into_iter().any(is_row));
    }
}
