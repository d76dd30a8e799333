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
    let mut arguments = pico_args::Arguments::from_env();
    let address: String =
        arguments.free_from_str().context("an address is missing, such as 127.0.0.1:7000")?;
    if let Some(unknown) = arguments.finish().first() {
        bail!("unknown argument {unknown:?}");
    }
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);
    serve::all(listener, muxado_sniff::Limits::new()).await
}
