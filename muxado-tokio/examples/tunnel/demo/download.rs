//! Downloads files through the tunnel, many at once, and compares what arrives with what was sent.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::content::{Checksum, File};
use super::http;

const BAR: &str = "[{bar:40}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}";

/// Downloads `files`, at most `connections` at once, and lists what went wrong. Draws its progress if it runs in a
/// terminal.
pub(crate) async fn all(
    files: Vec<File>,
    server: SocketAddr,
    connections: usize,
) -> anyhow::Result<Vec<String>> {
    let progress = ProgressBar::new(files.iter().map(|file| file.size).sum())
        .with_style(ProgressStyle::with_template(BAR)?.progress_chars("=> "));
    let permits = Arc::new(Semaphore::new(connections));
    let mut downloads = JoinSet::new();
    for file in files {
        // A permit is a connection: it is given back when the download is done.
        let permit = permits.clone().acquire_owned().await?;
        let progress = progress.clone();
        downloads.spawn(async move {
            let result = check(&file, server, &progress).await;
            drop(permit);
            result.err().map(|error| format!("{}: {error:#}", file.name))
        });
    }
    let mut failures = Vec::new();
    while let Some(failure) = downloads.join_next().await {
        failures.extend(failure?);
    }
    progress.finish_and_clear();
    Ok(failures)
}

async fn check(file: &File, server: SocketAddr, progress: &ProgressBar) -> anyhow::Result<()> {
    let arrived = checksum(file, server, progress).await.context("did not arrive")?;
    ensure!(arrived == file.checksum, "the checksum differs");
    Ok(())
}

async fn checksum(file: &File, server: SocketAddr, progress: &ProgressBar) -> anyhow::Result<Checksum> {
    let mut body = http::get(server, &file.name).await?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let count = body.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        progress.inc(count as u64);
        size += count as u64;
    }
    ensure!(size == file.size, "{size} bytes came instead of {}", file.size);
    Ok(hash.finalize().into())
}
