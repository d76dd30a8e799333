//! What a multiplexer on one connection cannot avoid, from the package `limits`.

use std::io;

use bytes::Bytes;
use limits::Stream as Inner;

use super::{Accept, Open, Peer, Piece, Setting, Stream, tcp_pair};

#[derive(Debug)]
pub(crate) struct Limit;

/// Either end.
#[derive(Clone, Debug)]
pub(crate) struct End(limits::End);

impl Peer for Limit {
    type Runtime = muxado_tokio::Tokio;
    type Open = End;
    type Accept = End;
    type Stream = Inner;

    async fn pair(setting: Setting) -> io::Result<(End, End)> {
        let (client, server) = tcp_pair(setting).await?;
        Ok((End(limits::End::new(client)?), End(limits::End::new(server)?)))
    }
}

impl Open for End {
    type Stream = Inner;

    async fn open(&mut self) -> io::Result<Inner> {
        Ok(self.0.open())
    }
}

impl Accept for End {
    type Stream = Inner;

    async fn accept(&mut self) -> io::Result<Inner> {
        self.0.accept().await
    }
}

impl Stream for Inner {
    async fn write(&mut self, data: &Bytes) -> io::Result<()> {
        self.write_all(data).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        Inner::finish(self);
        Ok(())
    }

    async fn read<'a>(&mut self, room: &'a mut [u8]) -> io::Result<Piece<'a>> {
        let count = Inner::read(self, room).await?;
        Ok(Piece::InRoom(&room[..count]))
    }
}
