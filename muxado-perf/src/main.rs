//! Measures what a link gives to muxado sessions: throughput, streams a second, latency at rest and under load.
//!
//! One end is the server, the other the client, which says what is done and shows what came of it. This file picks the
//! command and makes an exit code of its result: 0, 1 for a failure, 2 for arguments that make no sense.

#![forbid(unsafe_code)]

mod args;
mod channel;
mod client;
mod cpu;
mod pattern;
mod protocol;
mod secure;
mod server;
mod settings;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use args::Command;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os().skip(1).collect()) {
        Ok(command) => command,
        Err(error) => {
            log(format_args!("{error}\nmuxado-perf --help says what there is"));
            return ExitCode::from(2);
        }
    };
    match run(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_ctrl_c(stop.clone()));
    match command {
        Command::Help => writeln!(io::stdout(), "{}", args::USAGE).context("cannot print"),
        Command::Version => {
            writeln!(io::stdout(), "muxado-perf {}", env!("CARGO_PKG_VERSION")).context("cannot print")
        }
        Command::Server(options) => server::run(options, stop).await,
        Command::Client(options) => client::run(options, stop).await,
    }
}

/// Ctrl-c asks for the end, and a second one does not wait for it.
async fn stop_on_ctrl_c(stop: CancellationToken) {
    if let Err(error) = tokio::signal::ctrl_c().await {
        return log(format_args!("ctrl-c will go unnoticed: {error}"));
    }
    stop.cancel();
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}

/// One line for whoever runs the program. That nobody may be left to read it is no reason to fail.
fn log(line: impl Display) {
    _ = writeln!(io::stderr(), "{line}");
}
