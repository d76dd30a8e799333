//! Ours through tokio's traits, as most programs use it: one copy at each end.

use std::io;

use muxado_tokio::{Listener, Session, Stream, connect};

use super::{Accept, ByteStream, Open, Peer};

#[derive(Debug)]
pub(crate) struct Ours;

/// Either end.
#[derive(Clone, Debug)]
pub(crate) struct End(Session);

impl Peer for Ours {
    type Open = End;
    type Accept = End;
    type Stream = ByteStream<Stream>;

    async fn pair() -> io::Result<(End, End)> {
        let (client, server) = session_pair().await?;
        Ok((End(client), End(server)))
    }
}

impl Open for End {
    type Stream = ByteStream<Stream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.open().await?))
    }
}

impl Accept for End {
    type Stream = ByteStream<Stream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.accept().await?))
    }
}

/// The client's and the server's end of one session.
pub(super) async fn session_pair() -> io::Result<(Session, Session)> {
    let listener = Listener::bind("127.0.0.1:0").await?;
    let client = connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}
