//! Raw TCP, the ceiling: a connection for each stream.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::either::Either;

use super::{Accept, ByteStream, Open, Peer, Setting, Transport, delay, tls};

#[derive(Debug)]
pub(crate) struct Tcp;

/// Whom to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector(SocketAddr, Setting);

/// Who listens.
#[derive(Debug)]
pub(crate) struct Accepter(TcpListener, Setting);

impl Peer for Tcp {
    type Open = Connector;
    type Accept = Accepter;
    type Stream = ByteStream<Transport>;

    async fn pair(setting: Setting) -> io::Result<(Connector, Accepter)> {
        let listener = TcpListener::bind(delay::listen_at(setting)).await?;
        let address = delay::in_front_of(listener.local_addr()?, setting).await?;
        Ok((Connector(address, setting), Accepter(listener, setting)))
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
        let (tcp, _) = self.0.accept().await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(if self.1.is_tls { tls::accept(tcp).await? } else { Either::Left(tcp) }))
    }
}
