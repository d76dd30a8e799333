//! The programs of the book run with the peer's module, and ours talk to them.

use std::io;
use std::time::Duration;

use muxado_heartbeat::{Heartbeat, HeartbeatConfig};
use muxado_tokio::{ErrorCode, Listener, Session, connect};
use muxado_typed::Typed;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::program::{in_time, start};

const LOCAL: &str = "127.0.0.1:0";

#[tokio::test]
#[ignore = "needs the Go module: cargo xtask interop --go"]
async fn the_books_server_answers_our_client() {
    let mut server = start("peers-a-go-server", &[]);
    let address = server.line().await;
    for _ in 0..3 {
        let session = connect(address.as_str()).await.unwrap();
        // A word, nothing, a few words and, on one stream, four windows: all at once.
        let mut requests: Vec<String> =
            (0..99).map(|n| ["hello", "", "a few words"][n % 3].to_owned()).collect();
        requests.push("four windows".repeat(90_000));
        let mut asked = Vec::new();
        for request in requests {
            let session: Session = session.clone();
            asked.push(tokio::spawn(async move {
                let answer = ask(session.open().await.unwrap(), request.as_bytes()).await.unwrap();
                assert!(
                    answer == request.to_uppercase().as_bytes(),
                    "{} bytes of {}",
                    answer.len(),
                    request.len()
                );
            }));
        }
        for asked in asked {
            asked.await.unwrap();
        }
        session.close(ErrorCode::NO_ERROR, "bye").await;
        assert!(session.closed().await.is_clean());
    }
}

#[tokio::test]
#[ignore = "needs the Go module: cargo xtask interop --go"]
async fn our_server_answers_the_books_clients() {
    let listener = Listener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for client in ["peers-a-go-client", "from-muxado-from-go"] {
        let client = start(client, &[&address]);
        let (session, _) = in_time(listener.accept()).await.unwrap();
        let mut stream = in_time(session.accept()).await.unwrap();
        let mut request = String::new();
        in_time(stream.read_to_string(&mut request)).await.unwrap();
        stream.write_all(request.to_uppercase().as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(client.rest().await, "HELLO");
    }
}

#[tokio::test]
#[ignore = "needs the Go module: cargo xtask interop --go"]
async fn the_books_heartbeat_answers_our_beats_and_hands_on_other_types() {
    let listener = Listener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _client = start("peers-heartbeats-and-types-with-go", &[&address]);
    let (session, _) = in_time(listener.accept()).await.unwrap();
    let ours = Heartbeat::start(Typed::new(session), HeartbeatConfig::default()).await.unwrap();
    for kind in [1, 7, 0xFFFF_FFFE_u32] {
        ours.beat(Duration::from_secs(60)).await.unwrap();
        let answer = ask(ours.open(kind).await.unwrap(), b"hello").await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), format!("type {kind}: hello"));
    }
}

/// One request up to its end, and the answer up to its end, at the same time: either may be longer than the window.
async fn ask(stream: impl AsyncRead + AsyncWrite, request: &[u8]) -> io::Result<Vec<u8>> {
    let (mut reads, mut writes) = tokio::io::split(stream);
    let mut answer = Vec::new();
    let write = async {
        writes.write_all(request).await?;
        writes.shutdown().await
    };
    let both = async { tokio::join!(write, reads.read_to_end(&mut answer)) };
    let (written, read) = in_time(both).await;
    written.and(read)?;
    Ok(answer)
}
