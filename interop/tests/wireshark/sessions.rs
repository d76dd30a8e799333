//! Sessions of ours in memory, with a note of what each side sends, in turn: above TLS and below it.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use muxado_testkit::certs::{Authority, HOST};
use muxado_tokio::core::Side;
use muxado_tokio::tls::{ALPN, rustls};
use muxado_tokio::{ErrorCode, Session, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::capture::Turn;

/// What was sent so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Turn>>>);

impl Log {
    pub(crate) fn turns(&self) -> Vec<Turn> {
        self.0.lock().unwrap().clone()
    }

    fn tap<T>(&self, from: Side, inner: T) -> Tap<T> {
        Tap { inner, from, log: self.clone() }
    }
}

/// A transport, and a note of what is written to it.
struct Tap<T> {
    inner: T,
    from: Side,
    log: Log,
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // Noted before the other side can have read it and answered.
        let log = self.log.clone();
        let mut turns = log.0.lock().unwrap();
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        if written > 0 {
            turns.push(Turn { from: self.from, bytes: buf[..written].to_vec() });
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Plays `play` with two sessions that talk to each other, closes the client's, and returns all that was sent.
pub(crate) fn plain(play: impl AsyncFnOnce(&Session, &Session)) -> Vec<Turn> {
    let log = Log::default();
    wait(async {
        let (near, far) = duplex(1 << 16);
        let client = Session::client(log.tap(Side::Client, near));
        let server = Session::server(log.tap(Side::Server, far));
        play(&client, &server).await;
        close(&client, &server).await;
    });
    log.turns()
}

/// The same over TLS. What was said inside, and what could be seen outside; the keys are in `keys`.
pub(crate) fn tls(keys: &Path, play: impl AsyncFnOnce(&Session, &Session)) -> (Vec<Turn>, Vec<Turn>) {
    let (inside, outside) = (Log::default(), Log::default());
    let authority = Authority::new();
    let (mut client, mut server) = (authority.client(), authority.server());
    client.alpn_protocols = vec![ALPN.to_vec()];
    server.alpn_protocols = vec![ALPN.to_vec()];
    client.key_log = Arc::new(Keys(keys.to_owned()));
    wait(async {
        let (near, far) = duplex(1 << 16);
        let connector = TlsConnector::from(Arc::new(client));
        let (near, far) = tokio::join!(
            connector.connect(HOST.try_into().unwrap(), outside.tap(Side::Client, near)),
            TlsAcceptor::from(Arc::new(server)).accept(outside.tap(Side::Server, far)),
        );
        let client = Session::client(inside.tap(Side::Client, near.unwrap()));
        let server = Session::server(inside.tap(Side::Server, far.unwrap()));
        play(&client, &server).await;
        close(&client, &server).await;
    });
    (inside.turns(), outside.turns())
}

async fn close(client: &Session, server: &Session) {
    client.close(ErrorCode::NO_ERROR, "bye").await;
    server.closed().await;
}

/// As rustls's own, but for a file of the test's choice.
#[derive(Debug)]
struct Keys(std::path::PathBuf);

impl rustls::KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        use std::fmt::Write as _;
        use std::io::Write as _;
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
        };
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        writeln!(file, "{label} {} {}", hex(client_random), hex(secret)).unwrap();
    }
}

/// Streams of both sides, one after the other and at once, ended in every way.
pub(crate) async fn small_talk(client: &Session, server: &Session) {
    let (mut asking, mut asked) = opened(client, server, b"who is there?").await;
    asking.shutdown().await.unwrap();
    assert_eq!(read_all(&mut asked).await, b"who is there?");
    asked.write_all(&[b'a'; 3000]).await.unwrap();
    asked.shutdown().await.unwrap();
    assert_eq!(read_all(&mut asking).await.len(), 3000);

    let (mut pushing, mut pushed) = opened(server, client, b"news").await;
    pushed.read_exact(&mut [0; 4]).await.unwrap();
    pushed.reset(ErrorCode::STREAM_CANCELLED).unwrap();
    assert!(pushing.read(&mut [0; 1]).await.is_err());

    // Begun together, so that they share what goes out.
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = client.open().await.unwrap();
        stream.write_all(b"one of four").await.unwrap();
        stream.shutdown().await.unwrap();
        streams.push(stream);
    }
    for mut stream in streams {
        let mut other = server.accept().await.unwrap();
        assert_eq!(read_all(&mut other).await, b"one of four");
        other.shutdown().await.unwrap();
        assert_eq!(read_all(&mut stream).await, b"");
    }
}

/// More than a window, from the client to a reader that keeps up.
pub(crate) async fn bulk(client: &Session, server: &Session) {
    let (mut near, mut far) = opened(client, server, b"").await;
    let data: Vec<u8> = (0..1_200_000_u32).map(|at| (at % 251) as u8).collect();
    let send = async {
        near.write_all(&data).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let ((), received) = tokio::join!(send, read_all(&mut far));
    assert_eq!(received, data);
}

/// A stream, at both of its ends.
async fn opened(from: &Session, to: &Session, first: &[u8]) -> (Stream, Stream) {
    let mut near = from.open().await.unwrap();
    near.write_all(first).await.unwrap();
    near.flush().await.unwrap();
    (near, to.accept().await.unwrap())
}

pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}
