//! A session as axum's listener.

use std::future::pending;
use std::io;

use axum::Router;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::serve::{IncomingStream, Listener};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;

use super::StreamInfo;
use super::serve::serve;
use crate::{Session, SessionEnd, Stream};

/// Each stream that the peer opens is a connection. At the end of the session it waits for ever, since axum cannot be
/// told: stop serving with `with_graceful_shutdown(session.leaving())`, so that no idle stream holds up a
/// [`drain`](Session::drain). Streams that still wait to be accepted then are refused when the last handle of the
/// session is dropped; [`serve_axum`] serves them.
impl Listener for Session {
    type Io = Stream;
    type Addr = StreamInfo;

    async fn accept(&mut self) -> (Stream, StreamInfo) {
        match Session::accept(self).await {
            Ok(stream) => {
                let info = StreamInfo::of(&stream);
                (stream, info)
            }
            Err(_ended) => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<StreamInfo> {
        let (local_addr, peer_addr) = (Session::local_addr(self), Session::peer_addr(self));
        Ok(StreamInfo { id: None, local_addr, peer_addr })
    }
}

impl Connected<IncomingStream<'_, Session>> for StreamInfo {
    fn connect_info(stream: IncomingStream<'_, Session>) -> StreamInfo {
        *stream.remote_addr()
    }
}

/// Serves an axum application on the streams that the peer opens, until the session ends, and says why it did.
///
/// Once [`leaving`](Session::leaving) resolves, as at the start of a [`drain`](Session::drain), requests that have
/// arrived are answered and idle streams are closed, so that the session ends as soon as the work is done.
///
/// An HTTP/1 client that ends its direction before the answer has come counts as one that has given up, as with hyper over
/// TCP: its handler is dropped, and the stream is reset. That is how HTTP clients cancel a request.
///
/// Handlers can ask for `ConnectInfo<StreamInfo>`. For more than this does, pass the session to `axum::serve` yourself.
///
/// ```
/// use axum::{Router, routing::get};
/// use muxado_tokio::http::serve_axum;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, session) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// let app = Router::new().route("/", get(|| async { "hello" }));
/// let serving = tokio::spawn(serve_axum(session, app));
/// # let mut request = client.open().await?;
/// # request.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
/// # let mut answer = String::new();
/// # request.read_to_string(&mut answer).await?;
/// # assert!(answer.ends_with("hello"), "{answer}");
/// # drop(client.close(muxado_tokio::ErrorCode::NO_ERROR, ""));
/// let end = serving.await?;
/// # assert!(end.is_clean());
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Dropping the future stops accepting, and drops its handle of the session; what is being served goes on.
///
/// # Panics
/// Outside a tokio runtime, as [`tokio::spawn`] does.
pub async fn serve_axum(session: Session, app: Router) -> SessionEnd {
    let mut builder = Builder::new(TokioExecutor::new());
    // What axum's own server sets: WebSockets over HTTP/2 need it.
    builder.http2().enable_connect_protocol();
    let app: Router = app.with_state(());
    serve(session, builder, move |stream| {
        let (app, info) = (TowerToHyperService::new(app.clone()), ConnectInfo(StreamInfo::of(stream)));
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(info);
            app.call(request)
        })
    })
    .await
}
