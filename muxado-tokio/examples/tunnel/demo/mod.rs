//! The tunnel at work, with nothing to set up: a file server, both ends of the tunnel and many downloads, all in this
//! process and over real TCP.

pub(crate) mod content;
pub(crate) mod download;
pub(crate) mod http;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use indicatif::BinaryBytes;
use tokio::sync::watch;

use super::secure::{Guard, Pass};
use super::{Client, Server, log};
use http::FileServer;

/// Any free port of this machine.
const LOCAL: &str = "127.0.0.1:0";

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Downloads at once, and so connections through the tunnel at once.
    pub(crate) connections: usize,
    /// Streams that came through the tunnel.
    pub(crate) streams: u64,
    pub(crate) took: Duration,
    /// What went wrong, one line for each file.
    pub(crate) failures: Vec<String>,
}

/// Downloads every file of `folder` through a tunnel, `connections` at a time. Makes files if it is given no folder.
pub(crate) async fn run(
    folder: Option<PathBuf>,
    connections: usize,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Report> {
    tokio::select! {
        report = show(folder, connections) => report,
        () = stop => bail!("interrupted"),
    }
}

async fn show(folder: Option<PathBuf>, connections: usize) -> anyhow::Result<Report> {
    // A temporary folder is removed when it goes out of scope.
    let (folder, _temporary) = match folder {
        Some(folder) => (folder, None),
        None => {
            let made = content::make().await.context("cannot make files to download")?;
            (made.path().to_owned(), Some(made))
        }
    };
    let files = content::list(&folder).await.with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(!files.is_empty(), "there are no files in {}", folder.display());
    let (count, bytes) = (files.len(), files.iter().map(|file| file.size).sum());
    log(format_args!("{count} files with {} in {}", BinaryBytes(bytes), folder.display()));

    let web = FileServer::bind(LOCAL, folder).await?;
    let local = web.address()?.to_string();
    let server = Server::bind(LOCAL, LOCAL, &Guard::default()).await?;
    let (public, control) = (server.public()?, server.control()?.to_string());
    let clients = server.clients();
    log(format_args!("users at {public} -> one session at {control} -> file server at {local}"));

    let (stop, running) = watch::channel(());
    let stopped = || {
        let mut running = running.clone();
        async move { _ = running.changed().await }
    };
    let forwarding = async {
        let client = Client::connect(&control, &Pass::default()).await?;
        client.run(&local, stopped()).await
    };
    let downloads = async {
        clients.reach(1).await;
        let start = Instant::now();
        let failures = download::all(files, public, connections).await?;
        let took = start.elapsed();
        drop(stop);
        Ok((failures, took))
    };
    let ((), (), stats, (failures, took)) =
        tokio::try_join!(web.run(stopped()), server.run(stopped()), forwarding, downloads)?;
    let connections = connections.min(count);
    Ok(Report { files: count, bytes, connections, streams: stats.accepted, took, failures })
}

impl Report {
    /// An error unless every file arrived as it was sent.
    pub(crate) fn verdict(&self) -> anyhow::Result<()> {
        ensure!(self.failures.is_empty(), "{} of {} files failed", self.failures.len(), self.files);
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { files, bytes, connections, streams, took, failures } = self;
        let seconds = took.as_secs_f64();
        let each_second = BinaryBytes((*bytes as f64 / seconds) as u64);
        writeln!(f, "downloaded   {files} files, {}, in {seconds:.2} s", BinaryBytes(*bytes))?;
        writeln!(f, "throughput   {each_second}/s over {connections} connections at once")?;
        writeln!(f, "streams      {streams}, all in one session")?;
        for failure in failures {
            writeln!(f, "FAILED       {failure}")?;
        }
        match failures.len() {
            0 => write!(f, "all checksums equal"),
            failed => write!(f, "{failed} files differ or did not arrive"),
        }
    }
}
