//! Raw TCP, the ceiling: a connection for each stream.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};

use super::{Accept, ByteStream, Open, Peer, Setting, delay};

#[derive(Debug)]
pub(crate) struct Tcp;

/// Whom to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector(SocketAddr);

impl Peer for Tcp {
    type Open = Connector;
    type Accept = TcpListener;
    type Stream = ByteStream<TcpStream>;

    async fn pair(setting: Setting) -> io::Result<(Connector, TcpListener)> {
        let listener = TcpListener::bind(delay::listen_at(setting)).await?;
        let address = delay::in_front_of(listener.local_addr()?, setting).await?;
        Ok((Connector(address), listener))
    }
}

impl Open for Connector {
    type Stream = ByteStream<TcpStream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let tcp = TcpStream::connect(self.0).await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(tcp))
    }
}

impl Accept for TcpListener {
    type Stream = ByteStream<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (tcp, _) = TcpListener::accept(self).await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(tcp))
    }
}
