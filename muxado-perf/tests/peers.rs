//! Each end against somebody else: other versions, wrong contents, other programs. What this program says first and what
//! it says of bulk stands here as bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io;
use std::process::Stdio;

use muxado_tokio::{ErrorCode, Listener, Session, Stream, connect};
use muxado_typed::Typed;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const LOCAL: &str = "127.0.0.1:0";

const HELLO: u32 = 0x7065_7200;
const UPLOAD: u32 = 0x7065_7201;
const DOWNLOAD: u32 = 0x7065_7202;
const ECHO: u32 = 0x7065_7203;

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muxado-perf"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The error of a client of whatever listens at `address`.
async fn error(address: &str, options: &[&str]) -> String {
    let output = program(&["client", address, "--json"]).args(options).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["error"].as_str().unwrap().to_owned()
}

/// A server of ours and its addresses for sessions and for raw TCP.
async fn server() -> (Child, String, String) {
    let mut process = program(&["server", "--listen", LOCAL, "--raw", LOCAL]).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut addresses = Vec::new();
    while addresses.len() < 2 {
        let line = log.next_line().await.unwrap().unwrap();
        if let Some(rest) = line.strip_prefix("listening on ") {
            addresses.push(rest.split(',').next().unwrap().to_owned());
        }
    }
    // Goes on reading, so that the server can go on writing.
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    let raw = addresses.pop().unwrap();
    (process, addresses.pop().unwrap(), raw)
}

fn terms() -> Value {
    json!({"seconds": 1000, "streams": 100, "raw": null, "settings": {"window": 262_144, "extra_credit": 0,
        "max_frame": 16_384, "send_queue": 262_144, "session_send_queue": 524_288}})
}

/// A server that says hello with `answer`, and does `serve` with all streams but the first.
async fn impostor<F>(answer: Value, serve: fn(u32, Stream) -> F) -> String
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = Listener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (session, _) = listener.accept().await.unwrap();
        let typed = Typed::new(session);
        while let Ok(stream) = typed.accept().await {
            let (number, mut stream) = (stream.stream_type().get(), stream.into_inner());
            if number == HELLO {
                let mut hello = String::new();
                stream.read_to_string(&mut hello).await.unwrap();
                assert_eq!(hello, r#"{"version":1,"window":262144}"#);
                stream.write_all(answer.to_string().as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            } else {
                tokio::spawn(serve(number, stream));
            }
        }
    });
    address
}

/// Does everything, and everything wrong.
async fn wrong(number: u32, mut stream: Stream) -> io::Result<()> {
    match number {
        UPLOAD => {
            let mut first = [0; 1000];
            stream.read_exact(&mut first).await?;
            stream.write_all(&[1, 0, 0, 0, 0, 0, 0, 3, 0xE8]).await?;
        }
        DOWNLOAD => {
            let mut order = [0; 12];
            stream.read_exact(&mut order).await?;
            assert_eq!(order, [0, 0, 0, 0, 0, 0, 0x75, 0x30, 0, 1, 0, 0]);
            stream.write_all(&[0; 30_000]).await?;
        }
        ECHO => {
            let mut message = [0; 64];
            stream.read_exact(&mut message).await?;
            message[63] ^= 1;
            stream.write_all(&message).await?;
        }
        other => panic!("a stream of type {other}"),
    }
    stream.shutdown().await?;
    while stream.read(&mut [0; 1000]).await? > 0 {}
    Ok(())
}

#[tokio::test]
async fn wrong_contents_are_an_error_and_no_result() {
    let answer = json!({"version": 1, "refused": null, "terms": terms()});
    for (test, message) in [
        ("upload", "upload: wrong bytes reached the server, behind 1000"),
        ("download", "download: wrong bytes came, behind 0"),
        ("latency", "latency: a message came back changed"),
        ("streams", "streams: a stream brought back something else than was sent"),
    ] {
        let address = impostor(answer.clone(), wrong).await;
        let found = error(&address, &["--bytes", "30000", "--count", "3", "--test", test]).await;
        assert_eq!(found, message);
    }
}

/// Ends a download and an upload too early, as if that were all.
async fn short(_number: u32, mut stream: Stream) -> io::Result<()> {
    let mut first = [0; 12];
    stream.read_exact(&mut first).await?;
    stream.shutdown().await?;
    while stream.read(&mut [0; 1000]).await? > 0 {}
    Ok(())
}

#[tokio::test]
async fn less_than_was_asked_for_is_an_error() {
    let answer = json!({"version": 1, "refused": null, "terms": terms()});
    for (test, message) in [
        ("upload", "upload: 30000 bytes were sent, 0 arrived"),
        ("download", "download: the server ended a download of its own accord, at 0"),
    ] {
        let address = impostor(answer.clone(), short).await;
        assert_eq!(error(&address, &["--bytes", "30000", "--test", test]).await, message);
    }
}

#[tokio::test]
async fn another_version_is_told_as_such() {
    let address = impostor(json!({"version": 2, "something": "new"}), wrong).await;
    let found = error(&address, &[]).await;
    assert!(found.contains("version 2") && found.contains("use the same build at both ends"), "{found}");
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_told_as_such() {
    // One that speaks something else.
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        tcp.shutdown().await.unwrap();
        while tcp.read(&mut [0; 1000]).await.is_ok_and(|count| count > 0) {}
    });
    let found = error(&address, &[]).await;
    assert!(found.contains("is no server of muxado-perf"), "{found}");

    // One that speaks muxado, and returns everything.
    let listener = Listener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (session, _) = listener.accept().await.unwrap();
        while let Ok(stream) = session.accept().await {
            let (mut send, mut recv) = stream.into_split();
            tokio::spawn(async move {
                tokio::io::copy(&mut recv, &mut send).await?;
                send.shutdown().await
            });
        }
    });
    let found = error(&address, &[]).await;
    assert!(found.contains("is no server of muxado-perf") && found.contains("not understood"), "{found}");
}

/// Says hello as a client of ours, and hears the answer.
async fn greet(address: &str, hello: &str) -> (Typed<Session>, Value) {
    let typed = Typed::new(connect(address).await.unwrap());
    let mut stream = typed.open(HELLO).await.unwrap();
    stream.write_all(hello.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    (typed, serde_json::from_slice(&answer).unwrap())
}

const GOOD: &str = r#"{"version":1,"window":262144}"#;

#[tokio::test]
async fn the_server_finds_wrong_bytes_in_an_upload() {
    let (_process, address, _) = server().await;
    let (typed, answer) = greet(&address, GOOD).await;
    assert_eq!(answer["version"], 1);
    let mut stream = typed.open(UPLOAD).await.unwrap();
    stream.write_all(&[0; 5000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn the_server_refuses_what_it_does_not_know() {
    let (_process, address, _) = server().await;
    let (typed, _) = greet(&address, GOOD).await;
    // An unknown type, a second hello, and a download in writes of no bytes.
    let unknown = typed.open(7_u32).await.unwrap();
    let again = typed.open(HELLO).await.unwrap();
    let mut nothing = typed.open(DOWNLOAD).await.unwrap();
    nothing.write_all(&[0; 12]).await.unwrap();
    for mut stream in [unknown, again, nothing] {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    // Which leaves the session as it was.
    let mut stream = typed.open(ECHO).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echo = String::new();
    stream.read_to_string(&mut echo).await.unwrap();
    assert_eq!(echo, "hello");
}

#[tokio::test]
async fn the_server_sends_those_away_who_do_not_say_hello() {
    let (_process, address, _) = server().await;
    let (typed, answer) = greet(&address, r#"{"version":2,"and":"more"}"#).await;
    assert_eq!((&answer["version"], &answer["terms"]), (&json!(1), &Value::Null));
    assert!(answer["refused"].as_str().unwrap().contains("version 2"), "{answer}");
    assert_eq!(typed.get_ref().closed().await.code(), ErrorCode::PROTOCOL_ERROR);

    let typed = Typed::new(connect(&address).await.unwrap());
    let _stream = typed.open(DOWNLOAD).await.unwrap();
    assert_eq!(typed.get_ref().closed().await.code(), ErrorCode::PROTOCOL_ERROR);
}

#[tokio::test]
async fn raw_tcp_is_for_those_with_a_session() {
    let (_process, address, raw) = server().await;
    let (_typed, answer) = greet(&address, GOOD).await;
    let token: Vec<u8> = serde_json::from_value(answer["terms"]["raw"]["token"].clone()).unwrap();
    let ask = async |token: &[u8]| -> io::Result<Vec<u8>> {
        let mut tcp = TcpStream::connect(&raw).await?;
        tcp.write_all(token).await?;
        tcp.write_all(&ECHO.to_be_bytes()).await?;
        tcp.write_all(b"hello").await?;
        tcp.shutdown().await?;
        let mut echo = Vec::new();
        tcp.read_to_end(&mut echo).await?;
        Ok(echo)
    };
    assert_eq!(ask(&token).await.unwrap(), b"hello");
    // Whoever is sent away sees a reset or an end, as the system likes.
    let stranger = ask(&[0; 16]).await;
    assert!(stranger.as_ref().map_or(true, Vec::is_empty), "{stranger:?}");
}
