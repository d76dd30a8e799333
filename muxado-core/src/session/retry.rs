//! What an interrupted call of the transport comes to: it is tried again, and not for ever (S94).

use std::io;
use std::task::Poll;

/// Interruptions in a row after which the transport is taken for broken.
const MOST: usize = 100;

/// Calls `poll` again as long as it is interrupted.
pub(super) fn retry<T>(mut poll: impl FnMut() -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    for _ in 0..MOST {
        match poll() {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
    poll()
}
