//! Ours on smol, and smol's own TCP.

use std::io;
use std::net::SocketAddr;

use futures_util::future::try_join;
use muxado_smol::{Config, Listener, Smol, connect_with};
use smol::net::{TcpListener, TcpStream};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::face::End;
use super::{Accept, ByteStream, Open, Peer, Setting};

#[derive(Debug)]
pub(crate) struct SmolTcp;

/// Connects to the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector(SocketAddr);

impl Peer for SmolTcp {
    type Runtime = Smol;
    type Open = Connector;
    type Accept = TcpListener;
    type Stream = ByteStream<Compat<TcpStream>>;

    async fn pair(_: Setting) -> io::Result<(Connector, TcpListener)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok((Connector(listener.local_addr()?), listener))
    }
}

impl Open for Connector {
    type Stream = ByteStream<Compat<TcpStream>>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let tcp = TcpStream::connect(self.0).await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(tcp.compat()))
    }
}

impl Accept for TcpListener {
    type Stream = ByteStream<Compat<TcpStream>>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (tcp, _) = TcpListener::accept(self).await?;
        tcp.set_nodelay(true)?;
        Ok(ByteStream(tcp.compat()))
    }
}

#[derive(Debug)]
pub(crate) struct OursSmol;

impl Peer for OursSmol {
    type Runtime = Smol;
    type Open = End<Smol>;
    type Accept = End<Smol>;
    type Stream = <End<Smol> as Open>::Stream;

    async fn pair(_: Setting) -> io::Result<(End<Smol>, End<Smol>)> {
        let listener = Listener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let config = Config::default();
        let (client, (server, _)) = try_join(connect_with(address, &config), listener.accept()).await?;
        Ok((End(client), End(server)))
    }
}
