//! The WebSocket example, in both directions.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../examples/websocket.rs"]
#[allow(dead_code, unreachable_pub, reason = "`main` and what only it uses")]
mod websocket;

use muxado_smol::{EndCause, ErrorCode, Session};
use smol::future::zip;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpListener;
use websocket::{accept, answer_one, ask, connect};

async fn connected() -> (Session, Session) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accepting = async { accept(listener.accept().await.unwrap().0).await };
    let (client, server) = zip(connect(&address), accepting).await;
    (client.unwrap(), server.unwrap())
}

#[test]
fn both_sides_ask_and_answer() {
    smol::block_on(async {
        let (client, server) = connected().await;
        for (here, there) in [(&client, &server), (&server, &client)] {
            let (answer, question) = zip(ask(here, "well?"), answer_one(there)).await;
            assert_eq!(
                (answer.unwrap().as_str(), question.unwrap().as_str()),
                ("you asked \"well?\"", "well?")
            );
        }
        let (ours, theirs) = zip(client.close(ErrorCode::NO_ERROR, "bye"), server.closed()).await;
        assert!(ours.cut().is_nothing(), "{ours}");
        assert!(matches!(theirs.cause(), EndCause::GoAway { .. }), "{theirs}");
    });
}

#[test]
fn much_data_goes_both_ways_at_once() {
    const SIZE: usize = 2 << 20;
    async fn exchange(session: &Session, byte: u8) -> Vec<u8> {
        let send = async {
            let mut stream = session.open().await.unwrap();
            stream.write_all(&vec![byte; SIZE]).await.unwrap();
            stream.close().await.unwrap();
        };
        let receive = async {
            let mut all = Vec::new();
            session.accept().await.unwrap().read_to_end(&mut all).await.unwrap();
            all
        };
        zip(send, receive).await.1
    }
    smol::block_on(async {
        let (client, server) = connected().await;
        let (at_client, at_server) = zip(exchange(&client, 1), exchange(&server, 2)).await;
        assert!(at_client == vec![2; SIZE] && at_server == vec![1; SIZE]);
    });
}
