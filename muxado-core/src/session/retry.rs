//! What an interrupted call of the transport comes to: it is tried again, and not for ever (S94).

use std::io;
use std::task::Poll;

/// Interruptions in a row after which the transport is taken for broken.
const MOST: usize = 100;

/// Calls `poll` again as long as it is interrupted.
pub(super) fn retry<T>(mut poll: impl FnMut() -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    let mut left = MOST;
    loop {
        match poll() {
            Poll::Ready(Err(error)) if left > 0 && error.kind() == io::ErrorKind::Interrupted => left -= 1,
            other => return other,
        }
    }
}
