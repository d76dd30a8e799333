//! One measurement, in this process: one workload over one peer.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::measure::Measurement;
use crate::peer::async_std::{AsyncStdTcp, OursAsyncStd};
use crate::peer::h2::{H2, H2Default};
use crate::peer::limit::Limit;
use crate::peer::smol::{OursSmol, SmolTcp};
use crate::peer::{
    Peer, PeerName, crate_muxado::CrateMuxado, ours::Ours, ours_bytes::OursBytes, quinn::Quinn, tcp::Tcp,
    tokio_yamux::TokioYamux, yamux::Yamux,
};
use crate::workload::{
    Workload, bulk1, bulk64, churn, duplex, far, hello, idle, mixed, rtt, sessions, stuck,
};

/// Both ends together have as many threads as the smallest machine that is worth measuring on.
const WORKERS: usize = 2;

/// No measurement takes nearly as long: a peer that stalls must not stop the run.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

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
        PeerName::Yamux => with_workload::<Yamux>(workload, amount).await,
        PeerName::TokioYamux => with_workload::<TokioYamux>(workload, amount).await,
        PeerName::H2 => with_workload::<H2>(workload, amount).await,
        PeerName::H2Default => with_workload::<H2Default>(workload, amount).await,
        PeerName::Quinn => with_workload::<Quinn>(workload, amount).await,
        PeerName::Limit => with_workload::<Limit>(workload, amount).await,
        PeerName::Ours => with_workload::<Ours>(workload, amount).await,
        PeerName::OursBytes => with_workload::<OursBytes>(workload, amount).await,
        PeerName::SmolTcp => with_workload::<SmolTcp>(workload, amount).await,
        PeerName::OursSmol => with_workload::<OursSmol>(workload, amount).await,
        PeerName::AsyncStdTcp => with_workload::<AsyncStdTcp>(workload, amount).await,
        PeerName::OursAsyncStd => with_workload::<OursAsyncStd>(workload, amount).await,
    }
}

async fn with_workload<P: Peer + 'static>(workload: Workload, amount: u64) -> io::Result<Measurement> {
    let (client, server) = P::pair(workload.setting()).await?;
    match workload {
        Workload::Bulk1 | Workload::Tls | Workload::Wan | Workload::Wan1G => {
            bulk1::run(client, server, amount).await
        }
        Workload::Bulk64 => bulk64::run(client, server, amount).await,
        Workload::Duplex => duplex::run(client, server, amount).await,
        Workload::Churn => churn::run(client, server, amount).await,
        Workload::Hello10k => hello::run(client, server, amount).await,
        Workload::Rtt => rtt::run(client, server, amount).await,
        Workload::RttBusy => rtt::busy(client, server, amount).await,
        Workload::Mixed => mixed::run(client, server, amount).await,
        Workload::Idle => idle::run(client, server, amount).await,
        Workload::Far => far::run(client, server, amount).await,
        Workload::StuckReader => stuck::run(client, server, amount).await,
        Workload::Sessions => {
            // The first of many, and like the others it is not kept.
            drop((client, server));
            sessions::run::<P>(workload.setting(), amount).await
        }
    }
}
