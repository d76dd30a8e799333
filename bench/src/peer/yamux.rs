//! The crate `yamux` of libp2p. Its connection is polled by a task of ours, which is asked for streams over a channel.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::{FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use yamux::{Config, Connection, Mode};

use super::{Accept, ByteStream, Open, Peer, Setting, transport_pair};

type Stream = tokio_util::compat::Compat<yamux::Stream>;
type Ask = oneshot::Sender<io::Result<yamux::Stream>>;

#[derive(Debug)]
pub(crate) struct Yamux;

/// The client's end.
#[derive(Clone, Debug)]
pub(crate) struct Opener(mpsc::Sender<Ask>);

/// The server's end.
#[derive(Debug)]
pub(crate) struct Accepter(mpsc::Receiver<yamux::Stream>);

impl Peer for Yamux {
    type Runtime = muxado_tokio::Tokio;
    type Open = Opener;
    type Accept = Accepter;
    type Stream = ByteStream<Stream>;

    async fn pair(setting: Setting) -> io::Result<(Opener, Accepter)> {
        let (client, server) = transport_pair(setting).await?;
        let mut config = Config::default();
        if setting.streams > 256 {
            config.set_max_connection_receive_window(None).set_max_num_streams(setting.streams);
        }
        let client = Connection::new(client.compat(), config.clone(), Mode::Client);
        let server = Connection::new(server.compat(), config, Mode::Server);
        let (ask, asked) = mpsc::channel(1);
        let (accepted, accept) = mpsc::channel(16);
        tokio::spawn(drive(client, asked, None));
        let (_never, nobody) = mpsc::channel(1);
        tokio::spawn(drive(server, nobody, Some(accepted)));
        Ok((Opener(ask), Accepter(accept)))
    }
}

async fn drive<T>(
    mut connection: Connection<T>,
    mut asked: mpsc::Receiver<Ask>,
    accepted: Option<mpsc::Sender<yamux::Stream>>,
) where
    T: futures_util::AsyncRead + futures_util::AsyncWrite + Unpin,
{
    let mut waiting: Option<Ask> = None;
    loop {
        let next = poll_fn(|cx| {
            loop {
                if waiting.is_none() {
                    match asked.poll_recv(cx) {
                        Poll::Ready(Some(ask)) => waiting = Some(ask),
                        _ => break,
                    }
                }
                match connection.poll_new_outbound(cx) {
                    Poll::Ready(opened) => {
                        if let Some(ask) = waiting.take() {
                            let _ = ask.send(opened.map_err(io::Error::other));
                        }
                    }
                    Poll::Pending => break,
                }
            }
            connection.poll_next_inbound(cx)
        })
        .await;
        let (Some(Ok(stream)), Some(accepted)) = (next, &accepted) else { return };
        if accepted.send(stream).await.is_err() {
            return;
        }
    }
}

impl Open for Opener {
    type Stream = ByteStream<Stream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let (ask, answer) = oneshot::channel();
        self.0.send(ask).await.map_err(|_| io::ErrorKind::NotConnected)?;
        let stream = answer.await.map_err(|_| io::Error::from(io::ErrorKind::NotConnected))??;
        Ok(ByteStream(stream.compat()))
    }
}

impl Accept for Accepter {
    type Stream = ByteStream<Stream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let stream = self.0.recv().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(ByteStream(stream.compat()))
    }
}
