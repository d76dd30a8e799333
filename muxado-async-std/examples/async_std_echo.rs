//! An echo over muxado: every stream gets back what it sends, as it comes. A server that listens, and a client that dials
//! in, again whenever its session has ended, until nobody listens.
//!
//! `cargo run -p muxado-async-std --example async_std_echo -- 127.0.0.1:7000`, and with `--say hello` for a client that
//! prints what comes back. With `--client` it is the side that dials in that echoes: that and the server are what the
//! conformance suite `muxspec` plays against; with `--opens` each session also opens one stream itself.

use std::io;

use anyhow::{Context, bail};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use muxado_async_std::{Config, ErrorCode, Listener, Session, Stream};

/// The most bytes read at once.
const CHUNK: usize = 64 * 1024;

fn main() -> anyhow::Result<()> {
    async_std::task::block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let mut arguments = pico_args::Arguments::from_env();
    let say: Option<String> = arguments.opt_value_from_str("--say")?;
    let (client, opens) = (arguments.contains("--client"), arguments.contains("--opens"));
    let address = match arguments.finish().as_slice() {
        [address] if !address.to_string_lossy().starts_with('-') => address.to_string_lossy().into_owned(),
        _ => bail!("usage: async_std_echo [--say TEXT | --client] [--opens] HOST:PORT"),
    };
    if let Some(text) = say {
        return say_to(&address, &text).await;
    }
    if client {
        run_client(&address, opens).await?;
        return Ok(());
    }
    let listener = Listener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);
    run_server(listener, opens).await?;
    Ok(())
}

/// Says something over a stream, and prints the echo.
async fn say_to(address: &str, text: &str) -> anyhow::Result<()> {
    let connecting = muxado_async_std::connect(address).await;
    let session = connecting.with_context(|| format!("cannot connect to {address}"))?;
    let mut stream = session.open().await?;
    stream.write_all(text.as_bytes()).await?;
    stream.close().await?;
    let mut echo = Vec::new();
    stream.read_to_end(&mut echo).await?;
    println!("{}", String::from_utf8_lossy(&echo));
    session.close(ErrorCode::NO_ERROR, "").await;
    Ok(())
}

async fn run_server(listener: Listener, opens: bool) -> io::Result<()> {
    loop {
        let (session, _) = listener.accept().await?;
        async_std::task::spawn(echo_all(session, opens));
    }
}

/// Serves one session after the other. That there is no one to connect to any more is the end.
async fn run_client(address: &str, opens: bool) -> io::Result<()> {
    let mut sessions = 0;
    loop {
        match muxado_async_std::connect_with(address, &Config::default()).await {
            Ok(session) => echo_all(session, opens).await,
            Err(error) if sessions == 0 => return Err(error),
            Err(_) => return Ok(()),
        }
        sessions += 1;
    }
}

/// Echoes all streams of a session until it ends.
async fn echo_all(session: Session, opens: bool) {
    if opens {
        let session = session.clone();
        async_std::task::spawn(async move {
            let mut stream = session.open().await.map_err(io::Error::from)?;
            stream.write_all(b"hello").await?;
            echo(stream).await
        });
    }
    while let Ok(stream) = session.accept().await {
        async_std::task::spawn(echo(stream));
    }
}

/// Until the peer finishes. A stream that is reset is dropped, which is all there is to do about it.
async fn echo(mut stream: Stream) -> io::Result<()> {
    while let Some(chunk) = stream.read_chunk(CHUNK).await.map_err(io::Error::from)? {
        stream.write_chunk(chunk).await.map_err(io::Error::from)?;
    }
    stream.close().await
}
