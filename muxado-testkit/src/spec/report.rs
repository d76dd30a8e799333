//! What came of a run: one finding for each play, as a table for people or as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

/// How a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads a report must think of all of them")]
pub enum Verdict {
    /// As the row demands.
    Ok,
    /// The peer does something else.
    Differs,
    /// It cannot be seen from outside.
    Untestable,
    /// There was no connection to play it on.
    NotPlayed,
}

/// One play, and what came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The id of the row in docs/behaviour.md.
    pub row: &'static str,
    /// What was played. With the row it is unique.
    pub what: String,
    /// What the row demands.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// The judgement.
    pub verdict: Verdict,
}

/// The findings of a run, in the order of the rows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// One for each play, and one for each rule that is judged on all frames.
    pub findings: Vec<Finding>,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Differs => "differs",
            Verdict::Untestable => "not testable",
            Verdict::NotPlayed => "not played",
        }
    }
}

impl Report {
    /// How many plays ended so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// The findings as a list of objects, and their number by verdict.
    #[must_use]
    pub fn to_json(&self) -> String {
        let findings: Vec<Value> = self.findings.iter().map(Finding::to_json).collect();
        let count = |verdict: Verdict| self.count(verdict);
        let report = json!({
            "findings": findings,
            "ok": count(Verdict::Ok),
            "differs": count(Verdict::Differs),
            "not testable": count(Verdict::Untestable),
            "not played": count(Verdict::NotPlayed),
        });
        format!("{report:#}")
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        json!({
            "id": self.row,
            "played": self.what,
            "expected": self.expected,
            "seen": self.seen,
            "verdict": self.verdict.name(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Finding) -> &str| {
            self.findings.iter().map(|finding| cell(finding).chars().count()).max().unwrap_or(0)
        };
        let (played, expected) = (width(|finding| &finding.what), width(|finding| &finding.expected));
        writeln!(f, "{:<4} {:<12} {:<played$} {:<expected$} seen", "id", "verdict", "played", "expected")?;
        for Finding { row, what, expected: demand, seen, verdict } in &self.findings {
            writeln!(f, "{row:<4} {:<12} {what:<played$} {demand:<expected$} {seen}", verdict.name())?;
        }
        let counts = [Verdict::Ok, Verdict::Differs, Verdict::Untestable, Verdict::NotPlayed]
            .map(|verdict| format!("{} {}", self.count(verdict), verdict.name()));
        write!(f, "{}", counts.join(", "))
    }
}
