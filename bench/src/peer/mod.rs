//! What a workload needs of a peer, so that each is measured by the same code.

pub(crate) mod async_std;
pub(crate) mod crate_muxado;
mod delay;
mod face;
pub(crate) mod h2;
pub(crate) mod limit;
pub(crate) mod ours;
pub(crate) mod ours_bytes;
pub(crate) mod quinn;
pub(crate) mod smol;
pub(crate) mod tcp;
mod tls;
pub(crate) mod tokio_yamux;
pub(crate) mod yamux;

use std::future::Future;
use std::io;
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use muxado_smol::core::rt::Runtime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsStream;
use tokio_util::either::Either;

/// One who can be measured. The table is in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerName {
    Tcp,
    CrateMuxado,
    Yamux,
    TokioYamux,
    /// h2 with windows of 64 MiB and frames of 64 KiB, and owned buffers.
    H2,
    /// h2 as it comes.
    H2Default,
    Quinn,
    /// What a multiplexer cannot avoid, and nothing else.
    Limit,
    Ours,
    /// Ours with owned buffers in and out, which saves a copy at each end.
    OursBytes,
    /// smol's own sockets, and ours on them.
    SmolTcp,
    OursSmol,
    /// async-std's own sockets, and ours on them.
    AsyncStdTcp,
    OursAsyncStd,
}

impl PeerName {
    pub(crate) const ALL: [PeerName; 14] = [
        PeerName::Tcp,
        PeerName::CrateMuxado,
        PeerName::Yamux,
        PeerName::TokioYamux,
        PeerName::H2,
        PeerName::H2Default,
        PeerName::Quinn,
        PeerName::Limit,
        PeerName::Ours,
        PeerName::OursBytes,
        PeerName::SmolTcp,
        PeerName::OursSmol,
        PeerName::AsyncStdTcp,
        PeerName::OursAsyncStd,
    ];

    /// Whether it is another multiplexer that one could use.
    pub(crate) fn is_another(self) -> bool {
        !self.is_of_another_runtime()
            && !matches!(self, PeerName::Tcp | PeerName::Limit | PeerName::Ours | PeerName::OursBytes)
    }

    pub(crate) fn is_of_another_runtime(self) -> bool {
        self.raw() != PeerName::Tcp
    }

    /// The raw sockets it is compared with.
    pub(crate) fn raw(self) -> PeerName {
        match self {
            PeerName::SmolTcp | PeerName::OursSmol => PeerName::SmolTcp,
            PeerName::AsyncStdTcp | PeerName::OursAsyncStd => PeerName::AsyncStdTcp,
            _ => PeerName::Tcp,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            PeerName::Tcp => "tcp",
            PeerName::CrateMuxado => "crate-muxado",
            PeerName::Yamux => "yamux",
            PeerName::TokioYamux => "tokio-yamux",
            PeerName::H2 => "h2",
            PeerName::H2Default => "h2-default",
            PeerName::Quinn => "quinn",
            PeerName::Limit => "limit",
            PeerName::Ours => "ours",
            PeerName::OursBytes => "ours-bytes",
            PeerName::SmolTcp => "smol-tcp",
            PeerName::OursSmol => "ours-smol",
            PeerName::AsyncStdTcp => "async-std-tcp",
            PeerName::OursAsyncStd => "ours-async-std",
        }
    }
}

impl FromStr for PeerName {
    type Err = String;

    fn from_str(name: &str) -> Result<PeerName, String> {
        let found = PeerName::ALL.into_iter().find(|peer| peer.as_str() == name);
        found.ok_or_else(|| "no such peer".into())
    }
}

/// A multiplexer: two ends that are connected over TCP on loopback, in their default settings, but
/// for the number of streams, if the workload needs more.
pub(crate) trait Peer: 'static {
    /// Where it runs, and the workload's tasks with it.
    type Runtime: Runtime + Default;
    type Open: Open<Stream = Self::Stream>;
    type Accept: Accept<Stream = Self::Stream>;
    type Stream: Stream;

    /// The client's opening end and the server's accepting end of one session.
    fn pair(setting: Setting) -> impl Future<Output = io::Result<(Self::Open, Self::Accept)>> + Send;
}

/// What the workload asks of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// How many streams are open at once.
    pub(crate) streams: usize,
    /// How long bytes take in each direction, besides what loopback takes.
    pub(crate) delay: Duration,
    /// Over TLS.
    pub(crate) is_tls: bool,
    /// Over the line of `bench far`.
    pub(crate) is_far: bool,
}

/// The end that opens. Clones open on the same session.
pub(crate) trait Open: Clone + Send + 'static {
    type Stream: Stream;

    fn open(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// The end that accepts. The session lives while this does.
pub(crate) trait Accept: Send + 'static {
    type Stream: Stream;

    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// One stream.
pub(crate) trait Stream: Send + 'static {
    /// Sends all of `data`.
    fn write(&mut self, data: &Bytes) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends this direction.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// The next bytes, at most as many as `room` holds; empty at the end.
    fn read<'a>(&mut self, room: &'a mut [u8]) -> impl Future<Output = io::Result<Piece<'a>>> + Send;
}

/// TCP, or TLS on it.
pub(crate) type Transport = Either<TcpStream, TlsStream<TcpStream>>;

/// Bytes that were read, wherever they are.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    InRoom(&'a [u8]),
    Owned(Bytes),
}

impl Deref for Piece<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Piece::InRoom(bytes) => bytes,
            Piece::Owned(bytes) => bytes,
        }
    }
}

/// Any stream of tokio's traits, read and written through them.
#[derive(Debug)]
pub(crate) struct ByteStream<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for ByteStream<S> {
    async fn write(&mut self, data: &Bytes) -> io::Result<()> {
        self.0.write_all(data).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }

    async fn read<'a>(&mut self, room: &'a mut [u8]) -> io::Result<Piece<'a>> {
        let count = self.0.read(room).await?;
        Ok(Piece::InRoom(&room[..count]))
    }
}

/// Both ends of what a session is to run on.
async fn transport_pair(setting: Setting) -> io::Result<(Transport, Transport)> {
    let (client, server) = tcp_pair(setting).await?;
    if !setting.is_tls {
        return Ok((Either::Left(client), Either::Left(server)));
    }
    tokio::try_join!(tls::connect(client), tls::accept(server))
}

/// Both ends of a fresh TCP connection: the one that connected, and the one that accepted it.
async fn tcp_pair(setting: Setting) -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(delay::listen_at(setting)).await?;
    let address = delay::in_front_of(listener.local_addr()?, setting).await?;
    let (client, server) = tokio::try_join!(TcpStream::connect(address), listener.accept())?;
    client.set_nodelay(true)?;
    server.0.set_nodelay(true)?;
    Ok((client, server.0))
}
