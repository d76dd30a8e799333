//! Ours as every runtime of the futures-io traits has it: either end of a session of the faces' common type.

use std::io;

use muxado_smol::core::Stream;
use muxado_smol::core::face::Session;
use muxado_smol::core::rt::Runtime;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::{Accept, ByteStream, Open};

/// Either end.
#[derive(Clone, Debug)]
pub(crate) struct End<T: Runtime>(pub(super) Session<T>);

impl<T: Runtime + Clone> Open for End<T> {
    type Stream = ByteStream<Compat<Stream>>;

    async fn open(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.open().await?.compat()))
    }
}

impl<T: Runtime + Clone> Accept for End<T> {
    type Stream = ByteStream<Compat<Stream>>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        Ok(ByteStream(self.0.accept().await?.compat()))
    }
}
