//! What the machine tells its owner.

use super::stream::StreamKey;

/// Something that somebody who was told to wait should look at. Each is said once per wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A read that returned [`Read::Blocked`](super::Read::Blocked) may get on.
    Readable(StreamKey),
    /// A writer that got no room may get on.
    Writable(StreamKey),
    /// A stream about which [`stopped`](super::Mux::stopped) knew nothing has ended, or its handles are gone.
    Stopped(StreamKey),
    /// An accept that found nothing may get on.
    Incoming,
    /// An open that found no place may get on.
    PlaceFree,
    /// The session has ended: everybody who waits for anything may get on.
    Ended,
}
