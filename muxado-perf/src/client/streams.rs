//! Streams for one small exchange: opened, a message there and back, both directions ended. Many at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::link::Link;
use super::tally::Tally;
use crate::channel::Channel;
use crate::pattern::Pattern;
use crate::protocol::Kind;

/// One of those who open one stream after the other.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    pub(super) link: Link,
    /// How many there are still to be opened, by all of them.
    pub(super) left: Arc<AtomicU64>,
    /// The size of the message, in bytes.
    pub(super) message: u32,
    pub(super) tally: Arc<Tally>,
    pub(super) stop: CancellationToken,
}

impl Opener {
    pub(super) async fn run(self, number: u64) -> anyhow::Result<()> {
        // Each sends something else.
        let pattern = Pattern::get();
        let message = pattern.at(number, self.message as usize);
        let mut answer = Vec::with_capacity(message.len() + 1);
        while !self.stop.is_cancelled() && self.takes_one() {
            let start = Instant::now();
            let Channel { mut send, recv } = self.link.open(Kind::Echo).await?;
            send.write_all(message).await?;
            send.shutdown().await?;
            answer.clear();
            recv.take(message.len() as u64 + 1).read_to_end(&mut answer).await?;
            self.tally.add_exchange(start.elapsed());
            ensure!(message == answer, "a stream brought back something else than was sent");
        }
        Ok(())
    }

    fn takes_one(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}
