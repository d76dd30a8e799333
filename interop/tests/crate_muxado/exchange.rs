//! What applications do on a stream, the same on either end.

use std::io;

use crate_muxado::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A stream of either implementation.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Duplex for S {}

/// Everything up to the end of the stream, which must be a clean one.
pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Writes all of `bytes`, and ends the direction.
pub(crate) async fn write_last(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Exactly as many bytes as `expected` has, and the same.
pub(crate) async fn expect(stream: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

/// One request up to its end, and the answer up to its end.
pub(crate) async fn ask(mut stream: impl Duplex, request: &[u8]) -> Vec<u8> {
    write_last(&mut stream, request).await;
    read_all(&mut stream).await
}

/// The other end of [`ask`]: what came, the other way round.
pub(crate) async fn answer(mut stream: impl Duplex) {
    let mut request = read_all(&mut stream).await;
    request.reverse();
    write_last(&mut stream, &request).await;
}

/// There and back on a stream, after which each end has handled whatever the other sent before.
pub(crate) async fn round_trip(here: &mut impl Duplex, there: &mut impl Duplex) {
    here.write_all(b"ping").await.unwrap();
    expect(there, b"ping").await;
    there.write_all(b"pong").await.unwrap();
    expect(here, b"pong").await;
}

/// The code that the crate `muxado` puts into its errors.
pub(crate) fn their_code(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref().copied()
}
