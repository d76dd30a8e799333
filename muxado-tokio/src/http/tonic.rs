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

/// What tonic's server tells of a request's connection.
impl Connected for Stream {
    type ConnectInfo = StreamInfo;

    fn connect_info(&self) -> StreamInfo {
        StreamInfo::of(self)
    }
}

/// The streams that the peer opens, for `serve_with_incoming` of tonic's server. It ends with the session. Dropping it, or the
/// future of its next item, loses no stream.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tonic::transport::Error> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, session) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// # let routes = tonic::service::Routes::default();
/// # drop(client.close(muxado_tokio::ErrorCode::NO_ERROR, "")); // or it would serve for ever
/// let incoming = muxado_tokio::http::incoming(&session);
/// tonic::transport::Server::builder().add_routes(routes).serve_with_incoming(incoming).await
/// # }
/// ```
pub fn incoming(session: &Session) -> Incoming {
    Incoming { accept: session.core().accept(), session: session.clone() }
}

/// The streams that the peer opens; see [`incoming`]. None of them is an error.
///
/// It holds a handle of the session. The waker of the last poll that had to wait is kept.
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
