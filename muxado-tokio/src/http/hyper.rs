//! A session as hyper's source of connections, and its streams as those of hyper-util's client.

use std::error::Error;

use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use crate::{Session, SessionEnd, Stream};

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Serves HTTP/1 and HTTP/2 on the streams that the peer opens, each connection in a task of its own, until the session
/// ends, and says why it did. Upgrades work.
///
/// For other settings, accept the streams yourself and pass each as `TokioIo::new(stream)` to a connection builder of hyper.
///
/// # Cancel safety
/// Dropping the future accepts no more; what is being served goes on.
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
    while let Ok(stream) = session.accept().await {
        let (builder, service) = (builder.clone(), service.clone());
        tokio::spawn(async move {
            // What goes wrong with one connection is between it and its client, who sees it too.
            let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
    session.closed().await
}
