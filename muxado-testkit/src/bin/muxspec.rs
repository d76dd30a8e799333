//! `muxspec`: the conformance suite as a program. Which arguments it takes, what it prints, and what its exit codes say.
#![forbid(unsafe_code)]

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use muxado_testkit::spec::{Options, Report, Side, Source, Verdict, is_row, run};
use pico_args::Arguments;

const HELP: &str = "\
muxspec HOST:PORT --role client|server [options]

Plays the rows of docs/behaviour.md against a muxado v2 peer over TCP, and says where it does something else.

  --role client    play the client: dial HOST:PORT, once for each case
  --role server    play the server: listen on HOST:PORT; the peer dials in again and again, one session for each
                   connection, until it is refused
  --only S45,S23   only these rows
  --json           the findings as JSON
  --peer-opens     the peer opens streams itself, see below
  --limit SECONDS  how long to wait for what must happen (default 3)
  --jobs N         cases at the same time (default 16)
  --max-frame N    the most payload in one DATA frame of the peer's (default 16384)

The peer's application must be an echo: it accepts every stream, each in a task of its own, sends back what it reads as
it comes, not only at the end, and finishes its direction when the other one has ended. A stream that fails is dropped.
The initial window is 262144 bytes, and at least 100 streams can be open at once.

With --peer-opens it also opens one stream at the start of each session, writes some bytes, and treats it as an echo
like any other.

Exit code: 0 if nothing differs, 1 if something does, 2 if it could not be played.
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let json = arguments.contains("--json");
    match play(arguments) {
        Ok(report) => {
            println!("{}", if json { report.to_json() } else { report.to_string() });
            verdict(&report)
        }
        Err(message) => {
            eprintln!("muxspec: {message}; --help says more");
            ExitCode::from(2)
        }
    }
}

fn verdict(report: &Report) -> ExitCode {
    if report.count(Verdict::Differs) > 0 {
        ExitCode::FAILURE
    } else if report.count(Verdict::NotPlayed) > 0 || report.findings.is_empty() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

fn play(mut arguments: Arguments) -> Result<Report, String> {
    let role: String = arguments.value_from_str("--role").map_err(|error| error.to_string())?;
    let role = match role.as_str() {
        "client" => Side::Client,
        "server" => Side::Server,
        other => return Err(format!("`{other}` is no role")),
    };
    let mut options = Options::new(role);
    options.peer_opens = arguments.contains("--peer-opens");
    if let Some(seconds) = option::<f64>(&mut arguments, "--limit")? {
        options.limit = Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|limit| !limit.is_zero() && limit.as_secs() < 1000)
            .ok_or("--limit: some seconds, please")?;
    }
    if let Some(jobs) = option(&mut arguments, "--jobs")? {
        options.jobs = jobs;
    }
    if let Some(max_frame) = option(&mut arguments, "--max-frame")? {
        options.max_frame = max_frame;
    }
    if let Some(only) = option::<String>(&mut arguments, "--only")? {
        options.only = only.split(',').map(|row| row.trim().to_uppercase()).collect();
        if let Some(row) = options.only.iter().find(|row| !is_row(row)) {
            return Err(format!("--only: there is no row `{row}`"));
        }
    }
    let address: String = arguments.free_from_str().map_err(|_| "an address is missing")?;
    if let Some(left) = arguments.finish().first() {
        return Err(format!("unknown argument {left:?}"));
    }
    let source = match role {
        Side::Client => Source::dial(&address),
        Side::Server => TcpListener::bind(&address).and_then(Source::listen),
    };
    Ok(run(&source.map_err(|error| format!("{address}: {error}"))?, &options))
}

fn option<T>(arguments: &mut Arguments, name: &'static str) -> Result<Option<T>, String>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    arguments.opt_value_from_str(name).map_err(|error| format!("{name}: {error}"))
}
