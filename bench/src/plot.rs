//! A picture of each workload: a bar for each peer, as long as its median, and a line from its least to its greatest.
//! And curves, where something is varied.

use std::fmt::Write as _;

use crate::report::{Row, Spread, rows};
use crate::run::Results;
use crate::workload::{Headline, Workload};

const LINE: usize = 26;
const LEFT: usize = 120;
const WIDTH: usize = 460;

pub(crate) fn svg(workload: Workload, results: &Results) -> String {
    let rows = rows(workload, results);
    let greatest = rows.iter().filter_map(|row| Some(row.headline?.max)).fold(f64::MIN_POSITIVE, f64::max);
    let unit = match workload.headline() {
        Headline::Rate(unit, _) => format!("{unit}/s, more is better"),
        Headline::Time => "ms, less is better".into(),
        Headline::Figure(name) => format!("{name}, less is better"),
    };
    let height = LINE * (rows.len() + 1) + 10;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<text x=\"4\" y=\"18\" font-weight=\"bold\">{}: {unit}</text>\n",
        LEFT + WIDTH + 80,
        workload.as_str(),
    );
    for (number, row) in rows.iter().enumerate() {
        bar(&mut svg, row, LINE * (number + 1), greatest);
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, row: &Row, top: usize, greatest: f64) {
    let length = |value: f64| (value / greatest * WIDTH as f64).round();
    let fill = if row.peer.starts_with("ours") { "#2a7" } else { "#99a" };
    let text = top + 17;
    let _ = writeln!(svg, "<text x=\"4\" y=\"{text}\">{}</text>", row.peer);
    let Some(Spread { median, min, max }) = row.headline else {
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{text}\" fill=\"#999\">failed</text>");
        return;
    };
    let (bar, middle) = (top + 4, top + 13);
    let (from, to) = (LEFT as f64 + length(min), LEFT as f64 + length(max));
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{bar}\" width=\"{}\" height=\"18\" fill=\"{fill}\"/>\n\
         <line x1=\"{from}\" x2=\"{to}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#333\"/>\n\
         <text x=\"{}\" y=\"{text}\">{}</text>",
        length(median),
        to + 6.0,
        if median < 10.0 { format!("{median:.2}") } else { format!("{median:.0}") },
    );
}

const COLOURS: [&str; 6] = ["#555", "#c60", "#06c", "#90c", "#c8a", "#2a7"];

/// Lines over a scale whose steps are equal factors, on both axes.
pub(crate) fn curves(title: &str, places: &[u64], curves: &[(&str, Vec<Option<f64>>)]) -> String {
    const HEIGHT: f64 = 300.0;
    let all = || curves.iter().flat_map(|(_, curve)| curve.iter().flatten().copied());
    let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN_POSITIVE, f64::max));
    let share = |value: f64, from: f64, to: f64| (value / from).ln() / (to / from).ln();
    let (first, last) = (places.first().copied().unwrap_or(1), places.last().copied().unwrap_or(2));
    let x = |place: u64| 60.0 + share(place as f64, first as f64, last as f64) * WIDTH as f64;
    let y = |value: f64| 30.0 + (1.0 - share(value, least, most)) * HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"380\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<text x=\"4\" y=\"18\" font-weight=\"bold\">{title}</text>\n",
        WIDTH + 190,
    );
    for place in places {
        let _ = writeln!(svg, "<text x=\"{:.0}\" y=\"360\" text-anchor=\"middle\">{place}</text>", x(*place));
    }
    for value in (0..6).map(|power| 10_f64.powi(power)).filter(|value| (least..=most).contains(value)) {
        let at = y(value);
        let _ = writeln!(
            svg,
            "<text x=\"4\" y=\"{at:.0}\">{value:.0}</text>\n\
             <line x1=\"50\" x2=\"{}\" y1=\"{at:.0}\" y2=\"{at:.0}\" stroke=\"#eee\"/>",
            WIDTH + 60
        );
    }
    for ((peer, curve), colour) in curves.iter().zip(COLOURS) {
        let points: Vec<_> =
            places.iter().zip(curve).filter_map(|(place, rate)| Some((x(*place), y((*rate)?)))).collect();
        let path: String = points.iter().map(|(x, y)| format!("{x:.0},{y:.0} ")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.trim_end()
        );
        if let Some((x, y)) = points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.0}\" fill=\"{colour}\">{}</text>",
                x + 6.0,
                y + 4.0,
                peer
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
