//! HTTP and gRPC over one session, in both directions. A client dials out, from behind a firewall perhaps, asks over a
//! stream which application it should serve, and serves that to the server, which calls it. Both ask each other's gRPC
//! health service how it is.
//!
//! `cargo run -p web --example http_over_session` plays both parts. In two places:
//! `… -- --listen 127.0.0.1:7000 --app greeter` and `… -- --connect 127.0.0.1:7000`.

mod client;
mod health;
mod server;

use anyhow::{Context, bail};
use muxado_tokio::{Listener, connect};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = pico_args::Arguments::from_env();
    let listen: Option<String> = arguments.opt_value_from_str("--listen")?;
    let address: Option<String> = arguments.opt_value_from_str("--connect")?;
    let app = arguments.opt_value_from_str("--app")?.unwrap_or_else(|| "greeter".to_owned());
    if let Some(unknown) = arguments.finish().first() {
        bail!("unknown argument {unknown:?}");
    }
    match (listen, address) {
        (None, Some(address)) => {
            let connecting = connect(&address).await;
            let session = connecting.with_context(|| format!("cannot connect to {address}"))?;
            println!("{}", client::run(session).await?);
        }
        (listen, None) => {
            let alone = listen.is_none();
            let asked = listen.as_deref().unwrap_or("127.0.0.1:0");
            let listener =
                Listener::bind(asked).await.with_context(|| format!("cannot listen on {asked}"))?;
            let address = listener.local_addr()?;
            println!("listening on {address}");
            if alone {
                tokio::spawn(async move { client::run(connect(address).await?).await });
            }
            let (session, peer) = listener.accept().await?;
            println!("{peer} is here");
            for line in server::run(session, &app).await? {
                println!("{line}");
            }
        }
        (Some(_), Some(_)) => bail!("either --listen or --connect"),
    }
    Ok(())
}
