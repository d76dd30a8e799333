//! A session as tonic's source of connections.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use muxado_core::Accept;
use muxado_core::face::Face;
use tonic::transport::server::Connected;

use super::StreamInfo;
use crate::{Session, Stream};

impl Connected for Stream {
    type ConnectInfo = StreamInfo;

    fn connect_info(&self) -> StreamInfo {
        StreamInfo::of(self)
    }
}

/// The streams that the peer opens, for `serve_with_incoming` of tonic's server. It ends with the session.
///
/// ```no_run
/// # async fn f(session: muxado_tokio::Session, routes: tonic::service::Routes) -> Result<(), tonic::transport::Error> {
/// let incoming = muxado_tokio::http::incoming(&session);
/// tonic::transport::Server::builder().add_routes(routes).serve_with_incoming(incoming).await
/// # }
/// ```
pub fn incoming(session: &Session) -> Incoming {
    Incoming { accept: session.core().accept(), session: session.clone() }
}

/// The streams that the peer opens; see [`incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming {
    session: Session,
    accept: Accept,
}

impl futures_core::Stream for Incoming {
    type Item = io::Result<Stream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Stream>>> {
        Pin::new(&mut self.accept).poll(cx).map(|accepted| {
            let stream = accepted.ok()?;
            self.accept = self.session.core().accept();
            Some(Ok(Stream::new(stream)))
        })
    }
}
