//! HTTP and gRPC over sessions, with the libraries that people use: streaming, cancelling, many at once, and what callers
//! see when the session ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod calls;
mod endings;
mod example;
mod grpc;

use muxado_tokio::{Listener, Session, connect};

/// The client's and the server's end of a session over TCP.
async fn connected() -> (Session, Session) {
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Until every stream of the session has ended, which is the peer's doing as much as ours.
async fn all_streams_ended(session: &Session) {
    while session.stats().streams > 0 {
        tokio::task::yield_now().await;
    }
}
