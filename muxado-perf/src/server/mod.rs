//! The server: takes sessions until it is stopped, so many at once. What is done on them is up to the clients, within the
//! limits.

mod raw;
mod serve;
mod session;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use muxado_tokio::tls::{Tls, TlsOptions};
use muxado_tokio::{ErrorCode, Listener, Session};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::log;
use crate::secure::Identity;
use crate::settings::Settings;
use raw::Raw;
use session::Host;

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// HOST:PORT for sessions.
    pub(crate) listen: String,
    /// HOST:PORT for raw TCP, if that is wanted.
    pub(crate) raw: Option<String>,
    /// Over TLS, with this certificate.
    pub(crate) identity: Option<Identity>,
    pub(crate) limits: Limits,
    pub(crate) settings: Settings,
}

/// What all clients and each of them may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// A session lasts so long at the most.
    pub(crate) seconds: u64,
    /// Sessions at once.
    pub(crate) sessions: usize,
    /// Streams at once in each session.
    pub(crate) streams: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { seconds: 600, sessions: 8, streams: 256 }
    }
}

/// How long what is under way may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop`.
pub(crate) async fn run(options: Options, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = Sessions::bind(&options).await?;
    let raw = match &options.raw {
        Some(address) => Some(Arc::new(Raw::bind(address).await?)),
        None => None,
    };
    let address = listener.local_addr()?;
    let transport = if options.identity.is_some() { "TLS" } else { "TCP" };
    log(format_args!("listening on {address}, over {transport}"));
    if address.ip().is_loopback() {
        log("only this machine reaches that address: see --listen");
    }
    let mut tasks = JoinSet::new();
    if let Some(raw) = raw.clone() {
        log(format_args!("listening on {}, for raw TCP", raw.local_addr()?));
        let stop = stop.clone();
        tasks.spawn(async move { raw.run(stop).await });
    }
    let places = Arc::new(Semaphore::new(options.limits.sessions));
    let host = Arc::new(Host { limits: options.limits, settings: options.settings, raw, stop: stop.clone() });
    let result = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            // Lets go of those that have ended.
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((session, peer)) => {
                    let Ok(place) = places.clone().try_acquire_owned() else {
                        log(format_args!("{peer}: turned away, because as many clients are here as may be"));
                        drop(session.close(ErrorCode::ENHANCE_YOUR_CALM, "too many clients, try again later"));
                        continue;
                    };
                    let host = host.clone();
                    tasks.spawn(async move {
                        host.attend(session, peer).await;
                        drop(place);
                    });
                }
                Err(error) => break Err(error).context("cannot accept clients any more"),
            },
        }
    };
    drop(listener);
    log(format_args!("no new clients; those that are here have {} s", GRACE.as_secs()));
    // If it is not by request that it ends, the clients are told all the same.
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    result
}

/// Where sessions come from.
enum Sessions {
    Plain(Listener),
    Secure(Listener<Tls>),
}

impl Sessions {
    async fn bind(options: &Options) -> anyhow::Result<Sessions> {
        let config = options.settings.config(options.limits.streams)?;
        let bound = match &options.identity {
            Some(identity) => {
                let tls = TlsOptions::new().config(config).require_alpn(true);
                Listener::bind_tls_with(&options.listen, identity.config()?, &tls).await.map(Sessions::Secure)
            }
            None => Listener::bind_with(&options.listen, &config).await.map(Sessions::Plain),
        };
        bound.with_context(|| format!("cannot listen on {}", options.listen))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Sessions::Plain(listener) => listener.local_addr(),
            Sessions::Secure(listener) => listener.local_addr(),
        }
    }

    async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        match self {
            Sessions::Plain(listener) => listener.accept().await,
            Sessions::Secure(listener) => listener.accept().await,
        }
    }
}
