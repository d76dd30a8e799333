//! A session over a WebSocket: for where only HTTP gets through. The server answers every stream and asks a question of its
//! own, so that both sides open streams.
//!
//! `cargo run -p muxado-smol --example websocket -- --serve 127.0.0.1:7000`, and elsewhere
//! `cargo run -p muxado-smol --example websocket -- 127.0.0.1:7000`.

use std::io;

use anyhow::{Context, bail};
use async_tungstenite::bytes::{ByteReader, ByteWriter};
use async_tungstenite::{WebSocketStream, accept_async, client_async};
use muxado_smol::{Config, ErrorCode, Session, Side, Smol, Stream};
use smol::future::zip;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};

fn main() -> anyhow::Result<()> {
    let mut arguments = pico_args::Arguments::from_env();
    let serve = arguments.contains("--serve");
    let address = match arguments.finish().as_slice() {
        [address] if !address.to_string_lossy().starts_with('-') => address.to_string_lossy().into_owned(),
        _ => bail!("usage: websocket [--serve] HOST:PORT"),
    };
    smol::block_on(async {
        if serve {
            let listener = TcpListener::bind(&address).await;
            let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
            println!("listening on {}", listener.local_addr()?);
            return serve_all(listener).await;
        }
        let session = connect(&address).await?;
        let (answer, asked) = zip(ask(&session, "what can you do?"), answer_one(&session)).await;
        println!("the server: {}\nit asked: {}", answer?, asked?);
        println!("{}", session.close(ErrorCode::NO_ERROR, "bye").await);
        Ok(())
    })
}

async fn serve_all(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (tcp, _) = listener.accept().await?;
        smol::spawn(async move {
            let session = accept(tcp).await?;
            println!("a client: {}", ask(&session, "who are you?").await?);
            while answer_one(&session).await.is_ok() {}
            println!("{}", session.closed().await);
            anyhow::Ok(())
        })
        .detach();
    }
}

/// The client's end.
pub async fn connect(address: &str) -> anyhow::Result<Session> {
    let tcp = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    tcp.set_nodelay(true)?;
    let (websocket, _response) = client_async(format!("ws://{address}/"), tcp).await?;
    Ok(over(websocket, Side::Client))
}

/// The server's end.
pub async fn accept(tcp: TcpStream) -> anyhow::Result<Session> {
    tcp.set_nodelay(true)?;
    Ok(over(accept_async(tcp).await?, Side::Server))
}

/// The bytes of binary messages are the transport; where one message ends and the next begins means nothing.
fn over(websocket: WebSocketStream<TcpStream>, side: Side) -> Session {
    let (sender, receiver) = websocket.split();
    let (read, write) = (ByteReader::new(receiver), ByteWriter::new(sender));
    let (session, driver) =
        muxado_smol::core::Session::from_halves(side, read, write, &Config::default(), Smol);
    Session::spawn(session, driver)
}

/// One question on a stream of its own, and its answer.
pub async fn ask(session: &Session, question: &str) -> anyhow::Result<String> {
    let mut stream = session.open().await?;
    stream.write_all(question.as_bytes()).await?;
    stream.close().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Answers the next question, and says what it was.
pub async fn answer_one(session: &Session) -> anyhow::Result<String> {
    Ok(answer(session.accept().await?).await?)
}

async fn answer(mut stream: Stream) -> io::Result<String> {
    let mut question = String::new();
    stream.read_to_string(&mut question).await?;
    stream.write_all(format!("you asked {question:?}").as_bytes()).await?;
    stream.close().await?;
    Ok(question)
}
