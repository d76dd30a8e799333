//! What a session counts.

/// Counters of one session since its start, and gauges of this moment.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// # let mut stream = client.open().await?;
/// # stream.write_chunk("hello".into()).await?;
/// # stream.finish()?;
/// # let mut accepted = server.accept().await?;
/// # let session = server;
/// let before = session.stats();
/// # accepted.read_chunk(100).await?;
/// # accepted.write_chunk("how are you?".into()).await?;
/// # accepted.read_chunk(100).await?;
/// # client.close(muxado_core::ErrorCode::NO_ERROR, "").await;
/// // A second later:
/// let now = session.stats();
/// println!("{} bytes a second out", now.bytes_sent - before.bytes_sent);
/// println!("{} streams, {} bytes not read yet", now.streams, now.unread_bytes);
/// # assert_eq!((before.unread_bytes, now.unread_bytes), (5, 0));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
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
