//! Two ends to look at: streams whose reader is fast, slow or asleep, questions that nobody answers, and one stream that
//! nobody accepts.

use std::time::Duration;

use muxado_tokio::inspection::Waiting;
use muxado_tokio::{Config, Listener, Session, Stream, connect_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How the server treats a stream: its first byte.
const KINDS: [(u8, usize); 4] = [(FAST, 3), (SLOW, 3), (ASLEEP, 2), (SILENT, 2)];
const FAST: u8 = b'f';
const SLOW: u8 = b's';
const ASLEEP: u8 = b'a';
const SILENT: u8 = b'q';

/// Streams that the server accepts. The client opens one more.
const ACCEPTED: usize = 10;

/// Both ends of one session.
pub(crate) struct Demo {
    pub(crate) client: Session,
    pub(crate) server: Session,
}

impl Demo {
    pub(crate) async fn start() -> anyhow::Result<Demo> {
        let config = Config::builder().inspection(true).build()?;
        let listener = Listener::bind_with("127.0.0.1:0", &config).await?;
        let client = connect_with(listener.local_addr()?, &config).await?;
        let (server, _) = listener.accept().await?;
        for (kind, count) in KINDS {
            for _ in 0..count {
                tokio::spawn(send(client.open().await?, kind));
            }
        }
        tokio::spawn(serve(server.clone()));
        let unseen = client.open().await?;
        // Last, so that it is what the server leaves.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            send(unseen, FAST).await
        });
        Ok(Demo { client, server })
    }

    /// Waits until those who are to get stuck are, or for ten seconds.
    pub(crate) async fn settled(&self) {
        let waits = |session: &Session, what: Waiting| {
            let streams = session.inspect().streams;
            let all = streams.iter().flat_map(|stream| [stream.reading, stream.writing]);
            all.flatten().filter(|wait| wait.what == what).count()
        };
        for _ in 0..500 {
            let is_stuck = waits(&self.client, Waiting::Credit) >= 2
                && waits(&self.client, Waiting::Data) >= 2
                && waits(&self.server, Waiting::Reader) >= 2
                && waits(&self.server, Waiting::Accept) >= 1;
            if is_stuck {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The client's side of a stream: asks a question, or sends for ever, some 20 MiB a second.
async fn send(mut stream: Stream, kind: u8) -> std::io::Result<()> {
    stream.write_all(&[kind]).await?;
    if kind == SILENT {
        stream.read_u8().await?;
        return Ok(());
    }
    loop {
        stream.write_all(&[0; 200 * 1024]).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn serve(session: Session) -> anyhow::Result<()> {
    for _ in 0..ACCEPTED {
        tokio::spawn(treat(session.accept().await?));
    }
    session.closed().await;
    Ok(())
}

/// The server's side of a stream.
async fn treat(mut stream: Stream) -> std::io::Result<()> {
    let kind = stream.read_u8().await?;
    let mut room = vec![0; 64 * 1024];
    let pause = match kind {
        ASLEEP | SILENT => Duration::from_secs(1_000_000),
        SLOW => Duration::from_millis(500),
        _ => Duration::ZERO,
    };
    loop {
        tokio::time::sleep(pause).await;
        if stream.read(&mut room).await? == 0 {
            return Ok(());
        }
    }
}
