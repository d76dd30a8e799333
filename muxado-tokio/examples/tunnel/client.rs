//! The end behind NAT: dials out, and connects each stream that comes back to the local service.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use muxado_tokio::tls::TlsOptions;
use muxado_tokio::{Session, Stats, Stream, connect_tls_with, connect_with};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::login::log_in;
use super::relay::relay;
use super::secure::Pass;
use super::{log, stop};

pub(crate) struct Client {
    session: Session,
}

impl Client {
    /// Connects to the control address of a tunnel server, and logs in.
    pub(crate) async fn connect(server: &str, pass: &Pass) -> anyhow::Result<Client> {
        let config = super::config()?;
        let connected = match pass.tls()? {
            Some(tls) => {
                let options = TlsOptions::new().config(config).require_alpn(true);
                connect_tls_with(server, pass.name(server), tls, &options).await
            }
            None => connect_with(server, &config).await,
        };
        let session = connected.with_context(|| format!("cannot reach the tunnel server at {server}"))?;
        log_in(&session, &pass.secret()?).await?;
        Ok(Client { session })
    }

    /// Serves until `stop` resolves, and says what the session carried. That the session ends first is an error.
    pub(crate) async fn run(self, local: &str, stop: impl Future<Output = ()>) -> anyhow::Result<Stats> {
        let local: Arc<str> = local.into();
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        let result = loop {
            tokio::select! {
                // A wanted end is not to be taken for a lost server, if both come together.
                biased;
                () = &mut stop => break Ok(()),
                // Lets go of those that have ended.
                Some(_) = connections.join_next() => {}
                accepted = self.session.accept() => match accepted {
                    Ok(stream) => { connections.spawn(forward(stream, local.clone())); }
                    Err(error) => break Err(anyhow!("lost the tunnel server: {}", error.end())),
                }
            }
        };
        // The server learns at once that it must not send more users here. Those that there are may finish.
        let closed = self.session.drain(stop::GRACE);
        stop::join(connections).await;
        closed.await;
        result.map(|()| self.session.stats())
    }
}

async fn forward(stream: Stream, local: Arc<str>) {
    match TcpStream::connect(&*local).await {
        Ok(tcp) => {
            if let Err(error) = relay(tcp, stream).await {
                log(format_args!("connection aborted: {error}"));
            }
        }
        Err(error) => {
            _ = stream.refuse();
            log(format_args!("connection refused: cannot reach {local}: {error}"));
        }
    }
}
