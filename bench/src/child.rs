//! One measurement, in this process: one workload over one peer.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::measure::Measurement;
use crate::peer::{Peer, PeerName, crate_muxado::CrateMuxado, ours::Ours, ours_bytes::OursBytes, tcp::Tcp};
use crate::workload::{Workload, bulk1, churn};

/// Both ends together have as many threads as the smallest machine that is worth measuring on.
const WORKERS: usize = 2;

/// No measurement takes nearly as long: a peer that stalls must not stop the run.
const GIVE_UP_AFTER: Duration = Duration::from_secs(120);

pub(crate) fn measure(
    workload: Workload,
    peer: PeerName,
    amount: u64,
) -> Result<Measurement, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let measured = runtime.block_on(async {
        // The workload runs on the workers: the thread that blocks here would be one more.
        tokio::time::timeout(GIVE_UP_AFTER, tokio::spawn(with_peer(workload, peer, amount))).await
    });
    // Sessions still have handles in tasks; nobody waits for a goodbye.
    runtime.shutdown_background();
    Ok(measured.map_err(|_| format!("stalled for {} s", GIVE_UP_AFTER.as_secs()))???)
}

async fn with_peer(workload: Workload, peer: PeerName, amount: u64) -> io::Result<Measurement> {
    match peer {
        PeerName::Tcp => with_workload::<Tcp>(workload, amount).await,
        PeerName::CrateMuxado => with_workload::<CrateMuxado>(workload, amount).await,
        PeerName::Ours => with_workload::<Ours>(workload, amount).await,
        PeerName::OursBytes => with_workload::<OursBytes>(workload, amount).await,
    }
}

async fn with_workload<P: Peer>(workload: Workload, amount: u64) -> io::Result<Measurement> {
    let (client, server) = P::pair().await?;
    match workload {
        Workload::Bulk1 => bulk1::run(client, server, amount).await,
        Workload::Churn => churn::run(client, server, amount).await,
    }
}
