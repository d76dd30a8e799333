//! Bytes in one direction, on one stream, checked where they arrive. What counts is what has arrived, not what was written.

use std::sync::Arc;

use anyhow::{bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::tally::Tally;
use crate::channel::{Channel, Receiver, Sender};
use crate::pattern::Pattern;
use crate::protocol::{Arrival, Order};

/// What is read at once, in bytes.
const READ: usize = 64 * 1024;

/// How one stream carries bulk.
#[derive(Clone, Debug)]
pub(super) struct Bulk {
    /// So many bytes, or until `stop`.
    pub(super) limit: Option<u64>,
    /// Bytes that are written at once.
    pub(super) write: u32,
    pub(super) tally: Arc<Tally>,
    pub(super) stop: CancellationToken,
}

impl Bulk {
    /// Sends, until the server has all of it.
    pub(super) async fn upload(self, channel: Channel) -> anyhow::Result<()> {
        let Channel { send, recv } = channel;
        let (sent, arrived) = tokio::try_join!(self.send(send), self.hear_of_arrivals(recv))?;
        ensure!(sent == arrived, "{sent} bytes were sent, {arrived} arrived");
        Ok(())
    }

    async fn send(&self, mut send: Sender) -> anyhow::Result<u64> {
        let (pattern, mut position) = (Pattern::get(), 0_u64);
        let limit = self.limit.unwrap_or(u64::MAX);
        while position < limit && !self.stop.is_cancelled() {
            let len = u64::from(self.write).min(limit - position);
            send.write_all(pattern.at(position, len as usize)).await?;
            position += len;
        }
        send.shutdown().await?;
        Ok(position)
    }

    async fn hear_of_arrivals(&self, mut recv: Receiver) -> anyhow::Result<u64> {
        let mut arrived = 0;
        while let Some(arrival) = Arrival::receive(&mut recv).await? {
            match arrival {
                Arrival::Wrong(position) => bail!("wrong bytes reached the server, behind {position}"),
                Arrival::Count(count) if count < arrived => bail!("the server counts backwards"),
                Arrival::Count(count) => {
                    self.tally.add_up(count - arrived);
                    arrived = count;
                }
            }
        }
        Ok(arrived)
    }

    /// Receives, until the server has stopped sending.
    pub(super) async fn download(self, channel: Channel) -> anyhow::Result<()> {
        let Channel { mut send, mut recv } = channel;
        let limit = self.limit.unwrap_or(u64::MAX);
        Order { limit, write: self.write }.send(&mut send).await?;
        let (pattern, mut position, mut room) = (Pattern::get(), 0_u64, vec![0; READ]);
        let mut stopped = false;
        loop {
            let count = tokio::select! {
                biased;
                () = self.stop.cancelled(), if !stopped => {
                    stopped = true;
                    send.shutdown().await?;
                    continue;
                }
                count = recv.read(&mut room) => count?,
            };
            if count == 0 {
                break;
            }
            ensure!(pattern.matches(position, &room[..count]), "wrong bytes came, behind {position}");
            position += count as u64;
            self.tally.add_down(count as u64);
        }
        ensure!(stopped || position == limit, "the server ended a download of its own accord, at {position}");
        if !stopped {
            send.shutdown().await?;
        }
        Ok(())
    }
}
