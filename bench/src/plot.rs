//! A picture of each workload: a bar for each peer, as long as its median, and a line from its least to its greatest.

use std::fmt::Write as _;

use crate::report::{Row, Spread, rows};
use crate::run::Sample;
use crate::workload::{Headline, Workload};

const LINE: usize = 26;
const LEFT: usize = 120;
const WIDTH: usize = 460;

pub(crate) fn svg(workload: Workload, samples: &[Sample]) -> String {
    let rows = rows(workload, samples);
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
