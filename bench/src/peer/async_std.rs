//! Ours on async-std, and async-std's own TCP.

use std::io;
use std::net::{Shutdown, SocketAddr};

use async_std::net::{TcpListener, TcpStream};
use bytes::Bytes;
use futures_util::future::try_join;
use muxado_async_std::{AsyncStd, Config, Listener, connect_with};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::face::End;
use super::{Accept, ByteStream, Open, Peer, Piece, Setting};

#[derive(Debug)]
pub(crate) struct AsyncStdTcp;

/// Connects to the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector(SocketAddr);

impl Peer for AsyncStdTcp {
    type Runtime = AsyncStd;
    type Open = Connector;
    type Accept = TcpListener;
    type Stream = Raw;

    async fn pair(_: Setting) -> io::Result<(Connector, TcpListener)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok((Connector(listener.local_addr()?), listener))
    }
}

impl Open for Connector {
    type Stream = Raw;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        let tcp = TcpStream::connect(self.0).await?;
        tcp.set_nodelay(true)?;
        Ok(Raw(ByteStream(tcp.compat())))
    }
}

impl Accept for TcpListener {
    type Stream = Raw;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (tcp, _) = TcpListener::accept(self).await?;
        tcp.set_nodelay(true)?;
        Ok(Raw(ByteStream(tcp.compat())))
    }
}

/// A socket: closing one does not end its direction here.
#[derive(Debug)]
pub(crate) struct Raw(ByteStream<Compat<TcpStream>>);

impl super::Stream for Raw {
    async fn write(&mut self, data: &Bytes) -> io::Result<()> {
        self.0.write(data).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.0.0.get_ref().shutdown(Shutdown::Write)
    }

    async fn read<'a>(&mut self, room: &'a mut [u8]) -> io::Result<Piece<'a>> {
        self.0.read(room).await
    }
}

#[derive(Debug)]
pub(crate) struct OursAsyncStd;

impl Peer for OursAsyncStd {
    type Runtime = AsyncStd;
    type Open = End<AsyncStd>;
    type Accept = End<AsyncStd>;
    type Stream = <End<AsyncStd> as Open>::Stream;

    async fn pair(_: Setting) -> io::Result<(End<AsyncStd>, End<AsyncStd>)> {
        let listener = Listener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let config = Config::default();
        let (client, (server, _)) = try_join(connect_with(address, &config), listener.accept()).await?;
        Ok((End(client), End(server)))
    }
}
