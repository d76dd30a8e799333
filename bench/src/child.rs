//! One measurement, in this process: one workload over one peer.

use std::error::Error;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use futures_util::FutureExt;

use crate::measure::Measurement;
use crate::peer::async_std::{AsyncStdTcp, OursAsyncStd};
use crate::peer::h2::{H2, H2Default};
use crate::peer::limit::Limit;
use crate::peer::smol::{OursSmol, SmolTcp};
use crate::peer::{
    Peer, PeerName, crate_muxado::CrateMuxado, ours::Ours, ours_bytes::OursBytes, quinn::Quinn, tcp::Tcp,
    tokio_yamux::TokioYamux, yamux::Yamux,
};
use crate::task;
use crate::workload::{
    Workload, bulk1, bulk64, churn, duplex, far, hello, idle, mixed, rtt, sessions, stuck,
};

/// Both ends together have as many threads as the smallest machine that is worth measuring on.
const WORKERS: usize = 2;

/// No measurement takes nearly as long: a peer that stalls must not stop the run.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// Where the other runtimes learn how many workers they have.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] = [("SMOL_THREADS", "2"), ("ASYNC_STD_THREAD_COUNT", "2")];

pub(crate) fn measure(
    workload: Workload,
    peer: PeerName,
    amount: u64,
) -> Result<Measurement, Box<dyn Error>> {
    if peer.is_of_another_runtime() {
        if let Some((name, value)) = ENVIRONMENT.iter().find(|(name, value)| !is_set(name, value)) {
            return Err(format!("set {name}={value}, or the runtime has another number of workers").into());
        }
        return with_peer(workload, peer, amount);
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let measured = {
        let _entered = tokio.enter();
        with_peer(workload, peer, amount)
    };
    // Sessions still have handles in tasks; nobody waits for a goodbye.
    tokio.shutdown_background();
    measured
}

fn is_set(name: &str, value: &str) -> bool {
    std::env::var(name).is_ok_and(|set| set == value)
}

fn with_peer(workload: Workload, peer: PeerName, amount: u64) -> Result<Measurement, Box<dyn Error>> {
    match peer {
        PeerName::Tcp => on_its_runtime::<Tcp>(workload, amount),
        PeerName::CrateMuxado => on_its_runtime::<CrateMuxado>(workload, amount),
        PeerName::Yamux => on_its_runtime::<Yamux>(workload, amount),
        PeerName::TokioYamux => on_its_runtime::<TokioYamux>(workload, amount),
        PeerName::H2 => on_its_runtime::<H2>(workload, amount),
        PeerName::H2Default => on_its_runtime::<H2Default>(workload, amount),
        PeerName::Quinn => on_its_runtime::<Quinn>(workload, amount),
        PeerName::Limit => on_its_runtime::<Limit>(workload, amount),
        PeerName::Ours => on_its_runtime::<Ours>(workload, amount),
        PeerName::OursBytes => on_its_runtime::<OursBytes>(workload, amount),
        PeerName::SmolTcp => on_its_runtime::<SmolTcp>(workload, amount),
        PeerName::OursSmol => on_its_runtime::<OursSmol>(workload, amount),
        PeerName::AsyncStdTcp => on_its_runtime::<AsyncStdTcp>(workload, amount),
        PeerName::OursAsyncStd => on_its_runtime::<OursAsyncStd>(workload, amount),
    }
}

fn on_its_runtime<P: Peer>(workload: Workload, amount: u64) -> Result<Measurement, Box<dyn Error>> {
    let (send, measured) = mpsc::channel();
    // On the workers: the thread that waits here would be one more.
    task::detach::<P>(with_workload::<P>(workload, amount).map(move |outcome| _ = send.send(outcome)));
    match measured.recv_timeout(GIVE_UP_AFTER) {
        Ok(measured) => Ok(measured?),
        Err(RecvTimeoutError::Timeout) => Err(format!("stalled for {} s", GIVE_UP_AFTER.as_secs()).into()),
        Err(RecvTimeoutError::Disconnected) => Err("the workload panicked".into()),
    }
}

async fn with_workload<P: Peer>(workload: Workload, amount: u64) -> io::Result<Measurement> {
    let (client, server) = P::pair(workload.setting()).await?;
    match workload {
        Workload::Bulk1 | Workload::Tls | Workload::Wan | Workload::Wan1G => {
            bulk1::run::<P>(client, server, amount).await
        }
        Workload::Bulk64 => bulk64::run::<P>(client, server, amount).await,
        Workload::Duplex => duplex::run::<P>(client, server, amount).await,
        Workload::Churn => churn::run::<P>(client, server, amount).await,
        Workload::Hello10k => hello::run::<P>(client, server, amount).await,
        Workload::Rtt => rtt::run::<P>(client, server, amount).await,
        Workload::RttBusy => rtt::busy::<P>(client, server, amount).await,
        Workload::Mixed => mixed::run::<P>(client, server, amount).await,
        Workload::Idle => idle::run::<P>(client, server, amount).await,
        Workload::Far => far::run::<P>(client, server, amount).await,
        Workload::StuckReader => stuck::run::<P>(client, server, amount).await,
        Workload::Sessions => {
            // The first of many, and like the others it is not kept.
            drop((client, server));
            sessions::run::<P>(workload.setting(), amount).await
        }
    }
}
