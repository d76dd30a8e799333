//! Raw TCP, the ceiling: a connection for each stream.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::either::Either;

use super::{Accept, ByteStream, Open, Peer, Setting, Transport, delay, tls};

#[derive(Debug)]
pub(crate) struct Tcp;

/// Whom to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector(SocketAddr, Setting);

/// Who listens.
#[derive(Debug)]
pub(crate) enum Accepter {
    Plain(TcpListener),
    /// What a task accepts: a client waits for the end of its handshake before anybody here may accept it.
    Tls(Receiver<io::Result<Transport>>),
}

impl Peer for Tcp {
    type Runtime = muxado_tokio::Tokio;
    type Open = Connector;
    type Accept = Accepter;
    type Stream = ByteStream<Transport>;

    async fn pair(setting: Setting) -> io::Result<(Connector, Accepter)> {
        let listener = TcpListener::bind(delay::listen_at(setting)).await?;
        let address = delay::in_front_of(listener.local_addr()?, setting).await?;
        let accepter = if setting.is_tls { accept_tls(listener) } else { Accepter::Plain(listener) };
        Ok((Connector(address, setting), accepter))
    }
}

impl Open for Connector {
    type Stream = ByteStream<Transport>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let tcp = TcpStream::connect(self.0).await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(if self.1.is_tls { tls::connect(tcp).await? } else { Either::Left(tcp) }))
    }
}

impl Accept for Accepter {
    type Stream = ByteStream<Transport>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        match self {
            Accepter::Plain(listener) => Ok(ByteStream(Either::Left(accept(listener).await?))),
            Accepter::Tls(accepted) => {
                let accepted = accepted.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
                Ok(ByteStream(accepted?))
            }
        }
    }
}

async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (tcp, _) = listener.accept().await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

fn accept_tls(listener: TcpListener) -> Accepter {
    let (sender, accepted) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let handshake = async { tls::accept(accept(&listener).await?).await };
            if sender.send(handshake.await).await.is_err() {
                return;
            }
        }
    });
    Accepter::Tls(accepted)
}
