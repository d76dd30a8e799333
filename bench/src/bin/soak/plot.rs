//! The curve of a run as an SVG: memory, streams, and what is open, over time.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sample::Sample;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 840.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 170.0;
const GAP: f64 = 52.0;

/// Points of a line at the most: more cannot be seen.
const POINTS: usize = 400;

/// Blue, orange, green: told apart by everybody.
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

const MIB: f64 = 1024.0 * 1024.0;

/// One line of a panel, or its dots.
struct Line {
    name: &'static str,
    value: fn(&Sample) -> f64,
    /// Only while nothing goes on, as dots.
    at_rest: bool,
}

struct Panel {
    title: &'static str,
    lines: &'static [Line],
}

const PANELS: &[Panel] = &[
    Panel {
        title: "memory, MiB",
        lines: &[
            Line { name: "RSS", value: |sample| sample.rss as f64 / MIB, at_rest: false },
            Line { name: "heap", value: |sample| sample.heap as f64 / MIB, at_rest: false },
            Line { name: "heap at rest", value: |sample| sample.heap as f64 / MIB, at_rest: true },
        ],
    },
    Panel {
        title: "live ends of streams",
        lines: &[Line { name: "streams", value: |sample| sample.streams as f64, at_rest: false }],
    },
    Panel {
        title: "open files, and pairs of sessions that come and go",
        lines: &[
            Line { name: "files", value: |sample| sample.files as f64, at_rest: false },
            Line { name: "pairs", value: |sample| sample.sessions as f64, at_rest: false },
            Line { name: "files at rest", value: |sample| sample.files as f64, at_rest: true },
        ],
    },
];

pub(crate) fn svg(samples: &[Sample], command: &str, summary: &str) -> String {
    let height = TOP + PANELS.len() as f64 * (PANEL + GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"#333\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    text(&mut svg, LEFT, 26.0, "start", "16", command.trim());
    text(&mut svg, LEFT, 44.0, "start", "12", summary);
    text(&mut svg, LEFT, 60.0, "start", "12", &format!("{}, {}", today(), machine()));
    let seconds = samples.last().map_or(1.0, |sample| sample.at.as_secs_f64());
    for (index, panel) in PANELS.iter().enumerate() {
        draw(&mut svg, panel, samples, seconds, TOP + 18.0 + index as f64 * (PANEL + GAP));
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel, samples: &[Sample], seconds: f64, top: f64) {
    let bottom = top + PANEL;
    let largest = samples.iter().flat_map(|sample| panel.lines.iter().map(|line| (line.value)(sample)));
    let (step, most) = scale(largest.fold(1.0, f64::max));
    let x = |sample: &Sample| LEFT + (RIGHT - LEFT) * sample.at.as_secs_f64() / seconds;
    let y = |value: f64| bottom - PANEL * value / most;
    text(svg, LEFT, top - 8.0, "start", "13", panel.title);
    let mut tick = 0.0;
    while tick <= most {
        rule(svg, LEFT, y(tick), RIGHT, y(tick));
        text(svg, LEFT - 6.0, y(tick) + 4.0, "end", "12", &format!("{tick}"));
        tick += step;
    }
    let (minutes, last) = scale(seconds / 60.0);
    let mut tick = 0.0;
    while tick <= last.min(seconds / 60.0) {
        let at = LEFT + (RIGHT - LEFT) * tick * 60.0 / seconds;
        rule(svg, at, bottom, at, bottom + 4.0);
        text(svg, at, bottom + 17.0, "middle", "12", &format!("{tick} min"));
        tick += minutes;
    }
    for (index, (line, colour)) in panel.lines.iter().zip(COLOURS).enumerate() {
        let points = samples.iter().filter(|sample| sample.at_rest == line.at_rest);
        let points: Vec<(f64, f64)> = points.map(|sample| (x(sample), y((line.value)(sample)))).collect();
        let legend = RIGHT - 110.0 * (panel.lines.len() - index) as f64;
        text(svg, legend + 18.0, top - 8.0, "start", "12", line.name);
        if line.at_rest {
            points.iter().chain([&(legend + 8.0, top - 12.0)]).for_each(|(x, y)| {
                let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"{colour}\"/>");
            });
        } else {
            path(svg, &points, colour);
            path(svg, &[(legend, top - 12.0), (legend + 14.0, top - 12.0)], colour);
        }
    }
}

fn path(svg: &mut String, points: &[(f64, f64)], colour: &str) {
    let _ = write!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\" points=\"");
    for (x, y) in points.iter().step_by(points.len().div_ceil(POINTS).max(1)) {
        let _ = write!(svg, "{x:.1},{y:.1} ");
    }
    svg.push_str("\"/>\n");
}

fn rule(svg: &mut String, x1: f64, y1: f64, x2: f64, y2: f64) {
    let _ =
        writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>");
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, size: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{text}</text>"
    );
}

/// A round step for at most six marks up to `largest`, and the first mark that is not below it.
fn scale(largest: f64) -> (f64, f64) {
    let magnitude = 10_f64.powf((largest / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let step = step.into_iter().find(|step| largest / step <= 5.0).unwrap_or(largest);
    (step, (largest / step).ceil() * step)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let model = model.trim_start_matches([':', ' ', '\t']);
    format!("{cores} cores of {model}, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let (year, month, day) = date(days);
    format!("{year}-{month:02}-{day:02}")
}

/// The date so many days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    let leap = |year: u64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_the_largest_value() {
        for (largest, expected) in
            [(1.0, (0.2, 1.0)), (33.5, (10.0, 40.0)), (20.0, (5.0, 20.0)), (64.0, (20.0, 80.0))]
        {
            let (step, most) = scale(largest);
            assert!(
                (step - expected.0).abs() < 1e-9 && (most - expected.1).abs() < 1e-9,
                "{largest}: {step} {most}"
            );
        }
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_453), (2025, 12, 31));
        assert_eq!(date(20_454), (2026, 1, 1));
    }

    #[test]
    fn an_empty_run_is_drawn_too() {
        let svg = svg(&[], "a <b> & c", "");
        assert!(svg.contains("a &lt;b> &amp; c") && svg.ends_with("</svg>\n"));
    }
}
