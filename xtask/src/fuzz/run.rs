//! Runs the targets, some at a time, and says what came of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::build::scratch;
use super::corpus::{MAX_LEN, committed, folder, found};
use super::report::{HEAD, Report};

/// Seconds that one input may take before that is a find of its own.
const TIMEOUT: &str = "-timeout=10";

/// Megabytes that the process may take before that is a find of its own.
const MEMORY: &str = "-rss_limit_mb=1024";

struct Running {
    target: &'static str,
    log: PathBuf,
    process: Child,
}

pub(super) fn run(
    root: &Path,
    programs: &Path,
    targets: &[&'static str],
    minutes: f64,
    jobs: usize,
) -> Result<(), String> {
    let seconds = (minutes * 60.0).ceil() as u64;
    let mut waiting = targets.iter().copied();
    let mut running: Vec<Running> = Vec::new();
    let mut reports = Vec::new();
    loop {
        while running.len() < jobs {
            let Some(target) = waiting.next() else { break };
            let started = start(root, programs, target, seconds)?;
            println!("fuzz: {target} for {seconds} s, its log is {}", started.log.display());
            running.push(started);
        }
        if running.is_empty() {
            break;
        }
        // All take the same time, so the first is the next to end, unless another finds something before.
        let mut done = running.remove(0);
        done.process.wait().map_err(|error| format!("fuzz: {}: {error}", done.target))?;
        let log = fs::read(&done.log).map_err(|error| format!("fuzz: {}: {error}", done.log.display()))?;
        let report = Report::read(&String::from_utf8_lossy(&log));
        if report.executions == 0 {
            return Err(format!("fuzz: {} did not run; see {}", done.target, done.log.display()));
        }
        reports.push((done.target, report));
    }
    println!("\n{HEAD}");
    for (target, report) in &reports {
        println!("{}", report.row(target));
    }
    let finds: Vec<String> = reports
        .iter()
        .filter_map(|(target, report)| Some(tell(programs, target, report.find.as_ref()?)))
        .collect();
    if finds.is_empty() { Ok(()) } else { Err(finds.concat()) }
}

fn start(root: &Path, programs: &Path, target: &'static str, seconds: u64) -> Result<Running, String> {
    let crashes = folder(root.join("fuzz/crashes").join(target))?;
    let log = folder(scratch(root).join("logs"))?.join(format!("{target}.log"));
    let file = File::create(&log).map_err(|error| format!("fuzz: {}: {error}", log.display()))?;
    let process = Command::new(programs.join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args([MAX_LEN, TIMEOUT, MEMORY])
        // New inputs go into the first folder.
        .args([found(root, target)?, folder(committed(root, target))?])
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(|error| format!("fuzz: cannot start {target}: {error}"))?;
    Ok(Running { target, log, process })
}

/// What was found, how to see it again, and what to do with it.
fn tell(programs: &Path, target: &str, (file, said): &(String, String)) -> String {
    format!(
        "\nfuzz: {target} found something:\n{said}\n\
         Again:   {} {file}\n\
         Smaller: the same with -minimize_crash=1 -max_total_time=60\n\
         `cargo test -p muxado-testkit --test corpus` fails until it is fixed. Then make it a test of its own.\n",
        programs.join(target).display()
    )
}
