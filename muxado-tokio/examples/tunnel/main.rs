//! A reverse tunnel: makes a service behind NAT reachable at a public address.
//!
//! ```text
//! users ══TCP══▶ tunnel server ◀══ one muxado session ══ tunnel client ══TCP══▶ local service
//!       --public              --control          --server             --local
//! ```
//!
//! `cargo run --release -p muxado-tokio --example tunnel -- demo` runs all of it in one process. `--help` in place of `demo`
//! says how to run the parts alone, and the README of the repository shows it.
//!
//! The client dials out and keeps one connection. Each connection that the server accepts becomes one stream on it,
//! opened by the server, and the client connects that stream to the local service. This file picks the command;
//! `server`, `client` and `relay` are the tunnel, and `demo` shows it at work.
//!
//! With TLS and a secret (`secure`, `login`) nobody uses it uninvited; without them, run it over a network you trust. The
//! client opens the first stream, to log in: on a port that others share, `muxado-sniff` can tell it by that.

// The tests see into these.
pub(crate) mod args;
pub(crate) mod client;
pub(crate) mod demo;
pub(crate) mod secure;
pub(crate) mod server;

mod login;
mod relay;
mod stop;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use muxado_tokio::Config;

use args::Command;
use client::Client;
use server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os().skip(1).collect()) {
        Ok(command) => command,
        Err(error) => {
            log(error);
            log(args::USAGE);
            return ExitCode::from(2);
        }
    };
    // Each connection is an open file or two, and some systems start with 256. Too few will be told when it happens.
    _ = rlimit::increase_nofile_limit(u64::MAX);
    match run(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help => writeln!(io::stdout(), "{}", args::USAGE).context("cannot print"),
        Command::Server { public, control, guard } => {
            let server = Server::bind(&public, &control, &guard).await?;
            log(format_args!("accepting users on {}", server.public()?));
            log(format_args!("accepting tunnel clients on {}", server.control()?));
            if guard.is_open() {
                log("anybody who reaches that address can be a client: see --secret and --client-ca");
            }
            server.run(stop::ctrl_c()).await
        }
        Command::Client { server, local, pass } => {
            let client = Client::connect(&server, &pass).await?;
            log(format_args!("connected to {server}, forwarding to {local}"));
            let stats = client.run(&local, stop::ctrl_c()).await?;
            let s = if stats.accepted == 1 { "" } else { "s" };
            log(format_args!("carried {} connection{s}", stats.accepted));
            Ok(())
        }
        Command::Files { listen, folder } => {
            let files = demo::http::FileServer::bind(&listen, folder).await?;
            log(format_args!("serving files on http://{}/", files.address()?));
            files.run(stop::ctrl_c()).await
        }
        Command::Demo { folder, connections } => {
            let report = demo::run(folder, connections, stop::ctrl_c()).await?;
            writeln!(io::stdout(), "{report}").context("cannot print")?;
            report.verdict()
        }
    }
}

/// The settings of both ends. Each knows that the other goes on after GOAWAY, so an end that leaves can say so early.
fn config() -> anyhow::Result<Config> {
    Ok(Config::builder().peer_drains(true).build()?)
}

/// One line for whoever runs the program. That nobody may be left to read it is no reason to fail.
fn log(line: impl Display) {
    _ = writeln!(io::stderr(), "{line}");
}
