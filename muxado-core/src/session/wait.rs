//! The futures of a session. All are cancel-safe: a place in line that is given up goes to the next.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shared::{Shared, State};
use super::wakers::WaitList;
use crate::error::{AcceptError, OpenError, SessionEnd};
use crate::stream::Stream;

/// A place in one of the session's lines.
#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
    line: fn(&mut State) -> &mut WaitList,
    ticket: Option<u64>,
}

impl Place {
    /// Asks `ask`, and waits in line while it says none.
    ///
    /// A waker must be cloned outside the lock, so that the first time it says none it is asked twice. A stream in the
    /// answer is a handle from the start: if somebody's waker panics, it is dropped and not lost.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut ask: impl FnMut(&mut State, &Arc<Shared>, Option<u64>) -> Option<T>,
    ) -> Poll<T> {
        let mut fresh: Option<Waker> = None;
        loop {
            let (ticket, shared) = (&mut self.ticket, &self.shared);
            let line = self.line;
            let (answer, waiting, left) = shared.with(|state| match ask(state, shared, *ticket) {
                Some(answer) => {
                    let left = ticket.take().and_then(|ticket| line(state).leave(ticket));
                    (Some(answer), true, left)
                }
                None => (None, line(state).wait(ticket, cx.waker(), &mut fresh), None),
            });
            // A waker that is not needed any more is dropped outside the lock, and before the answer is on its way: a value
            // that is being returned is lost if a drop panics.
            drop(left);
            match answer {
                Some(answer) => return Poll::Ready(answer),
                None if waiting => return Poll::Pending,
                None => fresh = Some(cx.waker().clone()),
            }
        }
    }

    /// Gives the place up. If it had been told already, the next in line is told of what there is.
    fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let line = self.line;
        let _left = self.shared.with(|state| line(state).leave(ticket));
    }
}

/// The future of [`Session::open`](super::Session::open).
///
/// It joins the line at its first poll; another task that polls it keeps the place, and is woken instead of the
/// previous one. *Dropping* it gives the place up, and nothing else.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::{Bytes, Open};
///
/// struct Request {
///     opening: Open, // no lifetime
///     body: Bytes,
/// }
///
/// let request = Request { opening: client.open(), body: Bytes::from("how are you?") };
/// request.opening.await?.write_chunk(request.body).await?;
/// # drop(server);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Open(Place);

impl Open {
    pub(super) fn new(shared: Arc<Shared>) -> Open {
        Open(Place { shared, line: |state| &mut state.wakers.open, ticket: None })
    }
}

impl Future for Open {
    type Output = Result<Stream, OpenError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let opened = self.0.poll(cx, |state, shared, ticket| {
            if state.wakers.open.is_behind(ticket) && state.mux.end().is_none() {
                return None;
            }
            match state.mux.open() {
                Err(OpenError::Busy) => None,
                opened => Some(opened.map(|key| Stream::new(shared.clone(), key))),
            }
        });
        opened.map_ok(Stream::hand_out)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The future of [`Session::accept`](super::Session::accept).
///
/// It joins the line at its first poll; another task that polls it keeps the place, and is woken instead of the
/// previous one. *Dropping* it loses no stream: the next in line gets it.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use futures_util::future::{Either, select};
///
/// # client.open().await.unwrap().finish().unwrap();
/// # let shutdown = std::future::pending::<()>();
/// let (mut accepting, mut shutdown) = (server.accept(), std::pin::pin!(shutdown));
/// while let Either::Left((Ok(stream), _)) = select(&mut accepting, &mut shutdown).await {
///     println!("{:?}", stream.id());
///     accepting = server.accept();
///     # drop(client.close(muxado_core::ErrorCode::NO_ERROR, ""));
/// }
/// # });
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Accept(Place);

impl Accept {
    pub(super) fn new(shared: Arc<Shared>) -> Accept {
        Accept(Place { shared, line: |state| &mut state.wakers.accept, ticket: None })
    }
}

impl Future for Accept {
    type Output = Result<Stream, AcceptError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let accepted = self.0.poll(cx, |state, shared, ticket| {
            if state.wakers.accept.is_behind(ticket) && state.mux.end().is_none() {
                return None;
            }
            let accepted = state.mux.accept().transpose();
            accepted.map(|accepted| accepted.map(|key| Stream::new(shared.clone(), key)))
        });
        accepted.map_ok(Stream::hand_out)
    }
}

impl Drop for Accept {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The future of [`Session::closed`](super::Session::closed), [`close`](super::Session::close) and
/// [`drain`](super::Session::drain). Does not keep the session open.
///
/// The task that polled it last is woken. *Dropping* it changes nothing: a close or drain goes on.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use muxado_core::Closed;
///
/// let ends: Vec<Closed> = [client, server].iter().map(|session| session.closed()).collect();
/// // The handles are gone, and with them the sessions.
/// for end in futures_util::future::join_all(ends).await {
///     assert!(end.is_clean());
/// }
/// # });
/// ```
#[derive(Debug)]
pub struct Closed(Place);

impl Closed {
    pub(super) fn new(shared: Arc<Shared>) -> Closed {
        Closed(Place { shared, line: |state| &mut state.wakers.closed, ticket: None })
    }
}

impl Future for Closed {
    type Output = SessionEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SessionEnd> {
        self.0.poll(cx, |state, _, _| if state.driver.done { state.mux.end() } else { None })
    }
}

/// The future of [`Session::leaving`](super::Session::leaving) and [`Observer::leaving`](super::Observer::leaving). Does not
/// keep the session open.
///
/// The task that polled it last is woken. *Dropping* it changes nothing.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let pair = connected(&world, 4096, &muxado_core::Config::default());
/// # let (client, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// use futures_util::FutureExt;
///
/// let mut leaving = client.leaving().fuse(); // asked again and again, in a `select!` for instance
/// assert_eq!((&mut leaving).now_or_never(), None);
/// server.go_away();
/// leaving.await;
/// # });
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Leaving(Place);

impl Leaving {
    pub(super) fn new(shared: Arc<Shared>) -> Leaving {
        Leaving(Place { shared, line: |state| &mut state.wakers.leaving, ticket: None })
    }
}

impl Future for Leaving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx, |state, _, _| state.mux.is_leaving().then_some(()))
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.leave();
    }
}
