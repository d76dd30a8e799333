//! What a live session does, refreshed each second: which streams move, and what the others wait for.
//!
//! `cargo run --release -p muxado-tokio --example top -- demo` makes its own two ends, and streams between them that are
//! fast, slow and stuck. In a program of yours, give `screen::follow` a session. Ctrl-c ends it.
//!
//! Lines are 100 characters wide, or as many as the variable COLUMNS says. If the output is not a terminal, it prints one
//! picture and ends.

// The tests see into these.
pub(crate) mod demo;
pub(crate) mod screen;

use std::io::IsTerminal;
use std::process::ExitCode;

use muxado_tokio::ErrorCode;

const USAGE: &str = "top demo    two ends in this process, with fast, slow and stuck streams between them\n";

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("demo") {
        print!("{USAGE}");
        return ExitCode::from(2);
    }
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let demo = demo::Demo::start().await?;
    let ends = [("client", &demo.client), ("server", &demo.server)];
    if std::io::stdout().is_terminal() {
        tokio::select! {
            followed = screen::follow(&ends) => followed?,
            stopped = tokio::signal::ctrl_c() => stopped?,
        }
    } else {
        demo.settled().await;
        print!("{}", screen::Screen::new(screen::width()).picture(&ends));
    }
    demo.client.close(ErrorCode::NO_ERROR, "bye").await;
    Ok(())
}
