//! The crate `muxado` 0.5.4 of crates.io, another implementation of the same protocol.

use std::io;

use crate_muxado::{
    Accept as _, MuxadoAccept, MuxadoOpen, OpenClose as _, Session as _, SessionBuilder, Stream,
};

use super::{Accept, ByteStream, Open, Peer, Setting, transport_pair};

#[derive(Debug)]
pub(crate) struct CrateMuxado;

/// The client's end.
#[derive(Clone)]
pub(crate) struct Opener(MuxadoOpen);

/// The server's end. Accepted streams do not keep a session of this crate alive; both halves do.
pub(crate) struct Accepter(
    MuxadoAccept,
    #[expect(dead_code, reason = "held to keep the session")] MuxadoOpen,
);

impl Peer for CrateMuxado {
    type Runtime = muxado_tokio::Tokio;
    type Open = Opener;
    type Accept = Accepter;
    type Stream = ByteStream<Stream>;

    async fn pair(setting: Setting) -> io::Result<(Opener, Accepter)> {
        let (client, server) = transport_pair(setting).await?;
        // Its own is 512, which is the end of a session, not a wait.
        let limit = if setting.streams > 256 { 2 * setting.streams } else { 512 };
        let (open, _) = SessionBuilder::new(client).stream_limit(limit).client().start().split();
        let (keep, accept) = SessionBuilder::new(server).stream_limit(limit).server().start().split();
        Ok((Opener(open), Accepter(accept, keep)))
    }
}

impl Open for Opener {
    type Stream = ByteStream<Stream>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        self.0.open().await.map(ByteStream).map_err(io::Error::other)
    }
}

impl Accept for Accepter {
    type Stream = ByteStream<Stream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        self.0.accept().await.map(ByteStream).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
