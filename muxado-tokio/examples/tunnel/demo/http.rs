//! The least of HTTP/1.1 that browsers and curl work with: GET of a file, one request on each connection.

use std::io;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_buf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::super::{log, stop};

/// The most that a head may have, in bytes.
const MAX_HEAD: u64 = 16 * 1024;

/// How much of a file is read at a time, in bytes. Each read is a trip to another thread.
const BUFFER: usize = 256 * 1024;

/// What a path keeps as it is.
const IN_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Serves the files below a folder to anyone who can connect.
pub(crate) struct FileServer {
    tcp: TcpListener,
    folder: Arc<Path>,
}

impl FileServer {
    pub(crate) async fn bind(address: &str, folder: PathBuf) -> anyhow::Result<FileServer> {
        if !tokio::fs::metadata(&folder).await.is_ok_and(|found| found.is_dir()) {
            bail!("{} is not a folder", folder.display());
        }
        let tcp = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        Ok(FileServer { tcp, folder: folder.into() })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves until `stop` resolves. Then running downloads have a few seconds to finish.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.tcp.accept() => match accepted {
                    Ok((tcp, _)) => {
                        let folder = self.folder.clone();
                        connections.spawn(async move {
                            if let Err(error) = serve(tcp, &folder).await {
                                log(format_args!("file server: {error}"));
                            }
                        });
                    }
                    Err(error) => {
                        log(format_args!("file server: cannot accept: {error}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        stop::join(connections).await;
        Ok(())
    }
}

async fn serve(tcp: TcpStream, folder: &Path) -> io::Result<()> {
    let mut tcp = BufReader::new(tcp);
    let request = read_head(&mut tcp).await?;
    let path = request.strip_prefix("GET ").and_then(|rest| rest.split_once(' ')).map(|(path, _)| path);
    let (status, file) = match path {
        Some(path) => match open(folder, path).await {
            Some(file) => ("200 OK", Some(file)),
            None => ("404 Not Found", None),
        },
        None => ("405 Method Not Allowed", None),
    };
    let size = match &file {
        Some(file) => file.metadata().await?.len(),
        None => 0,
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n");
    tcp.write_all(head.as_bytes()).await?;
    if let Some(file) = file {
        copy_buf(&mut BufReader::with_capacity(BUFFER, file.take(size)), &mut tcp).await?;
    }
    tcp.shutdown().await
}

/// The file that the path of a request names, if it is one below `folder`.
async fn open(folder: &Path, path: &str) -> Option<File> {
    let path = path.split('?').next().unwrap_or_default();
    let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    let path = Path::new(&*path);
    if path.components().any(|component| !matches!(component, Component::Normal(_))) {
        return None;
    }
    let file = File::open(folder.join(path)).await.ok()?;
    file.metadata().await.is_ok_and(|found| found.is_file()).then_some(file)
}

/// Asks for a file. What can then be read, to its end, is the file.
pub(crate) async fn get(server: SocketAddr, name: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let mut tcp = BufReader::new(TcpStream::connect(server).await?);
    let path = utf8_percent_encode(name, IN_PATHS);
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await?;
    let status = read_head(&mut tcp).await?;
    if !status.starts_with("HTTP/1.1 200 ") {
        bail!("the server says {status}");
    }
    Ok(tcp)
}

/// The first line of a head, once the whole head is read.
async fn read_head(tcp: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut lines = tcp.take(MAX_HEAD).lines();
    let first = lines.next_line().await?;
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            return Ok(first.unwrap_or_default());
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
