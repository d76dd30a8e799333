//! Small messages there and back on one stream, one at a time.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::tally::Tally;
use crate::channel::Channel;
use crate::pattern::Pattern;

/// How messages are sent.
#[derive(Clone, Debug)]
pub(super) struct Pings {
    /// So many, or until `stop`.
    pub(super) limit: Option<u64>,
    /// The size of each, in bytes.
    pub(super) message: u32,
    pub(super) tally: Arc<Tally>,
    pub(super) stop: CancellationToken,
}

impl Pings {
    pub(super) async fn run(self, channel: Channel) -> anyhow::Result<()> {
        let Channel { mut send, mut recv } = channel;
        let pattern = Pattern::get();
        let mut room = vec![0; self.message as usize];
        let limit = self.limit.unwrap_or(u64::MAX);
        let mut done = 0;
        while done < limit && !self.stop.is_cancelled() {
            // Each differs from the one before.
            let message = pattern.at(done, room.len());
            let start = Instant::now();
            send.write_all(message).await?;
            recv.read_exact(&mut room).await?;
            self.tally.add_exchange(start.elapsed());
            ensure!(message == room, "a message came back changed");
            done += 1;
        }
        send.shutdown().await?;
        ensure!(recv.read(&mut room).await? == 0, "more messages came back than were sent");
        Ok(())
    }
}
