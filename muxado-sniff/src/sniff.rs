//! Looking at one connection until it is known where it goes.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::decide::{Decision, Progress};
use crate::io::Io;
use crate::limits::Limits;
use crate::matcher::Matcher;
use crate::sniffed::Sniffed;

/// The least that is read at once, in bytes, if the limit leaves as much.
const CHUNK: usize = 1024;

/// A connection and the matcher that it belongs to, if it belongs to any.
pub(crate) struct Routed<C> {
    pub(crate) to: Option<usize>,
    pub(crate) connection: Sniffed<C>,
}

/// Reads until the matchers are content, or the connection has ended, or the bytes or the time are used up.
pub(crate) async fn sniff<C, P: Io<C>>(
    mut connection: C,
    matchers: Arc<Vec<Arc<dyn Matcher>>>,
    limits: Limits,
    io: P,
) -> io::Result<Routed<C>> {
    let mut late = pin!(io.sleep(limits.time));
    let mut progress = Progress::default();
    let mut seen = Vec::new();
    let mut complete = false;
    let mut answered = None;
    let to = loop {
        match progress.decide(&matchers, &seen, complete) {
            Decision::To(matcher) if complete || reacted(answered, &matchers, &seen).is_some() => {
                break Some(matcher);
            }
            Decision::Nowhere => break None,
            Decision::Answer(matcher, answer) if answered.is_none() => {
                answered = Some(matcher);
                complete = !send::<C, P>(&mut connection, answer, late.as_mut()).await?;
                continue;
            }
            _ => {}
        }
        complete = !read::<C, P>(&mut connection, &mut seen, limits.max_bytes, late.as_mut()).await?;
    };
    if let Some(reaction) = reacted(answered, &matchers, &seen) {
        seen.drain(reaction);
    }
    Ok(Routed { to, connection: Sniffed::new(connection, seen) })
}

/// Where in what was seen the peer says something to an answer, nowhere if none was sent; none if it has not said it yet.
fn reacted(answered: Option<usize>, matchers: &[Arc<dyn Matcher>], seen: &[u8]) -> Option<Range<usize>> {
    match answered.and_then(|matcher| matchers.get(matcher)) {
        Some(matcher) => matcher.reaction(seen),
        None => Some(0..0),
    }
}

/// Reads some more; false if there is no more to be had, within the limits.
async fn read<C, P: Io<C>>(
    connection: &mut C,
    seen: &mut Vec<u8>,
    max: usize,
    mut late: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<bool> {
    let len = seen.len();
    if len >= max {
        return Ok(false);
    }
    seen.resize(max.min(len + len.max(CHUNK)), 0);
    let result = poll_fn(|cx| {
        let buf = seen.get_mut(len..).unwrap_or_default();
        match or_again(P::poll_read(connection, cx, buf), cx) {
            Poll::Pending => late.as_mut().poll(cx).map(|()| Ok(0)),
            done => done,
        }
    })
    .await;
    let read = *result.as_ref().unwrap_or(&0);
    seen.truncate(len + read);
    result.map(|read| read > 0)
}

/// A step that was interrupted is taken again, soon: others have their turn first, and the time limit its look.
fn or_again<T>(step: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
    if matches!(&step, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted) {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    step
}

/// Sends an answer; false if it takes too long.
async fn send<C, P: Io<C>>(
    connection: &mut C,
    mut answer: &[u8],
    mut late: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<bool> {
    poll_fn(|cx| {
        let written = loop {
            if answer.is_empty() {
                break or_again(P::poll_flush(connection, cx), cx);
            }
            match or_again(P::poll_write(connection, cx, answer), cx) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => answer = answer.get(sent..).unwrap_or_default(),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        match written {
            Poll::Pending => late.as_mut().poll(cx).map(|()| Ok(false)),
            Poll::Ready(sent) => Poll::Ready(sent.map(|()| true)),
        }
    })
    .await
}
