//! As bulk1, while another stream has been written to until nothing more goes in, and nobody reads it.

use std::io;
use std::time::Duration;

use super::bulk1;
use super::pattern::{BLOCK, Pattern};
use crate::measure::Measurement;
use crate::peer::{Accept, Open, Peer, Stream};
use crate::task::within;

/// A write that takes as long is stuck.
const STUCK: Duration = Duration::from_millis(200);

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    bytes: u64,
) -> io::Result<Measurement> {
    let mut stuck = client.open().await?;
    let block = Pattern::new().at(0, BLOCK);
    stuck.write(&block.slice(..1)).await?;
    let unread = server.accept().await?;
    while let Some(written) = within::<P, _>(STUCK, stuck.write(&block)).await {
        written?;
    }
    let measured = bulk1::run::<P>(client, server, bytes).await;
    drop((stuck, unread));
    measured
}
