//! Who is measured when: in each round every peer once, one after the other, each in a process of its own. So all of
//! them meet the same changes of the machine, and none inherits memory or threads from another.

use std::error::Error;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child;
use crate::measure::Measurement;
use crate::peer::PeerName;
use crate::syscalls::{self, Calls};
use crate::workload::Workload;

/// What to measure, how often, and where the figures go.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) syscalls: bool,
    pub(crate) rounds: usize,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) plots: Option<PathBuf>,
}

/// One measurement and where it belongs.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) workload: Workload,
    pub(crate) round: usize,
    pub(crate) peer: PeerName,
    /// The figures, or why there are none: that one peer fails is no reason to stop.
    pub(crate) outcome: Result<Measurement, String>,
}

/// The system calls of a peer at a workload, where they could be counted.
pub(crate) type Counted = (Workload, PeerName, Option<Calls>);

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) samples: Vec<Sample>,
    pub(crate) calls: Vec<Counted>,
}

pub(crate) fn all(plan: &Plan) -> Result<Results, Box<dyn Error>> {
    // Before the figures, which take long.
    if let Some(missing) = syscalls::missing().filter(|_| plan.syscalls) {
        return Err(missing.into());
    }
    let program = std::env::current_exe()?;
    let turns: Vec<_> = plan.workloads.iter().flat_map(|workload| turns(*workload, plan.rounds)).collect();
    let mut samples = Vec::with_capacity(turns.len());
    for (done, (workload, round, peer)) in turns.iter().copied().enumerate() {
        let name = format!("{} {}", workload.as_str(), peer.as_str());
        progress(&format!("[{}/{}] {name}, round {} of {}", done + 1, turns.len(), round + 1, plan.rounds));
        let outcome = in_child(&program, workload, peer, workload.amount(plan.quick));
        samples.push(Sample { workload, round, peer, outcome: outcome.map_err(|error| error.to_string()) });
    }
    let mut calls = Vec::new();
    for workload in plan.workloads.iter().filter(|_| plan.syscalls) {
        for peer in workload.peers() {
            progress(&format!("system calls of {} {}", workload.as_str(), peer.as_str()));
            calls.push((*workload, peer, syscalls::count(&program, *workload, peer)));
        }
    }
    progress("");
    Ok(Results { samples, calls })
}

/// The order of a workload's measurements. Each round starts with another peer, so that none is always the first.
fn turns(workload: Workload, rounds: usize) -> Vec<(Workload, usize, PeerName)> {
    let mut peers: Vec<_> = workload.peers().collect();
    let mut turns = Vec::new();
    for round in 0..rounds {
        turns.extend(peers.iter().map(|peer| (workload, round, *peer)));
        peers.rotate_left(1);
    }
    turns
}

fn in_child(
    program: &Path,
    workload: Workload,
    peer: PeerName,
    amount: u64,
) -> Result<Measurement, Box<dyn Error>> {
    measured(Command::new(program).envs(child::ENVIRONMENT).args([
        "child",
        workload.as_str(),
        peer.as_str(),
        &amount.to_string(),
    ]))
}

/// Runs a program that says what it has measured.
pub(crate) fn measured(program: &mut Command) -> Result<Measurement, Box<dyn Error>> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// One line that is written over on a terminal, and a log elsewhere.
fn progress(line: &str) {
    let mut to = std::io::stderr();
    // Progress that cannot be shown is no reason to stop.
    let _ = if to.is_terminal() {
        write!(to, "\r\x1b[K{line}").and_then(|()| to.flush())
    } else if line.is_empty() {
        Ok(())
    } else {
        writeln!(to, "{line}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_one_turn_in_each_round() {
        for workload in Workload::ALL {
            let turns = turns(workload, 3);
            assert_eq!(turns.len(), 3 * workload.peers().count());
            for round in 0..3 {
                for peer in workload.peers() {
                    assert_eq!(turns.iter().filter(|turn| turn.1 == round && turn.2 == peer).count(), 1);
                }
            }
        }
    }
}
