//! One measure counted: its work is done under callgrind in a process of its own, and only what the function `counted`
//! does is counted.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::measure::{Measure, Tally};

/// Has glibc copy with ordinary instructions, whatever the processor. A `rep movsb` counts as one for each byte under
/// callgrind, and drowns everything else.
const TUNABLES: &str = "glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000:\
    glibc.cpu.x86_non_temporal_threshold=0x40000000";

/// The cost of one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    pub(crate) calls: f64,
    /// Bytes that a hostile peer has sent for it.
    pub(crate) wire: f64,
}

/// What this machine lacks to count instructions.
pub(crate) fn missing() -> Option<&'static str> {
    let asked = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match asked {
        Ok(status) if status.success() => None,
        _ => Some("no valgrind here: apt-get install valgrind"),
    }
}

/// Two at a time: what is counted does not depend on who else runs.
pub(crate) fn all(measures: &[&'static Measure]) -> Result<Vec<(&'static Measure, Cost)>, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let count = |measure: &'static Measure| {
        let cost = count(&program, measure).map_err(|error| format!("{}: {error}", measure.name))?;
        Ok((measure, cost))
    };
    let mut costs = Vec::with_capacity(measures.len());
    for pair in measures.chunks(2) {
        let counted: Vec<Result<_, String>> = thread::scope(|scope| {
            let threads: Vec<_> = pair.iter().map(|measure| scope.spawn(|| count(measure))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("panicked".into())))
                .collect()
        });
        for cost in counted {
            costs.push(cost?);
        }
    }
    Ok(costs)
}

fn count(program: &Path, measure: &Measure) -> Result<Cost, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*::counted*"])
        .arg(program)
        .args(["child", measure.name, &measure.amount.to_string()])
        // Nothing else in the environment may move the count.
        .env_clear()
        .env("GLIBC_TUNABLES", TUNABLES)
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, said.trim()).into());
    }
    let instructions = collected(&said).filter(|count| *count > 0).ok_or("callgrind has counted nothing")?;
    let tally: Tally = String::from_utf8_lossy(&output.stdout).parse()?;
    let each = |count: u64| count as f64 / measure.amount as f64;
    Ok(Cost { instructions: each(instructions), calls: each(tally.calls), wire: each(tally.wire) })
}

/// The number in callgrind's line `==7== Collected : 12345`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_what_callgrind_says() {
        assert_eq!(collected("==7== \n==7== Events    : Ir\n==7== Collected : 12345\n==7==\n"), Some(12345));
        assert_eq!(collected("==7== Events    : Ir\n"), None);
    }
}
