//! What the machine tells its owner.

use super::stream::StreamKey;

/// Something to look at again for a caller that was told to wait. Each is reported once per wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A read that returned [`Read::Blocked`](super::Read::Blocked) may go on.
    Readable(StreamKey),
    /// A writer that got no room may go on.
    Writable(StreamKey),
    /// A stream about which [`stopped`](super::Mux::stopped) knew nothing has ended, or its handles are gone.
    Stopped(StreamKey),
    /// An accept that found nothing may go on.
    Incoming,
    /// An open that found no place may go on.
    PlaceFree,
    /// The session has ended: everything that waits may go on.
    Ended,
}
