//! The recorded sessions of the existing implementations, replayed: what our side reports is what the recorded side
//! saw, or what the table of differences says instead, however the bytes are split.

use muxado_frame::Side;

use crate::app::{Feed, play};
use crate::differences::{DIFFERENCES, Difference};
use crate::outcome::{Finding, Wanted};

const FEEDS: [Feed; 6] =
    [Feed::Whole, Feed::Shared, Feed::Single, Feed::Random(1), Feed::Random(2), Feed::Random(3)];

/// Replays `side` of every recording, and fails on what is neither as recorded nor in the table, and on what is in
/// the table and did not happen.
fn replay_all(side: Side) {
    let table: Vec<&Difference> = DIFFERENCES.iter().filter(|difference| difference.side == side).collect();
    let (mut wrong, mut seen, mut names, mut compared) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for recording in crate::recording::all() {
        let name = &recording.name;
        let report = play(&recording, side, FEEDS[0], None);
        for feed in &FEEDS[1..] {
            if play(&recording, side, *feed, None) != report {
                wrong.push(format!("{name}: fed as {feed:?} it ends differently"));
            }
        }
        names.push(name.clone());
        if report.unplayable && recording.party(side).implementation == "raw" {
            // The script did what our side never does, so the peer's answers are to something else.
            continue;
        }
        compared += 1;
        for finding in Wanted::of(&recording, side).compare(&report) {
            match position(&table, name, &finding) {
                Some(at) => seen.push(at),
                None => wrong.push(format!("{name}: {finding:?}")),
            }
        }
    }
    let is_own_folder = std::env::var_os(crate::recording::FOLDER).is_none();
    for (at, difference) in table.iter().enumerate() {
        let present = is_own_folder || names.iter().any(|name| difference.covers(name));
        for (nth, (what, ours)) in difference.ours.iter().enumerate() {
            if present && !seen.contains(&(at, nth)) {
                wrong.push(format!("not so any more: {difference:?}: {what}: {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{side}, {compared} compared:\n{}", wrong.join("\n"));
    assert!(compared * 2 > names.len(), "only {compared} of {} recordings tell anything", names.len());
}

fn position(table: &[&Difference], name: &str, finding: &Finding) -> Option<(usize, usize)> {
    table.iter().enumerate().find_map(|(at, difference)| {
        let is_it = |(what, ours): &(&str, &str)| *what == finding.what && *ours == finding.ours;
        let nth = difference.covers(name).then(|| difference.ours.iter().position(is_it))??;
        Some((at, nth))
    })
}

#[test]
fn as_client_we_see_what_the_recorded_client_saw() {
    replay_all(Side::Client);
}

#[test]
fn as_server_we_see_what_the_recorded_server_saw() {
    replay_all(Side::Server);
}

#[test]
fn every_difference_names_the_row_that_demands_it() {
    for difference in DIFFERENCES {
        let number = difference.row.strip_prefix('S').and_then(|number| number.parse::<u32>().ok());
        assert!(matches!(number, Some(1..=94)), "{difference:?}");
        assert!(!difference.why.is_empty() && !difference.ours.is_empty(), "{difference:?}");
    }
}
