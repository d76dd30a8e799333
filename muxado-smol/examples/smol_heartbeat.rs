//! How long the way to a peer and back takes, printed with each beat.
//!
//! `cargo run -p muxado-smol --example smol_heartbeat -- --serve 127.0.0.1:7000` answers; without `--serve` it
//! dials in and prints. `--beats N` ends after so many. Stop the server, and see what the client says.

use std::time::Duration;

use anyhow::{Context, bail};
use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_smol::{ErrorCode, Listener, Session, connect};
use muxado_typed::Typed;

/// A beat goes out so often.
const INTERVAL: Duration = Duration::from_secs(1);
/// So much later its echo may come.
const TOLERANCE: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    smol::block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let mut arguments = pico_args::Arguments::from_env();
    let serve = arguments.contains("--serve");
    let beats: u32 = arguments.opt_value_from_str("--beats")?.unwrap_or(u32::MAX);
    let address = match arguments.finish().as_slice() {
        [address] if !address.to_string_lossy().starts_with('-') => address.to_string_lossy().into_owned(),
        _ => bail!("usage: smol_heartbeat [--serve] [--beats N] HOST:PORT"),
    };
    if !serve {
        let session = connect(&address).await.with_context(|| format!("cannot connect to {address}"))?;
        return print(session, beats).await;
    }
    let listener = Listener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (session, _) = listener.accept().await?;
        smol::spawn(answer(session)).detach();
    }
}

/// Answers beats until the session ends. A server with something to do would do it with the streams accepted here.
async fn answer(session: Session) {
    let config = HeartbeatConfig::default().without_beats();
    if let Ok(heartbeat) = Heartbeat::start(Typed::new(session.clone()), config).await {
        while heartbeat.accept().await.is_ok() {}
    }
    println!("session ended: {}", session.closed().await);
}

/// Prints what each beat took. A peer that is silent for too long ends the session.
async fn print(session: Session, beats: u32) -> anyhow::Result<()> {
    let config = HeartbeatConfig::default().interval(INTERVAL).tolerance(TOLERANCE);
    let heartbeat = Heartbeat::start(Typed::new(session.clone()), config).await?;
    for beat in 0..beats {
        let rtt = match beat {
            0 => heartbeat.beat(INTERVAL + TOLERANCE).await.ok(),
            _ => heartbeat.next_rtt().await,
        };
        let Some(rtt) = rtt else { bail!("the peer is gone: {}", session.closed().await) };
        println!("{rtt:?}");
    }
    session.close(ErrorCode::NO_ERROR, "").await;
    Ok(())
}
