//! Ours with owned buffers, `write_chunk` and `read_chunk`: no copy at either end.

use std::io;

use bytes::Bytes;
use muxado_tokio::Session;

use super::ours::session_pair;
use super::{Accept, Open, Peer, Piece, Setting, Stream};

#[derive(Debug)]
pub(crate) struct OursBytes;

/// Either end.
#[derive(Clone, Debug)]
pub(crate) struct End(Session);

/// A stream, read and written in chunks.
#[derive(Debug)]
pub(crate) struct Chunks(muxado_tokio::Stream);

impl Peer for OursBytes {
    type Runtime = muxado_tokio::Tokio;
    type Open = End;
    type Accept = End;
    type Stream = Chunks;

    async fn pair(setting: Setting) -> io::Result<(End, End)> {
        let (client, server) = session_pair(setting).await?;
        Ok((End(client), End(server)))
    }
}

impl Open for End {
    type Stream = Chunks;

    async fn open(&mut self) -> io::Result<Chunks> {
        Ok(Chunks(self.0.open().await?))
    }
}

impl Accept for End {
    type Stream = Chunks;

    async fn accept(&mut self) -> io::Result<Chunks> {
        Ok(Chunks(self.0.accept().await?))
    }
}

impl Stream for Chunks {
    async fn write(&mut self, data: &Bytes) -> io::Result<()> {
        Ok(self.0.write_chunk(data.clone()).await?)
    }

    async fn finish(&mut self) -> io::Result<()> {
        tokio::io::AsyncWriteExt::shutdown(&mut self.0).await
    }

    async fn read<'a>(&mut self, room: &'a mut [u8]) -> io::Result<Piece<'a>> {
        Ok(Piece::Owned(self.0.read_chunk(room.len()).await?.unwrap_or_default()))
    }
}
