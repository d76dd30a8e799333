//! What one measurement consists of: work done, time, and the CPU time of the whole process.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The figures of one run of a workload. Both ends are in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// What was done, in the workload's own unit: bytes, streams or messages.
    pub(crate) amount: u64,
    pub(crate) seconds: f64,
    /// User and system time of all threads; none where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
    /// The most memory that the process had, in bytes; none where the system does not tell.
    pub(crate) peak_memory: Option<u64>,
    /// What else the workload found out, by name and unit.
    pub(crate) figures: BTreeMap<String, f64>,
}

impl Measurement {
    /// With one more figure.
    pub(crate) fn with(mut self, name: &str, value: f64) -> Measurement {
        self.figures.insert(name.to_owned(), value);
        self
    }

    /// With the median, the 99th percentile and the longest of these times, in microseconds.
    pub(crate) fn with_times(self, mut times: Vec<Duration>) -> Measurement {
        times.sort_unstable();
        let at = |share| percentile(&times, share);
        let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
        self.with("p50 us", p50).with("p99 us", p99).with("max us", max)
    }
}

/// The one of these sorted times that this share of them does not exceed, in microseconds.
pub(crate) fn percentile(times: &[Duration], share: f64) -> f64 {
    let index = (times.len() as f64 * share) as usize;
    times.get(index.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

/// Runs from when it is made.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    start: Instant,
    cpu: Option<f64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { cpu: cpu_seconds(), start: Instant::now() }
    }

    pub(crate) fn stop(self, amount: u64) -> Measurement {
        let seconds = self.start.elapsed().as_secs_f64();
        let cpu_seconds = self.cpu.zip(cpu_seconds()).map(|(before, after)| after - before);
        Measurement { amount, seconds, cpu_seconds, peak_memory: memory("VmHWM:"), figures: BTreeMap::new() }
    }
}

#[cfg(target_os = "linux")]
fn cpu_seconds() -> Option<f64> {
    cpu_of_stat(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn cpu_seconds() -> Option<f64> {
    None
}

/// What the process holds in memory now, in bytes.
pub(crate) fn resident() -> Option<u64> {
    memory("VmRSS:")
}

/// How many bytes more that is than it was, if that is known.
pub(crate) fn grown_since(before: Option<u64>) -> f64 {
    resident().zip(before).map_or(f64::NAN, |(now, before)| now.saturating_sub(before) as f64)
}

/// A line of `/proc/self/status`, which is in KiB.
fn memory(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|text| text.strip_prefix(line))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// User and system time from `/proc/PID/stat`, where they are the fields 14 and 15, in ticks of 1/100 s. The second
/// field is the program's name in parentheses and may contain anything.
#[cfg(any(target_os = "linux", test))]
fn cpu_of_stat(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_program_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 3 0 99 1 2 3";
        assert_eq!(cpu_of_stat(stat), Some(1.75));
    }

    #[test]
    fn text_of_another_form_gives_nothing() {
        for text in ["", "7 (a) S 1", "7 (a) S 1 2 3 4 5 6 7 8 9 10 x y"] {
            assert_eq!(cpu_of_stat(text), None, "{text}");
        }
    }
}
