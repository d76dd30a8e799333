//! What a transport makes of a vectored write: faces say of each of theirs whether it really takes many slices.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;

use futures_io::AsyncWrite;

/// Writes two slices at once to `transport`, which has room for both. Whether more than the first of them was taken.
///
/// # Errors
/// That of the write.
pub async fn takes_many_slices(transport: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
    let slices = [IoSlice::new(b"a header"), IoSlice::new(b"and its payload")];
    let written = poll_fn(|cx| Pin::new(&mut *transport).poll_write_vectored(cx, &slices)).await?;
    Ok(written > slices[0].len())
}
