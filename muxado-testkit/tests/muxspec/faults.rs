//! Echoes with one fault each: it is found on the rows that forbid it, and on no other.

use std::time::Duration;

use muxado_frame::{Header, Kind};
use muxado_testkit::spec::{Report, Verdict};
use muxado_testkit::wire::{FIN, SYN, data, fin, frame, go_away, rst, wndinc};

use crate::peer::{Fault, echo, play};

/// For faults that are seen at once.
const LONG: Duration = Duration::from_secs(30);
/// For faults that are seen by nothing coming.
const SHORT: Duration = Duration::from_millis(100);

/// Rows that a broken peer may well keep, to play next to those it does not.
const OTHERS: &str = "S06 S12 S19 S20 S25 S39 S45 S57 S69 W02 W03 W05 W07 W08 W09 W10 W12 W14";

fn differing(report: &Report) -> Vec<&str> {
    let mut rows: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Differs)
        .map(|finding| finding.row)
        .collect();
    rows.dedup();
    rows
}

/// What was seen where row `row` differs.
fn seen<'a>(report: &'a Report, row: &str) -> &'a str {
    let finding =
        report.findings.iter().find(|finding| finding.row == row && finding.verdict == Verdict::Differs);
    finding.map_or("", |finding| &finding.seen)
}

fn others(fault: Fault) -> Report {
    play(LONG, OTHERS, echo(fault))
}

fn is(header: Header, kind: Kind) -> bool {
    header.kind() == kind
}

#[test]
fn s19_a_good_echo_has_no_fault() {
    let report = others(|_, frame| frame.to_vec());
    assert_eq!(differing(&report), [""; 0], "{report}");
    assert_eq!(report.count(Verdict::Ok), 21, "{report}");
}

#[test]
fn s39_s45_a_wrong_code_is_found() {
    let report = others(|header, frame| match header.kind() {
        Kind::Rst => rst(header.stream_id(), 6),
        _ => frame.to_vec(),
    });
    assert_eq!(differing(&report), ["S39", "S45"]);
    assert!(seen(&report, "S45").contains("RST of stream 3 with code 6, not 3"), "{report}");
}

#[test]
fn s39_s45_a_second_rst_is_found() {
    let report = others(|header, frame| frame.repeat(if is(header, Kind::Rst) { 2 } else { 1 }));
    assert_eq!(differing(&report), ["S39", "S45", "W10"]);
    assert!(seen(&report, "S45").contains("a second RST of stream 3"), "{report}");
}

#[test]
fn s45_an_overrun_without_an_answer_is_found() {
    let report = play(
        SHORT,
        "S45",
        echo(|header, frame| if is(header, Kind::Rst) { Vec::new() } else { frame.to_vec() }),
    );
    assert_eq!(differing(&report), ["S45"]);
    assert!(seen(&report, "S45").starts_with("without FIN: no RST of stream 3 within 100ms"), "{report}");
}

#[test]
fn s12_an_end_without_goaway_is_found() {
    let report = others(|header, frame| if is(header, Kind::GoAway) { Vec::new() } else { frame.to_vec() });
    assert_eq!(differing(&report), ["S12", "S39"]);
    assert!(seen(&report, "S12").starts_with("with payload: the end without a GOAWAY"), "{report}");
}

#[test]
fn s12_a_goaway_with_another_code_is_found() {
    let report =
        others(|header, frame| if is(header, Kind::GoAway) { go_away(0, 2, b"") } else { frame.to_vec() });
    assert_eq!(differing(&report), ["S12", "S39"]);
    assert!(seen(&report, "S12").contains("GOAWAY with code 2, not 1"), "{report}");
}

#[test]
fn s12_w12_frames_behind_goaway_are_found() {
    let fault: Fault = |header, frame| match header.kind() {
        Kind::GoAway => [frame, &fin(3)].concat(),
        _ => frame.to_vec(),
    };
    assert_eq!(differing(&others(fault)), ["S12", "S39", "W10", "W12"]);
}

#[test]
fn s19_an_echo_that_changes_a_byte_is_found() {
    let report = others(|header, frame| {
        let mut frame = frame.to_vec();
        if let (Kind::Data, Some(last)) = (header.kind(), frame.last_mut().filter(|_| header.length() > 0)) {
            *last ^= 1;
        }
        frame
    });
    assert!(differing(&report).contains(&"S19"), "{report}");
    assert!(seen(&report, "S19").contains("stream 3 came back changed behind byte 0"), "{report}");
}

#[test]
fn s19_an_echo_that_says_more_is_found() {
    let report = others(|header, frame| match header.kind() {
        Kind::Data if header.length() > 0 => [frame, &data(header.stream_id(), b"?")].concat(),
        _ => frame.to_vec(),
    });
    assert!(seen(&report, "S19").contains("came back with more than the"), "{report}");
}

#[test]
fn s20_an_end_that_never_comes_is_found() {
    let fault: Fault = |header, frame| if header.flags().fin() { Vec::new() } else { frame.to_vec() };
    let report = play(SHORT, "S20", echo(fault));
    assert!(seen(&report, "S20").starts_with("no echo and end of stream 3 within 100ms"), "{report}");
}

#[test]
fn s69_credit_that_never_comes_back_is_found() {
    let fault: Fault = |header, frame| if is(header, Kind::WndInc) { Vec::new() } else { frame.to_vec() };
    let report = play(SHORT, "S69", echo(fault));
    assert!(seen(&report, "S69").starts_with("1 bytes: no return of all credit within 100ms"), "{report}");
}

/// The same frame with other flags and body.
fn altered(header: Header, flags: u8, body: &[u8]) -> Vec<u8> {
    frame(header.kind().bits(), flags, header.stream_id(), body)
}

#[test]
fn w02_w03_w05_w07_w08_w09_w10_w14_broken_rules_are_found_in_whatever_is_played() {
    let faults: [(&str, Fault); 9] = [
        ("W02", |header, frame| match header.flags().fin() {
            true => altered(header, SYN | FIN, b""),
            false => frame.to_vec(),
        }),
        ("W03", |header, frame| match header.kind() {
            Kind::Data => frame.to_vec(),
            _ => altered(header, 4, &frame[8..]),
        }),
        ("W05", |header, frame| frame.repeat(if is(header, Kind::WndInc) { 2 } else { 1 })),
        ("W07", |header, frame| match header.kind() {
            Kind::Data if header.length() > 0 => data(header.stream_id(), &[0; 16 * 1024 + 1]),
            _ => frame.to_vec(),
        }),
        ("W08", |header, frame| match header.kind() {
            Kind::GoAway => go_away(0, 1, &[b'x'; 257]),
            _ => frame.to_vec(),
        }),
        ("W09", |header, frame| match header.kind() {
            Kind::Rst => rst(header.stream_id(), 0),
            _ => frame.to_vec(),
        }),
        ("W10", |header, frame| match header.kind() {
            Kind::Rst => [frame, &wndinc(header.stream_id(), 1)].concat(),
            _ => frame.to_vec(),
        }),
        ("W10", |_, frame| [frame, &fin(9)].concat()),
        ("W14", |header, frame| match header.kind() {
            Kind::Data => [&data(header.stream_id(), b""), frame].concat(),
            _ => frame.to_vec(),
        }),
    ];
    for (rule, fault) in faults {
        let report = play(Duration::from_secs(1), OTHERS, echo(fault));
        assert!(differing(&report).contains(&rule), "{rule}: {report}");
    }
}
