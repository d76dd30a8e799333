//! A session as a connector.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use muxado_core::face::Face;
use muxado_core::{Open, OpenError};
use tower_service::Service;

use crate::turn::in_turn;
use crate::{Session, Stream};

/// Opens a stream, whatever the address: there is one peer. For hyper-util's client and tonic's channel. It is always ready:
/// where [`open`](Session::open) would wait, the call does.
impl Service<Uri> for Session {
    type Response = TokioIo<Stream>;
    type Error = OpenError;
    type Future = Connecting;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), OpenError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _address: Uri) -> Connecting {
        Connecting(self.core().open())
    }
}

/// The future of a session as a connector. Dropping it gives up the place in line, and nothing else.
///
/// ```
/// use tower_service::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (near, far) = tokio::io::duplex(4096);
/// # let (client, server) = (muxado_tokio::Session::client(near), muxado_tokio::Session::server(far));
/// # drop(server);
/// let mut connector = client.clone(); // what a client of HTTP does with it
/// let stream = connector.call("http://the-peer/".parse()?).await?;
/// # drop(stream);
/// # Ok(())
/// # }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Connecting(Open);

impl Future for Connecting {
    type Output = Result<TokioIo<Stream>, OpenError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        in_turn(cx, |cx| Pin::new(&mut self.0).poll(cx)).map_ok(|stream| TokioIo::new(Stream::from(stream)))
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connecting")
    }
}
