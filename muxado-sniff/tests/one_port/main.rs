//! The example one_port, with real clients of everything it serves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod programs;
mod raw;
#[path = "../../examples/one_port/serve.rs"]
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use muxado_sniff::{Limits, Sniffer, any, http1, ssh};
use muxado_tokio::{ErrorCode, Session, connect};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// The example on a port of its own.
async fn one_port(limits: Limits) -> SocketAddr {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    tokio::spawn(async move { serve::all(port, limits).await });
    address
}

async fn text(client: &Client<HttpConnector, Full<Bytes>>, address: SocketAddr) -> String {
    let request = Request::get(format!("http://{address}/")).body(Full::default()).unwrap();
    let body = client.request(request).await.unwrap().into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().into()).unwrap()
}

#[tokio::test]
async fn http1_with_keep_alive_and_http2() {
    let address = one_port(Limits::new()).await;
    let http1 = Client::builder(TokioExecutor::new()).build_http();
    for _ in 0..5 {
        assert_eq!(text(&http1, address).await, "hello over HTTP/1.1, in the clear\n");
    }
    let http2 = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    assert_eq!(text(&http2, address).await, "hello over HTTP/2.0, in the clear\n");
}

#[tokio::test]
async fn grpc() {
    let address = one_port(Limits::new()).await;
    let channel = Endpoint::try_from(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    for _ in 0..5 {
        let request = HealthCheckRequest { service: "one_port".to_owned() };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status, tonic_health::ServingStatus::Serving as i32);
    }
}

async fn echoes(session: &Session) {
    let mut stream = session.open().await.unwrap();
    stream.write_all(b"who is there?").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echo = Vec::new();
    stream.read_to_end(&mut echo).await.unwrap();
    assert_eq!(echo, b"who is there?");
}

#[tokio::test]
async fn muxado() {
    let address = one_port(Limits::new()).await;
    let session = connect(address).await.unwrap();
    echoes(&session).await;
    assert!(session.close(ErrorCode::NO_ERROR, "").await.cut().is_nothing());
}

/// Trusts everybody, as the example's certificate is its own.
#[derive(Debug)]
struct Trusting(rustls::crypto::CryptoProvider);

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn trusting() -> rustls::ClientConfig {
    let trusting = Trusting(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trusting))
        .with_no_client_auth();
    // A hello of many records, as some clients send it.
    config.max_fragment_size = Some(64);
    config
}

async fn tls(address: SocketAddr) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(trusting())).connect(name, tcp).await.unwrap()
}

/// What a client says first, of a handshake that it does not go on with.
fn client_hello() -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(trusting()), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[tokio::test]
async fn tls_with_http_and_muxado_inside() {
    let address = one_port(Limits::new()).await;
    let (mut requests, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tls(address).await)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/").header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
    let answer = requests.send_request(request).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_11);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello over HTTP/1.1, over TLS\n");

    echoes(&Session::client(tls(address).await)).await;
}

#[tokio::test]
async fn two_thousand_silent_clients_keep_nobody_out() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let address = one_port(Limits::new().max_sniffing(200)).await;
    let mut silent = Vec::new();
    for _ in 0..2000 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let http = Client::builder(TokioExecutor::new()).build_http();
    assert_eq!(text(&http, address).await, "hello over HTTP/1.1, in the clear\n");
    echoes(&connect(address).await.unwrap()).await;
}

#[tokio::test]
async fn who_says_nothing_is_served_in_the_end() {
    let address = one_port(Limits::new().time(Duration::from_millis(10))).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut time = String::new();
    silent.read_to_string(&mut time).await.unwrap();
    assert!(time.ends_with(" seconds since 1970\n"), "{time}");
}

/// The sniffer's limits end with the decision: each server has a limit of its own.
#[tokio::test(start_paused = true)]
async fn who_goes_silent_after_the_first_words_is_hung_up_on() {
    let address = one_port(Limits::new()).await;
    for words in [client_hello(), b"GET / HTTP/1.1\r\n".to_vec()] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&words).await.unwrap();
        let mut answer = Vec::new();
        let hung_up = client.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(60), hung_up).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn streams_of_a_session_can_be_told_apart_too() {
    let (near, far) = tokio::io::duplex(4096);
    let (client, server) = (Session::client(near), Session::server(far));
    let mut sniffer: Sniffer<muxado_tokio::Stream, _> = Sniffer::tokio(Limits::new());
    let (shells, web) = (sniffer.listen(ssh()), sniffer.listen(http1()));
    let rest = sniffer.listen(any());
    let said = async |words: &[u8]| {
        let mut stream = client.open().await.unwrap();
        stream.write_all(words).await.unwrap();
        stream
    };
    let asking = async {
        let kept = (said(b"GET / HTTP/1.1\r\n").await, said(b"SSH-2.0-x\r\n").await, said(b"HELO\r\n").await);
        for (listener, words) in
            [(&shells, &b"SSH-2.0-x\r\n"[..]), (&web, b"GET / HTTP/1.1\r\n"), (&rest, b"HELO\r\n")]
        {
            let mut stream = listener.accept().await.unwrap();
            let mut read = vec![0; words.len()];
            stream.read_exact(&mut read).await.unwrap();
            assert_eq!(read, words);
            assert!(stream.get_ref().id().is_some());
        }
        kept
    };
    let ended = tokio::select! {
        _kept = asking => None,
        error = sniffer.run(async || Ok(server.accept().await?)) => Some(error),
    };
    assert!(ended.is_none(), "{ended:?}");
    // The end of the session is the end of the sniffer.
    client.close(ErrorCode::NO_ERROR, "").await;
    let error = sniffer.run(async || Ok(server.accept().await?)).await;
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
}
