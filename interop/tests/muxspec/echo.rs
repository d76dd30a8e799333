//! An echo over the crate `muxado`, as the conformance suite wants its peers: each stream in a task of its own. One task
//! both reads and writes, because in that crate two would take each other's wake-ups.

use std::net::SocketAddr;

use crate_muxado::{Accept as _, OpenClose as _, Session as _, SessionBuilder, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most bytes read at once, and so in one frame: its frames are as long as what is written at once.
const CHUNK: usize = 16 * 1024;

/// Serves whoever dials in.
pub(crate) async fn serve(listener: TcpListener) {
    while let Ok((tcp, _)) = listener.accept().await {
        // If this fails the transport is gone, which the session finds out.
        let _ = tcp.set_nodelay(true);
        tokio::spawn(echo_all(SessionBuilder::new(tcp).server(), false));
    }
}

/// Dials in again and again, one session after the other, until nobody listens; opens a stream in each.
pub(crate) async fn dial(address: SocketAddr) {
    while let Ok(tcp) = TcpStream::connect(address).await {
        let _ = tcp.set_nodelay(true);
        echo_all(SessionBuilder::new(tcp).client(), true).await;
    }
}

async fn echo_all(session: SessionBuilder<TcpStream>, opens: bool) {
    let (mut open, mut accept) = session.start().split();
    if opens {
        if let Ok(mut stream) = open.open().await {
            tokio::spawn(async move {
                if stream.write_all(b"hello").await.is_ok() {
                    echo(stream).await;
                }
            });
        }
    }
    while let Some(stream) = accept.accept().await {
        tokio::spawn(echo(stream));
    }
}

/// Until the peer finishes. A stream that fails is dropped.
async fn echo(mut stream: Stream) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(len) = stream.read(&mut chunk).await {
        if len == 0 {
            let _ = stream.shutdown().await;
            return;
        }
        if stream.write_all(&chunk[..len]).await.is_err() {
            return;
        }
    }
}
