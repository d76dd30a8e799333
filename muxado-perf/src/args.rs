//! What the command line says.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use pico_args::Arguments;

use crate::client::{self, Amount, Clock, Test};
use crate::protocol::MAX_WRITE;
use crate::secure::{Identity, Trust};
use crate::server::{self, Limits};
use crate::settings::Settings;

pub(crate) const USAGE: &str = "\
muxado-perf measures what a link gives to muxado sessions. Start the server at one end, the client at the other.

muxado-perf server [options]
  --listen ADDR           where clients connect (default 127.0.0.1:7007; 0.0.0.0:7007 for other machines)
  --raw ADDR              takes raw TCP there, for clients with --raw
  --cert FILE --key FILE  over TLS, with this certificate
  --max-sessions N        clients at once (default 8)
  --max-seconds N         how long a client may stay (default 600)
  --max-streams N         streams at once for each client (default 256)

muxado-perf client [ADDR] [options]          ADDR is HOST:PORT of the server (default 127.0.0.1:7007)
  --test NAMES            only these, with commas between (default: all, in this order)
                            upload    bulk to the server            download  bulk from the server
                            both      the two at once               streams   opened, used once, ended; many at once
                            latency   small messages                loaded    the same beside bulk both ways
  --seconds S             how long each is measured (default 5)
  --warm-up S             what goes before and does not count (default 1)
  --bytes N               ends upload, download and both after so many bytes each way, not by the clock
  --count N               ends streams, latency and loaded after so many streams or messages, not by the clock
  --streams N             streams for bulk, in each direction (default 1)
  --in-flight N           streams at once in the test of streams (default 64)
  --message N             bytes of a message, up to 16K (default 64)
  --write N               bytes of a write of bulk, up to 1M (default 64K)
  --raw                   does each test but streams over raw TCP too, one connection for each direction
  --ca FILE [--name NAME] over TLS, to a server with a certificate of this authority, for NAME
  --json                  the report as JSON

The settings of a session, to be tried at either end; bytes, and as by default unless given:
  --window N              must be the same at both ends
  --extra-credit N  --max-frame N  --send-queue N  --session-send-queue N

Numbers of bytes may end with K, M or G. Progress goes to standard error, the report to standard output. Ctrl-c ends a
test, and what was measured until then is reported. Exit codes: 0 all is well, 1 something failed, 2 wrong arguments.
--version says which muxado-perf this is.";

/// Where a server listens and a client connects unless told otherwise: this machine alone.
const ADDRESS: &str = "127.0.0.1:7007";

/// The longest message, in bytes. So much a writer may queue without anybody's credit, so nobody gets stuck on it.
const MAX_MESSAGE: u32 = 16 * 1024;

/// The longest test, in seconds. Enough for a night, and nothing overflows.
const MAX_SECONDS: f64 = 100_000.0;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Version,
    Server(server::Options),
    Client(client::Options),
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Reads the arguments that follow the program's name. The error is for people.
pub(crate) fn parse(args: Vec<OsString>) -> std::result::Result<Command, String> {
    let mut args = Arguments::from_vec(args);
    let command = read(&mut args).map_err(|error| error.to_string())?;
    match args.finish().first() {
        Some(left) if !matches!(command, Command::Help | Command::Version) => {
            Err(format!("`{}` is not expected here", left.to_string_lossy()))
        }
        _ => Ok(command),
    }
}

fn read(args: &mut Arguments) -> Result<Command> {
    if args.contains(["-h", "--help"]) {
        return Ok(Command::Help);
    }
    if args.contains(["-V", "--version"]) {
        return Ok(Command::Version);
    }
    match args.subcommand()?.as_deref() {
        Some("server") => server(args),
        Some("client") => client(args),
        Some("help") => Ok(Command::Help),
        Some(other) => Err(format!("there is no command `{other}`: there are server and client").into()),
        None => Err("a command is missing: server or client".into()),
    }
}

fn server(args: &mut Arguments) -> Result<Command> {
    let limits = Limits::default();
    let identity = match (file(args, "--cert")?, file(args, "--key")?) {
        (Some(cert), Some(key)) => Some(Identity { cert, key }),
        (None, None) => None,
        _ => return Err("--cert and --key go together".into()),
    };
    Ok(Command::Server(server::Options {
        listen: value(args, "--listen", address)?.unwrap_or_else(|| ADDRESS.to_owned()),
        raw: value(args, "--raw", address)?,
        identity,
        limits: Limits {
            sessions: number(args, "--max-sessions", limits.sessions as u64)? as usize,
            seconds: number(args, "--max-seconds", limits.seconds)?,
            streams: number(args, "--max-streams", limits.streams as u64)? as usize,
        },
        settings: settings(args)?,
    }))
}

fn client(args: &mut Arguments) -> Result<Command> {
    let trust = match (file(args, "--ca")?, args.opt_value_from_str("--name")?) {
        (Some(ca), name) => Some(Trust { ca, name }),
        (None, Some(_)) => return Err("--name needs --ca: there is no certificate without TLS".into()),
        (None, None) => None,
    };
    let tests = value(args, "--test", |names| names.split(',').map(str::parse).collect())?;
    let amount = Amount {
        clock: Clock {
            warm_up: value(args, "--warm-up", seconds)?.unwrap_or(Duration::from_secs(1)),
            duration: value(args, "--seconds", seconds)?.unwrap_or(Duration::from_secs(5)),
        },
        bytes: value(args, "--bytes", bytes)?,
        count: value(args, "--count", at_least_one)?,
    };
    if amount.clock.duration.is_zero() {
        return Err("--seconds: nothing can be measured in no time".into());
    }
    let settings = settings(args)?;
    // What a stream is for goes out in one frame, which only this end sends.
    if settings.send_queue.min(settings.window.min(settings.max_frame) as usize) < 4 {
        return Err("--window, --max-frame and --send-queue: at least 4 bytes each for a client".into());
    }
    Ok(Command::Client(client::Options {
        trust,
        tests: tests.unwrap_or_else(|| Test::ALL.to_vec()),
        amount,
        streams: number(args, "--streams", 1)? as usize,
        in_flight: number(args, "--in-flight", 64)? as usize,
        message: at_most(args, "--message", 64, MAX_MESSAGE)?,
        write: at_most(args, "--write", 64 * 1024, MAX_WRITE)?,
        raw: args.contains("--raw"),
        json: args.contains("--json"),
        settings,
        // Last: what is left is not the value of an option.
        server: args.opt_free_from_fn(free_address)?.unwrap_or_else(|| ADDRESS.to_owned()),
    }))
}

fn settings(args: &mut Arguments) -> Result<Settings> {
    let default = Settings::default();
    let mut size = |name, default: usize| -> Result<usize> {
        Ok(usize::try_from(value(args, name, bytes_or_none)?.unwrap_or(default as u64))?)
    };
    let settings = Settings {
        extra_credit: size("--extra-credit", default.extra_credit)?,
        send_queue: size("--send-queue", default.send_queue)?,
        session_send_queue: size("--session-send-queue", default.session_send_queue)?,
        window: at_most(args, "--window", default.window, u32::MAX)?,
        max_frame: at_most(args, "--max-frame", default.max_frame, u32::MAX)?,
    };
    // Told here, and not when the first session begins.
    settings.config(1)?;
    Ok(settings)
}

/// What an option says. The error names it: in a long line the value alone may be anywhere.
fn value<T, E: Display>(
    args: &mut Arguments,
    name: &'static str,
    read: fn(&str) -> std::result::Result<T, E>,
) -> Result<Option<T>> {
    args.opt_value_from_fn(name, read).map_err(|error| match error {
        pico_args::Error::Utf8ArgumentParsingFailed { value, cause } => {
            format!("{name} {value}: {cause}").into()
        }
        other => other.into(),
    })
}

fn file(args: &mut Arguments, option: &'static str) -> Result<Option<PathBuf>> {
    Ok(args.opt_value_from_os_str(option, |text| Ok::<_, String>(PathBuf::from(text)))?)
}

/// A count up to a million: more is a slip.
fn number(args: &mut Arguments, name: &'static str, default: u64) -> Result<u64> {
    match value(args, name, at_least_one)?.unwrap_or(default) {
        number if number > 1_000_000 => Err(format!("{name}: at most 1000000").into()),
        number => Ok(number),
    }
}

fn at_most(args: &mut Arguments, name: &'static str, default: u32, most: u32) -> Result<u32> {
    let asked = value(args, name, bytes)?.unwrap_or(default.into());
    match u32::try_from(asked) {
        Ok(asked) if asked <= most => Ok(asked),
        _ => Err(format!("{name}: at most {most} bytes").into()),
    }
}

/// Whether the host exists is found out by connecting to it.
fn address(text: &str) -> std::result::Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("it is not HOST:PORT"),
    }
}

/// Options that there are were taken before.
fn free_address(text: &str) -> std::result::Result<String, &'static str> {
    if text.starts_with('-') { Err("there is no such option") } else { address(text) }
}

fn at_least_one(text: &str) -> std::result::Result<u64, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("it is not a number from 1")
}

fn seconds(text: &str) -> std::result::Result<Duration, &'static str> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("it is not a number of seconds up to 100000")
}

fn bytes(text: &str) -> std::result::Result<u64, &'static str> {
    bytes_or_none(text)
        .ok()
        .filter(|bytes| *bytes > 0)
        .ok_or("it is not a number of bytes such as 65536 or 64K")
}

fn bytes_or_none(text: &str) -> std::result::Result<u64, &'static str> {
    let (number, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1_u64),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes.ok_or("it is not a number of bytes such as 65536 or 64K")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> std::result::Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    fn client(line: &str) -> client::Options {
        match parsed(line) {
            Ok(Command::Client(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_client_needs_nothing_but_its_name() {
        let options = client("client");
        assert_eq!((options.server.as_str(), options.tests.len()), (ADDRESS, 6));
        assert_eq!(options.amount.clock.duration, Duration::from_secs(5));
    }

    #[test]
    fn options_may_stand_on_either_side_of_the_address() {
        for line in ["client far:1 --bytes 3M --raw", "client --bytes=3m --raw far:1"] {
            let options = client(line);
            assert_eq!((options.server.as_str(), options.amount.bytes), ("far:1", Some(3 << 20)), "{line}");
            assert!(options.raw, "{line}");
        }
    }

    #[test]
    fn tests_are_done_in_the_order_in_which_they_are_named() {
        assert_eq!(client("client --test loaded,upload").tests, [Test::Loaded, Test::Upload]);
    }

    #[test]
    fn help_is_had_everywhere() {
        for line in ["--help", "-h", "help", "client --help", "server --nonsense -h"] {
            assert_eq!(parsed(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn the_version_is_told() {
        for line in ["--version", "-V", "client --version"] {
            assert_eq!(parsed(line), Ok(Command::Version), "{line}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (line, word) in [
            ("", "command"),
            ("clients", "clients"),
            ("client far", "HOST:PORT"),
            ("client far:1 near:1", "near:1"),
            ("client --sceonds 4", "no such option"),
            ("client --sceonds=far:1", "no such option"),
            ("client --test uplaod", "uplaod"),
            ("client --seconds 0", "--seconds"),
            ("client --seconds NaN", "--seconds NaN: it is not"),
            ("client --seconds 1e300", "--seconds 1e300: it is not"),
            ("client --seconds", "--seconds"),
            ("client --streams 0", "--streams 0: it is not a number from 1"),
            ("client --streams 9999999999", "--streams"),
            ("client --message 17K", "--message"),
            ("client --write 2M", "--write"),
            ("client --bytes 5T", "--bytes 5T: it is not"),
            ("client --bytes 99999999999G", "--bytes 99999999999G: it is not"),
            ("client --name x", "--ca"),
            ("client --window 4G", "--window"),
            ("client --window 3G", "window of 3221225472 bytes"),
            ("client --max-frame 16M", "max_frame"),
            ("client --max-frame 3", "at least 4 bytes"),
            ("client --send-queue 3", "at least 4 bytes"),
            ("client --window 3", "at least 4 bytes"),
            ("server --cert x", "--key"),
            ("server --listen 7007", "HOST:PORT"),
            ("server --seconds 4", "--seconds"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }
}
