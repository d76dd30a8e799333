//! What a peer is known to do otherwise than docs/behaviour.md demands of us, each with its reason, and how what the suite
//! finds is held against it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use muxado_testkit::spec::{Options, Report, Side, Verdict};

/// Plays at the same time. Most of the time they wait, so there may be many.
pub(crate) const JOBS: usize = 32;

/// How long to wait for what must happen.
const LIMIT: Duration = Duration::from_secs(10);

/// Which of its ends does so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Both,
    Client,
    Server,
}

/// Whether it shows each time. What depends on which of its tasks is quicker, or on the machine, does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    Always,
    Sometimes,
}

/// A reason, and the plays that differ for it.
pub(crate) struct Difference {
    pub(crate) why: &'static str,
    pub(crate) role: Role,
    pub(crate) when: When,
    /// What is seen has one of these in it.
    pub(crate) seen: &'static [&'static str],
    /// Row, and what is played.
    pub(crate) plays: &'static [(&'static str, &'static str)],
}

pub(crate) const fn of(
    role: Role,
    when: When,
    why: &'static str,
    seen: &'static [&'static str],
    plays: &'static [(&'static str, &'static str)],
) -> Difference {
    Difference { why, role, when, seen, plays }
}

/// The suite in this role. The limit is for machines that are slow or busy; what does not come is waited for as long.
pub(crate) fn options(role: Side) -> Options {
    Options { peer_opens: role == Side::Server, limit: LIMIT, jobs: JOBS, ..Options::new(role) }
}

/// Every difference must be one that is written down, and look as it does there. Each that is there always must be seen.
pub(crate) fn compare(
    peer: &str,
    report: &Report,
    role: Role,
    known: &[Difference],
    untestable: RangeInclusive<usize>,
) {
    println!("{peer} as {role:?}\n\n{report}");
    let known: Vec<_> = known.iter().filter(|known| [Role::Both, role].contains(&known.role)).collect();
    let mut surprises = Vec::new();
    let mut differing = BTreeSet::new();
    for finding in &report.findings {
        let play = (finding.row, finding.what.as_str());
        let expected = known.iter().any(|known| {
            known.plays.contains(&play) && known.seen.iter().any(|seen| finding.seen.contains(seen))
        });
        match finding.verdict {
            Verdict::Differs if expected => _ = differing.insert(play),
            Verdict::Differs | Verdict::NotPlayed => surprises.push(finding),
            Verdict::Ok | Verdict::Untestable => {}
        }
    }
    for known in &known {
        let seen = known.plays.iter().filter(|play| differing.contains(*play)).count();
        println!("{seen:3} of {:3} {:?}: {}", known.plays.len(), known.when, known.why);
    }
    assert!(surprises.is_empty(), "no such difference is written down: {surprises:#?}");
    let played = |play: &&(&str, &str)| report.findings.iter().any(|f| (f.row, f.what.as_str()) == **play);
    let unknown: Vec<_> = known.iter().flat_map(|known| known.plays).filter(|play| !played(play)).collect();
    assert!(unknown.is_empty(), "there is no such play: {unknown:#?}");
    let always = known.iter().filter(|known| known.when == When::Always).flat_map(|known| known.plays);
    let gone: Vec<_> = always.filter(|play| !differing.contains(*play)).collect();
    assert!(gone.is_empty(), "written down as a difference, and is none: {gone:#?}");
    let not_judged = report.count(Verdict::Untestable);
    assert!(untestable.contains(&not_judged), "{not_judged} plays cannot be judged");
}
