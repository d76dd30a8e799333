//! What a session counts.

/// Counters of one session since its start, and gauges of this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Streams that hold a place now, of both sides: open, or ended and still held.
    pub streams: usize,
    /// Streams that wait to be accepted now.
    pub backlog: usize,
    /// Bytes received and not read yet, now, in all streams.
    pub unread_bytes: usize,
    /// Credit that the peer was granted beyond the windows, now, in all streams, in bytes.
    pub extra_credit: usize,
    /// Bytes accepted from writers that may go out now, in all streams.
    pub sendable_bytes: usize,
    /// Streams opened by this side.
    pub opened: u64,
    /// Streams of the peer's given to the application.
    pub accepted: u64,
    /// Streams of the peer's refused because of a limit or a drain. The peer may retry them.
    pub refused: u64,
    /// SYNs of the peer's whose id was not above all before: out of order, which is normal with both existing
    /// peers, or a second use of an id.
    pub late_syns: u64,
    /// Streams that ended with FIN in both directions.
    pub finished: u64,
    /// RST frames sent, refusals included.
    pub resets_sent: u64,
    /// RST frames received.
    pub resets_received: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Payload bytes of DATA sent.
    pub bytes_sent: u64,
    /// Payload bytes of DATA received, thrown away or not.
    pub bytes_received: u64,
    /// Useless or odd frames received. A few are normal; a flood ends the session.
    pub glitches: u64,
}

/// Counts one more.
pub(super) fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
