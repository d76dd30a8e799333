//! What a measurement asks of the kernel: one more run under strace, whose time counts for nothing.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::child;
use crate::peer::PeerName;
use crate::workload::Workload;

/// System calls of both ends, for each unit of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Calls {
    pub(crate) sends: f64,
    pub(crate) receives: f64,
    pub(crate) waits: f64,
}

const SENDS: &[&str] = &["sendto", "sendmsg", "sendmmsg", "write", "writev"];
const RECEIVES: &[&str] = &["recvfrom", "recvmsg", "recvmmsg", "read", "readv"];
const WAITS: &[&str] = &["epoll_wait", "epoll_pwait", "epoll_pwait2", "futex", "poll"];

/// What this machine lacks to count them.
pub(crate) fn missing() -> Option<&'static str> {
    match Command::new("strace").arg("-V").stdout(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        _ => Some("no strace here, which --syscalls needs: apt-get install strace"),
    }
}

/// None if the peer fails.
pub(crate) fn count(program: &Path, workload: Workload, peer: PeerName) -> Option<Calls> {
    let amount = workload.amount(true);
    let counted = Command::new("strace")
        .envs(child::ENVIRONMENT)
        .args(["-f", "-c", "-o", "/dev/stderr"])
        .arg(program)
        .args(["child", workload.as_str(), peer.as_str(), &amount.to_string()])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let (_, scale) = workload.cpu_unit();
    Some(of_summary(&String::from_utf8_lossy(&counted.stderr), amount as f64 / scale))
}

/// The last column of strace's summary is the call, the fourth how often.
fn of_summary(summary: &str, units: f64) -> Calls {
    let mut calls = Calls::default();
    for line in summary.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let (Some(count), Some(name)) =
            (words.get(3).and_then(|word| word.parse::<f64>().ok()), words.last())
        else {
            continue;
        };
        for (names, sum) in
            [(SENDS, &mut calls.sends), (RECEIVES, &mut calls.receives), (WAITS, &mut calls.waits)]
        {
            if names.contains(name) {
                *sum += count / units;
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 52.20    0.824994         336      2452       721 futex
 40.76    0.644233          15       100           sendto
  4.85    0.076654          13        50         2 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    1.5                       2602           total
";
        assert_eq!(of_summary(summary, 10.0), Calls { sends: 10.0, receives: 5.0, waits: 245.2 });
    }
}
