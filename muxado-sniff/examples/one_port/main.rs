//! HTTP/1, HTTP/2, gRPC, TLS, SSH and muxado on one port.
//!
//! `cargo run -p muxado-sniff --features hpack,tonic --example one_port -- 127.0.0.1:7000`, and then for instance
//!
//! - `curl http://127.0.0.1:7000/`, and once more with `--http2-prior-knowledge`;
//! - `curl --insecure https://127.0.0.1:7000/`, where HTTP is told apart once more inside TLS;
//! - `cargo run -p muxado-tokio --example echo -- --say hello 127.0.0.1:7000`;
//! - `ssh -p 7000 127.0.0.1`, which meets a banner and no more;
//! - `nc 127.0.0.1 7000`, and nothing typed: after ten seconds whoever is silent gets the time.

mod serve;

use anyhow::{Context, bail};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = pico_args::Arguments::from_env();
    let address = match arguments.finish().as_slice() {
        [address] if !address.to_string_lossy().starts_with('-') => address.to_string_lossy().into_owned(),
        _ => bail!("usage: one_port HOST:PORT"),
    };
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);
    serve::all(listener, muxado_sniff::Limits::new()).await
}
