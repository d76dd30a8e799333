//! Raw TCP, the ceiling: the connection is the one stream that there is.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

use super::{Accept, ByteStream, Open, Peer, tcp_pair};

#[derive(Debug)]
pub(crate) struct Tcp;

/// One end of the connection, until somebody takes it.
#[derive(Clone, Debug)]
pub(crate) struct End(Arc<Mutex<Option<TcpStream>>>);

impl End {
    fn new(tcp: TcpStream) -> End {
        End(Arc::new(Mutex::new(Some(tcp))))
    }

    fn take(&self) -> io::Result<ByteStream<TcpStream>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.map(ByteStream).ok_or_else(|| io::Error::other("a TCP connection is one stream only"))
    }
}

impl Peer for Tcp {
    type Open = End;
    type Accept = End;
    type Stream = ByteStream<TcpStream>;

    async fn pair() -> io::Result<(End, End)> {
        let (client, server) = tcp_pair().await?;
        Ok((End::new(client), End::new(server)))
    }
}

impl Open for End {
    type Stream = ByteStream<TcpStream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        self.take()
    }
}

impl Accept for End {
    type Stream = ByteStream<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        self.take()
    }
}
