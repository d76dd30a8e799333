//! The same work without callgrind, for people: how many units a second this machine does. Nothing is held to it.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::measure::Measure;

/// So many times the amount that is counted: enough for a clock.
const TIMES: u64 = 20;

/// A line for each measure that is not a flood.
pub(crate) fn table(measures: &[&'static Measure]) -> Result<String, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let mut text = String::from("| measure | unit | thousands a second |\n|---|---|---|\n");
    for measure in measures.iter().filter(|measure| !measure.is_flood()) {
        // The difference of two runs: what a process costs to start is in both.
        let (few, many) = (
            time(&program, measure, measure.amount)?,
            time(&program, measure, measure.amount.saturating_mul(TIMES))?,
        );
        let units = measure.amount.saturating_mul(TIMES - 1) as f64;
        let rate = units / many.saturating_sub(few).as_secs_f64() / 1000.0;
        text.push_str(&format!("| {} | {} | {rate:.0} |\n", measure.name, measure.unit.as_str()));
    }
    Ok(text)
}

fn time(program: &Path, measure: &Measure, amount: u64) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    let output = Command::new(program).args(["child", measure.name, &amount.to_string()]).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", measure.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(begun.elapsed())
}
