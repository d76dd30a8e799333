//! `bench far`: throughput of one stream against the round trip, over real TCP and a line that delays every packet.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::measure::Measurement;
use crate::peer::PeerName;
use crate::plot;
use crate::report::median;
use crate::run::measured;

/// Round trips in milliseconds.
const ROUND_TRIPS: [u64; 6] = [1, 10, 25, 50, 100, 200];

const PEERS: [PeerName; 6] = [
    PeerName::Tcp,
    PeerName::CrateMuxado,
    PeerName::Yamux,
    PeerName::H2,
    PeerName::H2Default,
    PeerName::Ours,
];

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) plots: Option<std::path::PathBuf>,
    /// What a socket may hold at the most until the peer has it, if not what the system allows.
    pub(crate) send_buffer: Option<u32>,
}

/// The rates of one peer in MiB/s, one for each round trip; none where it failed.
type Curve = (&'static str, Vec<Option<f64>>);

pub(crate) fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("line/line.py");
    let program = std::env::current_exe()?;
    let (millis, rounds) = if plan.quick { (2000, 1) } else { (5000, 3) };
    let mut curves: Vec<Curve> = PEERS.map(|peer| (peer.as_str(), Vec::new())).into();
    for round_trip in ROUND_TRIPS {
        let mut rates = vec![Vec::new(); PEERS.len()];
        for _ in 0..rounds {
            for (peer, rates) in PEERS.into_iter().zip(&mut rates) {
                eprintln!("{} at {round_trip} ms", peer.as_str());
                match measure(&script, &program, plan.send_buffer, round_trip, peer, millis) {
                    Ok(measured) => {
                        rates.push(measured.amount as f64 / measured.seconds / f64::from(1 << 20));
                    }
                    // Raw TCP on the first line of all: there is no line, and there will be none.
                    Err(error) if peer == PEERS[0] && curves.iter().all(|(_, curve)| curve.is_empty()) => {
                        return Err(format!("{error}; a line needs Linux, Python, `ip` and root").into());
                    }
                    Err(error) => eprintln!("bench: {error}"),
                }
            }
        }
        for ((_, curve), rates) in curves.iter_mut().zip(rates) {
            curve.push(median(rates));
        }
    }
    print!("{}", table(&curves, millis));
    if let Some(folder) = &plan.plots {
        std::fs::create_dir_all(folder)?;
        std::fs::write(
            folder.join("far.svg"),
            plot::curves("MiB/s of one stream against the round trip in ms", &ROUND_TRIPS, &curves),
        )?;
    }
    Ok(())
}

fn measure(
    script: &Path,
    program: &Path,
    send_buffer: Option<u32>,
    round_trip: u64,
    peer: PeerName,
    millis: u64,
) -> Result<Measurement, Box<dyn Error>> {
    let delay = (round_trip as f64 / 2.0).to_string();
    let mut line = Command::new("unshare");
    line.args(["--net", "python3"]).arg(script).args(["--delay", &delay]);
    if let Some(bytes) = send_buffer {
        line.args(["--send-buffer", &bytes.to_string()]);
    }
    measured(line.arg("--").arg(program).args(["child", "far", peer.as_str(), &millis.to_string()]))
}

fn table(curves: &[Curve], millis: u64) -> String {
    let mut text = format!("MiB/s of one stream in its first {} s\n\n| peer |", millis / 1000);
    for round_trip in ROUND_TRIPS {
        let _ = write!(text, " {round_trip} ms |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(ROUND_TRIPS.len()));
    for (peer, curve) in curves {
        let _ = write!(text, "\n| {peer} |");
        for rate in curve {
            let rate = rate.map_or("failed".into(), |rate| format!("{rate:.1}"));
            let _ = write!(text, " {rate} |");
        }
    }
    text.push('\n');
    text
}
