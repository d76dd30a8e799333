//! The streams of a session as connections that hyper serves: until when they are accepted, and which of them is told,
//! and when, that the session is leaving.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::{Builder, UpgradeableConnection};
use muxado_core::Leaving;

use crate::{Session, SessionEnd, Stream};

/// Serves each stream with the service that `service_of` has for it, in a task of its own, until the session ends, and says
/// why it did.
///
/// It does not stop accepting when the session is leaving: what came before is served, and so is what the peer opens
/// after it has said GOAWAY (S31, S32). The session knows when nothing more can come.
pub(super) async fn serve<S, B>(
    session: Session,
    builder: Builder<TokioExecutor>,
    service_of: impl Fn(&Stream) -> S,
) -> SessionEnd
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    while let Ok(stream) = session.accept().await {
        let (begun, leaving) = (Arc::new(AtomicBool::new(false)), session.leaving());
        let (inner, begins) = (service_of(&stream), begun.clone());
        let service = service_fn(move |request| {
            begins.store(true, Ordering::Relaxed);
            inner.call(request)
        });
        let builder = builder.clone();
        tokio::spawn(async move {
            let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            run(serving, UpgradeableConnection::graceful_shutdown, leaving, &begun).await;
        });
    }
    session.closed().await
}

/// Runs one connection to its end; when the session is leaving, `shut_down` asks it to end once its work is done.
async fn run<C: Future>(
    serving: C,
    shut_down: impl FnOnce(Pin<&mut C>),
    leaving: Leaving,
    begun: &AtomicBool,
) {
    let mut serving = pin!(serving);
    let mut leaving = pin!(leaving);
    let mut late = None;
    let ended = poll_fn(|cx| {
        // This goes first: a request that has come is not turned away.
        if serving.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        let left = leaving.as_mut().poll(cx).is_ready();
        // hyper closes a connection that has said nothing yet. One that has come this late has a request to make.
        let late = *late.get_or_insert(left);
        if left && (!late || begun.load(Ordering::Relaxed)) { Poll::Ready(false) } else { Poll::Pending }
    })
    .await;
    if !ended {
        shut_down(serving.as_mut());
        // What goes wrong with one connection is between it and its client, who sees it too.
        let _ = serving.await;
    }
}
