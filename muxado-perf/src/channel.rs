//! A stream, or a raw TCP connection that does the same: two halves, with tokio's traits.

use std::io;

use muxado_tokio::{RecvStream, SendStream, Stream};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::either::Either;

pub(crate) type Sender = Either<SendStream, OwnedWriteHalf>;
pub(crate) type Receiver = Either<RecvStream, OwnedReadHalf>;

/// Both directions.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) send: Sender,
    pub(crate) recv: Receiver,
}

impl Channel {
    pub(crate) fn tcp(tcp: TcpStream) -> io::Result<Channel> {
        tcp.set_nodelay(true)?;
        let (recv, send) = tcp.into_split();
        Ok(Channel { send: Either::Right(send), recv: Either::Right(recv) })
    }
}

impl From<Stream> for Channel {
    fn from(stream: Stream) -> Channel {
        let (send, recv) = stream.into_split();
        Channel { send: Either::Left(send), recv: Either::Left(recv) }
    }
}
