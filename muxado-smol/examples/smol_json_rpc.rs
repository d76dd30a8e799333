//! Requests and responses in JSON, in both directions over one connection: whoever wants something opens a stream,
//! sends one request, ends its direction, and reads one response.
//!
//! Run it with `cargo run -p muxado-smol --example smol_json_rpc`; both ends are in this process, with TCP
//! between them.

use std::io;

use anyhow::{Context, ensure};
use muxado_smol::{ErrorCode, Listener, Session, Stream};
use serde_json::{Value, json};
use smol::io::{AsyncReadExt, AsyncWriteExt};

/// The largest request or response that is read, in bytes. The peer decides how much it sends, we how much we keep.
const MAX_MESSAGE: u64 = 64 * 1024;

fn main() -> anyhow::Result<()> {
    smol::block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let listener = Listener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let client = muxado_smol::connect(address).await?;
    let (server, _) = listener.accept().await?;

    // Either side answers, and either side asks.
    smol::spawn(answer_all(client.clone(), "client")).detach();
    smol::spawn(answer_all(server.clone(), "server")).detach();
    let (from_server, from_client) = smol::future::try_zip(
        call(&client, json!({ "method": "shout", "params": "hello" })),
        call(&server, json!({ "method": "name" })),
    )
    .await?;
    let unknown = call(&client, json!({ "method": "fly" })).await?;
    ensure!(from_server == json!({ "result": "HELLO" }) && from_client == json!({ "result": "client" }));
    ensure!(unknown.get("error").is_some());

    let end = client.close(ErrorCode::NO_ERROR, "done").await;
    ensure!(end.is_clean(), "{end}");
    Ok(())
}

/// One request, one response.
async fn call(session: &Session, request: Value) -> anyhow::Result<Value> {
    let mut stream = session.open().await?;
    stream.write_all(&serde_json::to_vec(&request)?).await?;
    // The end of the request: FIN. Our other direction stays open, for the response.
    stream.close().await?;
    let response = read_message(&mut stream).await.context("no response")?;
    println!("{:?} asks {request}\n       is told {response}", session.side());
    Ok(response)
}

/// Answers the peer's requests, each in a task of its own, until the session ends.
async fn answer_all(session: Session, name: &'static str) {
    while let Ok(stream) = session.accept().await {
        smol::spawn(async move {
            if let Err(error) = answer(stream, name).await {
                eprintln!("{name}: a request failed: {error:#}");
            }
        })
        .detach();
    }
}

async fn answer(mut stream: Stream, name: &str) -> anyhow::Result<()> {
    // If this fails the stream is dropped without its end, and the peer sees an error instead of an empty response.
    let request = read_message(&mut stream).await.context("no request")?;
    let response = match request["method"].as_str() {
        Some("shout") => {
            let text = request["params"].as_str().unwrap_or_default();
            json!({ "result": text.to_uppercase() })
        }
        Some("name") => json!({ "result": name }),
        _ => json!({ "error": "no such method" }),
    };
    stream.write_all(&serde_json::to_vec(&response)?).await?;
    stream.close().await?;
    Ok(())
}

/// Reads to the end of the peer's direction. A stream that was reset or lost before it, or a message that is too long, is an
/// error, never a short message.
async fn read_message(stream: &mut Stream) -> io::Result<Value> {
    let mut bytes = Vec::new();
    stream.take(MAX_MESSAGE + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > MAX_MESSAGE {
        return Err(io::Error::other("the message is too long"));
    }
    Ok(serde_json::from_slice(&bytes)?)
}
