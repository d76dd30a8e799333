//! What is measured: a muxado session, or raw TCP to the same server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use muxado_tokio::tls::{TlsOptions, rustls};
use muxado_tokio::{ErrorCode, Session, SessionEnd, connect_tls_with, connect_with};
use muxado_typed::Typed;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Options;
use crate::channel::Channel;
use crate::protocol::{self, Answer, Hello, Kind, Raw, Terms, VERSION, Version};

/// How long the server may take to be there, and to say what it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the streams of a test come from.
#[derive(Clone, Debug)]
pub(super) enum Link {
    Muxado(Typed<Session>),
    Tcp { address: SocketAddr, raw: Raw },
}

/// The two, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Over {
    Muxado,
    Tcp,
}

impl Link {
    /// Raw TCP to where the session has its server, but for the port.
    pub(super) fn tcp(server: SocketAddr, raw: Raw) -> Link {
        let mut address = server;
        // And nothing but the port: a link-local address leads nowhere without its interface.
        address.set_port(raw.port);
        Link::Tcp { address, raw }
    }

    pub(super) fn over(&self) -> Over {
        match self {
            Link::Muxado(_) => Over::Muxado,
            Link::Tcp { .. } => Over::Tcp,
        }
    }

    /// A stream for one purpose, which the server knows by the first bytes.
    pub(super) async fn open(&self, kind: Kind) -> anyhow::Result<Channel> {
        match self {
            Link::Muxado(typed) => Ok(typed.open(kind).await?.into_inner().into()),
            Link::Tcp { address, raw } => {
                let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
                let connected = connected.map_err(anyhow::Error::from).and_then(|result| Ok(result?));
                let tcp = connected.with_context(|| format!("cannot connect to {address} for raw TCP"))?;
                let mut channel = Channel::tcp(tcp)?;
                channel.send.write_all(&raw.token).await?;
                channel.send.write_all(&kind.number().to_be_bytes()).await?;
                Ok(channel)
            }
        }
    }
}

/// Connects, says hello, and hears what is allowed.
pub(super) async fn connect(options: &Options) -> anyhow::Result<(Typed<Session>, Terms)> {
    let server = &options.server;
    let session = timeout(PATIENCE, reach(options)).await;
    let session =
        session.unwrap_or_else(|_| Err(anyhow!("it does not answer within {} s", PATIENCE.as_secs())));
    let session = session.with_context(|| format!("cannot connect to {server}"))?;
    let typed = Typed::new(session);
    let greeted = timeout(PATIENCE, greet(&typed, options.settings.window)).await;
    let words = match greeted.unwrap_or_else(|_| Err(anyhow!("it says nothing"))) {
        Ok(words) => words,
        Err(error) => {
            let end = typed.get_ref().close(ErrorCode::NO_ERROR, "").await;
            return Err(match goodbye(&end) {
                Some(goodbye) => goodbye.context(format!("{server} turns us away")),
                None => error.context(format!(
                    "{server} is no server of muxado-perf, or one of the two ends is over TLS and the other is not"
                )),
            });
        }
    };
    let terms = judge(&words).with_context(|| format!("{server} will not do"))?;
    Ok((typed, terms))
}

/// What the server said when it ended the session, if it did.
pub(super) fn goodbye(end: &SessionEnd) -> Option<anyhow::Error> {
    let (code, text) = end.peer_goodbye()?;
    Some(anyhow!("it ended the session: {code} \"{}\"", text.escape_ascii()))
}

async fn reach(options: &Options) -> anyhow::Result<Session> {
    let config = options.settings.config(options.streams_needed())?;
    Ok(match &options.trust {
        Some(trust) => {
            let tls = TlsOptions::new().config(config).require_alpn(true);
            let connecting =
                connect_tls_with(&options.server, trust.name(&options.server), trust.config()?, &tls);
            connecting.await.map_err(without_tls)?
        }
        None => connect_with(&options.server, &config).await?,
    })
}

/// rustls says what it has read. What that mostly means is that the other end is not over TLS.
fn without_tls(error: io::Error) -> anyhow::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let is_other = matches!(cause, Some(rustls::Error::InvalidMessage(_)));
    let error = anyhow::Error::from(error);
    if is_other {
        error.context("what it says is not TLS: was it started with --cert and --key?")
    } else {
        error
    }
}

async fn greet(typed: &Typed<Session>, window: u32) -> anyhow::Result<Vec<u8>> {
    let Channel { mut send, mut recv } = typed.open(Kind::Hello).await?.into_inner().into();
    protocol::say(&mut send, &Hello { version: VERSION, window }).await?;
    let words = protocol::hear(&mut recv).await?;
    ensure!(protocol::understand::<Version>(&words).is_some(), "its answer is not understood");
    Ok(words)
}

fn judge(words: &[u8]) -> anyhow::Result<Terms> {
    let version = protocol::understand::<Version>(words).map(|words| words.version);
    match (version, protocol::understand::<Answer>(words)) {
        (Some(VERSION), Some(Answer { terms: Some(terms), refused: None, .. })) => Ok(terms),
        (Some(VERSION), Some(Answer { refused: Some(why), .. })) => {
            // The peer's words, for a terminal.
            bail!("it refuses: {}", why.escape_debug())
        }
        (Some(version), _) if version != VERSION => bail!(
            "it speaks version {version} of the protocol of muxado-perf, this is version {VERSION}: use the same \
             build at both ends"
        ),
        _ => bail!("its answer is not understood"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_tcp_goes_through_the_interface_that_the_session_goes_through() {
        let server: SocketAddr = "[fe80::1%7]:7007".parse().unwrap();
        let link = Link::tcp(server, Raw { port: 7008, token: [0; 16] });
        let Link::Tcp { address, .. } = link else { panic!("{link:?}") };
        assert_eq!(address.to_string(), "[fe80::1%7]:7008");
    }

    #[test]
    fn only_terms_of_the_same_version_are_accepted() {
        let terms = r#"{"seconds":1,"streams":2,"settings":{"window":3,"extra_credit":4,"max_frame":5,
            "send_queue":6,"session_send_queue":7},"raw":null}"#;
        let good = format!(r#"{{"version":1,"refused":null,"terms":{terms}}}"#);
        assert_eq!(judge(good.as_bytes()).unwrap().streams, 2);
        for (words, why) in [
            (r#"{"version":2,"news":true}"#.to_owned(), "version 2"),
            (r#"{"version":1,"refused":"full \u001b[2J","terms":null}"#.to_owned(), r"full \u{1b}[2J"),
            (r#"{"version":1,"terms":{}}"#.to_owned(), "not understood"),
            ("{}".to_owned(), "not understood"),
        ] {
            let error = judge(words.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{words}: {error}");
        }
    }
}
