//! Ten thousand channels over one connection, open at once, each of which says hello and hears it back.
//!
//! Run it with `cargo run --release -p muxado-tokio --example channels`; both ends are in this process.

use std::time::Instant;

use anyhow::ensure;
use muxado_tokio::{Config, ErrorCode, Listener, Session, connect_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CHANNELS: usize = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // By default a session has 256 streams of each side at a time.
    let config = Config::builder()
        .max_inbound_streams(CHANNELS)
        .max_outbound_streams(CHANNELS)
        .accept_backlog(CHANNELS)
        .build()?;
    let listener = Listener::bind_with("127.0.0.1:0", &config).await?;
    let session = connect_with(listener.local_addr()?, &config).await?;
    let (server, _) = listener.accept().await?;
    tokio::spawn(greet_all(server));

    let start = Instant::now();
    let mut channels = Vec::new();
    for _ in 0..CHANNELS {
        let mut channel = session.open().await?;
        channel.write_all(b"hello").await?;
        channels.push(channel);
    }
    for channel in &mut channels {
        let mut answer = [0; 5];
        channel.read_exact(&mut answer).await?;
        ensure!(&answer == b"hello");
    }
    println!("{CHANNELS} channels, all open at once, said hello in {:.0?}", start.elapsed());
    let start = Instant::now();
    let inspection = session.inspect();
    println!("a look at all {} of them took {:.1?}", inspection.streams.len(), start.elapsed());
    session.close(ErrorCode::NO_ERROR, "done").await;
    Ok(())
}

/// Answers each channel with what it says, and keeps it.
async fn greet_all(session: Session) -> anyhow::Result<()> {
    let mut channels = Vec::new();
    loop {
        let mut channel = session.accept().await?;
        let mut said = [0; 5];
        channel.read_exact(&mut said).await?;
        channel.write_all(&said).await?;
        channels.push(channel);
    }
}
