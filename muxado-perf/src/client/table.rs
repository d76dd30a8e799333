//! The report for people: one table of rates, one of times.

use std::fmt;

use super::link::Over;
use super::report::{Measured, Rate, Report};
use super::test::Test;

pub(super) struct Table<'r>(pub(super) &'r Report);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        if report.results.iter().any(|measured| measured.upload.or(measured.download).is_some()) {
            writeln!(f, "{}", rate_header())?;
            for measured in &report.results {
                for (direction, rate) in [("up", measured.upload), ("down", measured.download)] {
                    if let Some(rate) = rate {
                        writeln!(f, "{}", rate_row(report, measured, direction, rate))?;
                    }
                }
            }
            writeln!(f)?;
        }
        if report.results.iter().any(|measured| measured.exchanges.is_some()) {
            writeln!(f, "{}", time_header())?;
            for measured in &report.results {
                if let Some(rate) = measured.exchanges {
                    writeln!(f, "{}", time_row(measured, rate))?;
                }
            }
            writeln!(f)?;
        }
        if let (Some(server), client) = (report.server_settings, report.client_settings) {
            if server != client {
                writeln!(
                    f,
                    "The two ends have different settings.\n  server  {server:?}\n  client  {client:?}\n"
                )?;
            }
        }
        Ok(())
    }
}

fn rate_header() -> String {
    format!(
        "{:<20} {:>7} {:>10} {:>10} {:>8} {:>9} {:>8}",
        "throughput", "streams", "MiB/s", "Mbit/s", "of TCP", "CPU s/GiB", "seconds"
    )
}

fn rate_row(report: &Report, measured: &Measured, direction: &str, rate: Rate) -> String {
    let both = measured.upload.zip(measured.download).is_some();
    let name = if both { format!("{} {direction}", name(measured)) } else { name(measured) };
    let over_tcp =
        raw(report, measured).and_then(|raw| if direction == "up" { raw.upload } else { raw.download });
    let of_tcp = over_tcp
        .filter(|raw| raw.total > 0)
        .map(|raw| format!("{:.0} %", 100.0 * rate.per_second / raw.per_second));
    // The process's, so in all that it moved.
    let moved: u64 = [measured.upload, measured.download].into_iter().flatten().map(|rate| rate.total).sum();
    let cpu = measured.cpu_seconds.filter(|_| moved > 0);
    let cpu = cpu.map(|cpu| format!("{:.2}", cpu / (moved as f64 / f64::from(1 << 30))));
    let line = format!(
        "{name:<20} {:>7} {:>10.2} {:>10.2} {:>8} {:>9} {:>8.2}",
        measured.streams,
        rate.per_second / f64::from(1 << 20),
        rate.per_second * 8.0 / 1e6,
        of_tcp.unwrap_or_default(),
        cpu.unwrap_or_default(),
        measured.seconds,
    );
    row(line, measured)
}

fn time_header() -> String {
    format!(
        "{:<20} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "time in us", "count", "a second", "p50", "p90", "p99", "p99.9", "max", "CPU us"
    )
}

fn time_row(measured: &Measured, rate: Rate) -> String {
    let mut line = format!("{:<20} {:>9} {:>9.0}", name(measured), rate.total, rate.per_second);
    if let Some(times) = measured.latency_us {
        for time in [times.p50, times.p90, times.p99, times.p999, times.max] {
            line += &format!(" {time:>9.0}");
        }
    }
    // Beside bulk it is the bulk's.
    if let (None, Some(cpu), 1..) = (measured.upload, measured.cpu_seconds, rate.total) {
        line += &format!(" {:>8.1}", 1e6 * cpu / rate.total as f64);
    }
    row(line, measured)
}

fn name(measured: &Measured) -> String {
    match (measured.over, measured.test) {
        (Over::Tcp, test) => format!("{} TCP", test.name()),
        (Over::Muxado, Test::Streams) => format!("{} x{}", Test::Streams.name(), measured.streams),
        (Over::Muxado, test) => test.name().to_owned(),
    }
}

/// The same over raw TCP.
fn raw<'r>(report: &'r Report, measured: &Measured) -> Option<&'r Measured> {
    let same = |other: &&Measured| other.over == Over::Tcp && other.test == measured.test;
    report.results.iter().find(same).filter(|_| measured.over == Over::Muxado)
}

fn row(line: String, measured: &Measured) -> String {
    if measured.complete { line } else { line + "   cut short" }
}
