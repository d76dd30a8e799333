//! Who gets which connections of the port.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use muxado_sniff::{
    Limits, Listener, Matcher, Sniffed, Sniffer, any, http1, http2, http2_header_prefix, muxado, one_of, ssh,
    tls,
};
use muxado_tokio::{Config, Session, tune};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tonic::transport::Server;

/// How long a handshake may take: the sniffer's limit is over with the ClientHello.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves everything until the port breaks.
pub(crate) async fn all(port: TcpListener, limits: Limits) -> anyhow::Result<()> {
    let mut sniffer = Sniffer::tokio(limits);
    // The most particular first: gRPC is HTTP/2 too.
    let grpc = sniffer.listen(http2_header_prefix("content-type", "application/grpc").answering());
    let web = sniffer.listen(either_http());
    let secure = sniffer.listen(tls());
    let sessions = sniffer.listen(muxado());
    let shells = sniffer.listen(ssh());
    let silent = sniffer.listen(any());

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("one_port", tonic_health::ServingStatus::Serving).await;
    tokio::spawn(Server::builder().add_service(health).serve_with_incoming(grpc.incoming()));
    tokio::spawn(serve_http(web, "in the clear"));
    tokio::spawn(serve_tls(secure, TlsAcceptor::from(Arc::new(certificate()?))));
    tokio::spawn(each(sessions, |connection| {
        let tcp = connection.get_ref();
        tune(tcp, &Config::default());
        let (local, peer) = (tcp.local_addr().ok(), tcp.peer_addr().ok());
        let session = Session::server(connection);
        session.set_addresses(local, peer);
        echo(session)
    }));
    tokio::spawn(each(shells, async |mut connection| {
        let _ = connection.write_all(b"SSH-2.0-nobody_is_here\r\n").await;
    }));
    tokio::spawn(each(silent, async |mut connection| {
        let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let _ = connection.write_all(format!("{time} seconds since 1970\n").as_bytes()).await;
        let _ = connection.shutdown().await;
    }));

    let error = sniffer.run(async || port.accept().await.map(|(tcp, _)| tcp)).await;
    Err(error.into())
}

fn either_http() -> impl Matcher {
    one_of(vec![Box::new(http1()), Box::new(http2())])
}

/// Serves each connection in a task of its own.
async fn each<C, F>(listener: Listener<C>, serve: impl Fn(Sniffed<C>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while let Some(connection) = listener.accept().await {
        tokio::spawn(serve(connection));
    }
}

async fn serve_http<C>(listener: Listener<C>, how: &'static str)
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let hello = move |request: Request<Incoming>| {
        let text = format!("hello over {:?}, {how}\n", request.version());
        ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text)))))
    };
    // Without a timer hyper waits for the rest of a request's head for ever.
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    each(listener, move |connection| {
        let server = server.clone();
        async move {
            let _ = server.serve_connection(TokioIo::new(connection), service_fn(hello)).await;
        }
    })
    .await;
}

/// Shakes hands, and tells apart once more what is spoken inside.
async fn serve_tls(listener: Listener<TcpStream>, acceptor: TlsAcceptor) {
    let mut inside = Sniffer::tokio(Limits::new());
    let web = inside.listen(either_http());
    let sessions = inside.listen(muxado());
    tokio::spawn(serve_http(web, "over TLS"));
    tokio::spawn(each(sessions, |connection| echo(Session::server(connection))));

    let (shaken, hands) = async_channel::bounded(16);
    tokio::spawn(each(listener, move |connection| {
        tune(connection.get_ref(), &Config::default());
        let (handshake, shaken) = (timeout(HANDSHAKE, acceptor.accept(connection)), shaken.clone());
        async move {
            if let Ok(Ok(stream)) = handshake.await {
                let _ = shaken.send(stream).await;
            }
        }
    }));
    let next = async || hands.recv().await.map_err(|_| io::Error::from(io::ErrorKind::NotConnected));
    let _ = inside.run(next).await;
}

/// Every stream gets back what it sends.
async fn echo(session: Session) {
    while let Ok(stream) = session.accept().await {
        tokio::spawn(async move {
            let (mut send, mut recv) = stream.into_split();
            let _ = tokio::io::copy(&mut recv, &mut send).await;
            let _ = send.shutdown().await;
        });
    }
}

/// A certificate that nobody trusts.
fn certificate() -> anyhow::Result<ServerConfig> {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let key = signing_key.serialize_der().try_into().map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(config.with_single_cert(vec![cert.into()], key)?)
}
