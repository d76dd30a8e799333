//! Ours through tokio's traits, as most programs use it: one copy at each end.

use std::io;

use muxado_tokio::tls::{TlsOptions, connect_tls_with};
use muxado_tokio::{Config, Listener, Session, Stream, connect_with};

use super::{Accept, ByteStream, Open, Peer, Setting, delay, tls};

#[derive(Debug)]
pub(crate) struct Ours;

/// Either end.
#[derive(Clone, Debug)]
pub(crate) struct End(Session);

impl Peer for Ours {
    type Runtime = muxado_tokio::Tokio;
    type Open = End;
    type Accept = End;
    type Stream = ByteStream<Stream>;

    async fn pair(setting: Setting) -> io::Result<(End, End)> {
        let (client, server) = session_pair(setting).await?;
        Ok((End(client), End(server)))
    }
}

impl Open for End {
    type Stream = ByteStream<Stream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.open().await?))
    }
}

impl Accept for End {
    type Stream = ByteStream<Stream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.accept().await?))
    }
}

/// The client's and the server's end of one session.
pub(super) async fn session_pair(setting: Setting) -> io::Result<(Session, Session)> {
    let mut config = Config::builder();
    if setting.streams > 256 {
        let streams = setting.streams;
        config = config.max_outbound_streams(streams).max_inbound_streams(streams).accept_backlog(streams);
    }
    let config = config.build().map_err(io::Error::other)?;
    if setting.is_tls {
        return tls_session_pair(config).await;
    }
    let listener = Listener::bind_with(delay::listen_at(setting), &config).await?;
    let address = delay::in_front_of(listener.local_addr()?, setting).await?;
    let (client, (server, _)) = tokio::try_join!(connect_with(address, &config), listener.accept())?;
    Ok((client, server))
}

async fn tls_session_pair(config: Config) -> io::Result<(Session, Session)> {
    let options = TlsOptions::new().config(config);
    let (client, server) = tls::settings()?;
    let listener = Listener::bind_tls_with("127.0.0.1:0", server, &options).await?;
    let connecting = connect_tls_with(listener.local_addr()?, "localhost", client, &options);
    let (client, (server, _)) = tokio::try_join!(connecting, listener.accept())?;
    Ok((client, server))
}
