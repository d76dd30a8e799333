//! A session as hyper's source of connections, and its streams as those of hyper-util's client.

use std::error::Error;

use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use super::serve::serve;
use crate::{Session, SessionEnd, Stream};

/// What hyper-util's client asks of its connections.
impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Serves HTTP/1 and HTTP/2 on the streams that the peer opens, each connection in a task of its own, until the session
/// ends, and says why it did. Upgrades work.
///
/// Once [`leaving`](Session::leaving) resolves, as at the start of a [`drain`](Session::drain), requests that have
/// arrived are answered and idle streams are closed, so that the session ends as soon as the work is done.
///
/// An HTTP/1 client that ends its direction before the answer has come counts as one that has given up, as with hyper over
/// TCP: its handler is dropped, and the stream is reset. That is how HTTP clients cancel a request.
///
/// For other settings, accept the streams yourself and pass each as `TokioIo::new(stream)` to a connection builder of hyper.
///
/// ```
/// use std::convert::Infallible;
///
/// use hyper::body::Incoming;
/// use hyper::service::service_fn;
/// use hyper::{Request, Response};
/// use muxado_tokio::http::serve_hyper;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, session) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// let hello = service_fn(|_request: Request<Incoming>| async {
///     Ok::<_, Infallible>(Response::new("hello".to_owned()))
/// });
/// let serving = tokio::spawn(serve_hyper(session, hello));
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
pub async fn serve_hyper<S, B>(session: Session, service: S) -> SessionEnd
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // Without a timer hyper's own time limits, that for a request's head among them, are not in force.
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    serve(session, builder, move |_stream| service.clone()).await
}
