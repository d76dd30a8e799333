//! What is shown while a test runs: one line that changes on a terminal, a line for each second elsewhere. On standard
//! error, so that standard output is the report alone.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use super::course::Interval;
use crate::log;

#[derive(Debug)]
pub(super) struct Progress {
    /// The test.
    name: String,
    to: To,
}

#[derive(Debug)]
enum To {
    Terminal(ProgressBar),
    Lines,
    #[cfg(test)]
    Nobody,
}

impl Progress {
    pub(super) fn of(name: String) -> Progress {
        let to = if stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.set_message(name.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            To::Terminal(bar)
        } else {
            To::Lines
        };
        Progress { name, to }
    }

    #[cfg(test)]
    pub(super) fn silent() -> Progress {
        Progress { name: String::new(), to: To::Nobody }
    }

    /// What the last second brought.
    pub(super) fn show(&self, since: Duration, interval: &Interval, note: &str) {
        let line = line(&self.name, since, interval, note);
        match &self.to {
            To::Terminal(bar) => bar.set_message(line),
            To::Lines => log(line),
            #[cfg(test)]
            To::Nobody => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let To::Terminal(bar) = &self.to {
            bar.finish_and_clear();
        }
    }
}

fn line(name: &str, since: Duration, interval: &Interval, note: &str) -> String {
    let each_second = |count: u64| count as f64 / interval.seconds;
    let mut line = format!("{name:<22} {:>4} s", since.as_secs());
    for (direction, bytes) in [("up", interval.upload_bytes), ("down", interval.download_bytes)] {
        if bytes > 0 {
            line += &format!("   {direction} {}/s", BinaryBytes(each_second(bytes) as u64));
        }
    }
    if interval.exchanges > 0 {
        line += &format!("   {:.0} exchanges/s", each_second(interval.exchanges));
    }
    if !note.is_empty() {
        line += &format!("   {note}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_moved() {
        let interval = Interval { seconds: 2.0, upload_bytes: 6 << 20, download_bytes: 0, exchanges: 84 };
        let line = line("loaded", Duration::from_millis(3100), &interval, "warming up");
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words.join(" "), "loaded 3 s up 3.00 MiB/s 42 exchanges/s warming up");
    }
}
