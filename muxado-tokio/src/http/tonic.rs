//! A session as tonic's source of connections.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use muxado_core::Accept;
use muxado_core::face::Face;
use tonic::transport::server::Connected;

use super::StreamInfo;
use crate::turn::in_turn;
use crate::{Session, Stream};

/// What tonic's server tells about a request's connection.
impl Connected for Stream {
    type ConnectInfo = StreamInfo;

    fn connect_info(&self) -> StreamInfo {
        StreamInfo::of(self)
    }
}

/// The streams that the peer opens, for `serve_with_incoming` of tonic's server. It ends with the session. Dropping it, or the
/// future of its next item, loses no stream.
///
/// ```no_run
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use tonic::body::Body;
/// use muxado_tokio::Session;
/// use muxado_tokio::http::incoming;
/// use tonic::transport::{Error, Server};
///
/// // `greeter` is what the code that is generated for a service has: `GreeterServer::new(..)`.
/// # async fn serve<G>(session: Session, greeter: G) -> Result<(), Error>
/// # where
/// #     G: tower_service::Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
/// #     G: Clone + Send + 'static,
/// #     G::Future: Send,
/// # {
/// Server::builder().serve_with_incoming(greeter, incoming(&session)).await
/// # }
/// ```
///
/// Several services need tonic's feature `router`: `Server::builder().add_service(..).add_service(..)`.
///
/// A channel is a stream that is idle between calls; a [`drain`](Session::drain) would wait for it until its limit. If
/// you drain, serve with `serve_with_incoming_shutdown(greeter, incoming(&session), session.leaving())`.
pub fn incoming(session: &Session) -> Incoming {
    Incoming { accept: session.core().accept(), session: session.clone() }
}

/// The streams that the peer opens; see [`incoming`]. No item is an error.
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
        in_turn(cx, |cx| Pin::new(&mut self.accept).poll(cx)).map(|accepted| {
            let stream = accepted.ok()?;
            self.accept = self.session.core().accept();
            Some(Ok(Stream::from(stream)))
        })
    }
}
