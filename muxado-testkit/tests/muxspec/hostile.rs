//! Peers that are nothing like muxado, or that try to hold the suite up: it ends all the same, and says what it saw.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use muxado_frame::Side;
use muxado_testkit::spec::{Options, Report, Source, Verdict, run};
use muxado_testkit::wire::{DATA, data, go_away, header, rst, syn};

use crate::peer::play;

const LIMIT: Duration = Duration::from_millis(50);

/// One row of each kind: cut off, harmless, the end of the session, echo, reset, flood, credit, deafness.
const ROWS: &str = "S01 S06 S12 S19 S21 S30 S45 S50 S62 S69 S84 S86 S92";

/// Reads until the end, so that nothing is reset before it was seen.
fn swallow(mut tcp: &TcpStream) {
    let mut buffer = [0; 4096];
    while tcp.read(&mut buffer).is_ok_and(|len| len > 0) {}
}

fn assert_all_differ(report: &Report, words: &str) {
    for finding in report.findings.iter().filter(|finding| finding.verdict != Verdict::Untestable) {
        assert_eq!(finding.verdict, Verdict::Differs, "{report}");
    }
    assert!(report.count(Verdict::Differs) >= 12, "{report}");
    let seen: Vec<&str> = report.findings.iter().map(|finding| &*finding.seen).collect();
    assert!(seen.iter().any(|seen| seen.contains(words)), "{words}: {seen:#?}");
}

#[test]
fn s19_a_peer_that_hangs_ends_no_play_well() {
    // Neither reads nor writes, and lets go when the test program ends.
    let report = play(LIMIT, ROWS, |tcp| {
        std::mem::forget(tcp);
    });
    assert_all_differ(&report, "no echo of stream 3 within 50ms; no frame came");
}

#[test]
fn s19_a_peer_that_only_reads_ends_no_play_well() {
    assert_all_differ(&play(LIMIT, ROWS, |tcp| swallow(&tcp)), "no echo of stream 3 within");
}

#[test]
fn s19_a_peer_that_closes_at_once_ends_no_play_well() {
    assert_all_differ(&play(LIMIT, ROWS, drop), "the transport ended before echo of stream 3");
}

#[test]
fn s12_a_peer_that_says_goodbye_at_once_ends_no_play_well() {
    let report = play(LIMIT, "S19 S12", |mut tcp| {
        tcp.write_all(&go_away(0, 0, b"")).unwrap();
        swallow(&tcp);
    });
    assert_eq!(report.count(Verdict::Differs), 2);
    assert!(report.findings[0].seen.contains("GOAWAY instead of echo of stream 3"), "{report}");
}

#[test]
fn w04_noise_is_no_frame() {
    let report = play(LIMIT, &format!("{ROWS} W04"), |mut tcp| {
        let mut state = 7_u32;
        let noise: Vec<u8> = (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let _ = tcp.write_all(&noise);
        swallow(&tcp);
    });
    assert!(report.findings.iter().all(|finding| finding.verdict != Verdict::Ok), "{report}");
}

#[test]
fn w10_floods_come_to_an_end() {
    let floods: [fn(u32) -> Vec<u8>; 4] = [
        |n| rst(3 + 2 * n, 6),
        |n| syn(2 + 2 * n, b"x"),
        |_| data(3, &[0; 60_000]),
        // A frame that is never whole.
        |n| if n == 0 { header(DATA, 0, 0xFF_FFFF, 3).to_vec() } else { b"x".to_vec() },
    ];
    for flood in floods {
        let report = play(LIMIT, "S06 S12 S19", move |mut tcp| {
            let mut n = 0;
            while tcp.write_all(&flood(n).repeat(if n == 0 { 1 } else { 50 })).is_ok() {
                n += 1;
            }
        });
        assert_eq!(report.count(Verdict::Differs), 3, "{report}");
    }
}

#[test]
fn s19_a_peer_that_is_not_there_is_no_difference() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options =
        Options { limit: LIMIT, only: vec!["S19".into(), "S20".into()], ..Options::new(Side::Client) };
    let report = run(&Source::dial(nobody).unwrap(), &options);
    assert_eq!(report.count(Verdict::NotPlayed), 2, "{report}");

    // It never dials in: the first play waits, the others do not.
    let waiting = Source::listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let report = run(&waiting, &Options { limit: LIMIT, ..Options::new(Side::Server) });
    assert!(report.count(Verdict::NotPlayed) > 90 && report.count(Verdict::Differs) == 0, "{report}");
    assert!(report.findings.iter().any(|finding| finding.seen.contains("did not dial in")), "{report}");
}

#[test]
fn s19_a_report_is_readable_and_json() {
    let report = play(LIMIT, "S19 S29", drop);
    let table = report.to_string();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.ends_with("0 ok, 1 differs, 1 not testable, 0 not played"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["differs"], 1);
    assert_eq!(
        (&json["findings"][0]["id"], &json["findings"][0]["verdict"]),
        (&"S19".into(), &"differs".into())
    );
}
