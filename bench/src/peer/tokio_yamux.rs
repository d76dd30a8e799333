//! The crate `tokio-yamux` of Nervos.

use std::io;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_yamux::{Config, Control, Session, StreamHandle};

use super::{Accept, ByteStream, Open, Peer, Setting, tcp_pair};

#[derive(Debug)]
pub(crate) struct TokioYamux;

/// The client's end.
#[derive(Clone)]
pub(crate) struct Opener(Control);

/// The server's end.
pub(crate) struct Accepter(
    mpsc::Receiver<StreamHandle>,
    #[expect(dead_code, reason = "held to keep the session")] Control,
);

impl Peer for TokioYamux {
    type Runtime = muxado_tokio::Tokio;
    type Open = Opener;
    type Accept = Accepter;
    type Stream = ByteStream<StreamHandle>;

    async fn pair(setting: Setting) -> io::Result<(Opener, Accepter)> {
        let (client, server) = tcp_pair(setting).await?;
        let config = Config { max_stream_count: setting.streams.max(65_535), ..Config::default() };
        let mut client = Session::new_client(client, config);
        let mut server = Session::new_server(server, config);
        let (open, keep) = (client.control(), server.control());
        tokio::spawn(async move { while let Some(Ok(_)) = client.next().await {} });
        let (accepted, accept) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Some(Ok(stream)) = server.next().await {
                if accepted.send(stream).await.is_err() {
                    break;
                }
            }
        });
        Ok((Opener(open), Accepter(accept, keep)))
    }
}

impl Open for Opener {
    type Stream = ByteStream<StreamHandle>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        self.0.open_stream().await.map(ByteStream).map_err(io::Error::other)
    }
}

impl Accept for Accepter {
    type Stream = ByteStream<StreamHandle>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        self.0.recv().await.map(ByteStream).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
