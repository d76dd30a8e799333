//! Answers the peer's beats: each four bytes that come go back, until the stream ends (S91).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_lock::Semaphore;
use futures_io::{AsyncRead, AsyncWrite};
use muxado_core::{ErrorCode, Observer, Stream};

/// The highest: beats and echoes go out before all that waits in other streams.
pub(crate) const FIRST: i8 = i8::MAX;

/// Streams of beats that are answered at a time (B29).
pub(crate) const RESPONDERS: usize = 4;

/// Beats that are answered in a row before others have their turn. A peer that plays by the rules sends one at a time.
const TURN: usize = 16;

/// Who answers now. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Responders(Arc<Semaphore>);

impl Responders {
    pub(crate) fn new() -> Responders {
        Responders(Arc::new(Semaphore::new(RESPONDERS)))
    }

    /// The future that answers one stream of beats; none, and the stream is refused, if there are enough.
    pub(crate) fn answer(
        &self,
        stream: Stream,
        observer: Observer,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let Some(place) = self.0.try_acquire_arc() else {
            let _ = stream.refuse_after_header();
            return None;
        };
        Some(async move {
            respond(stream, &observer).await;
            drop(place);
        })
    }
}

/// Until the peer ends the stream, or the session has ended. A session that drains is still asked whether it is alive, by a
/// peer that waits for what it has begun.
pub(crate) async fn respond(mut stream: Stream, observer: &Observer) {
    stream.set_background();
    stream.set_priority(FIRST);
    let mut echo = Echo::default();
    poll_fn(|cx| echo.poll(cx, &mut stream)).await;
    if observer.end().is_none() && stream.finish().is_err() {
        let _ = stream.reset(ErrorCode::STREAM_CANCELLED);
    }
}

/// Four bytes at a time, read and then written: a peer that reads no echoes is not read either.
#[derive(Default)]
struct Echo {
    bytes: [u8; 4],
    read: usize,
    written: usize,
}

impl Echo {
    /// Ready once the stream has ended, in whatever way.
    fn poll(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<()> {
        for _ in 0..TURN {
            while self.read < self.bytes.len() {
                match Pin::new(&mut *stream).poll_read(cx, &mut self.bytes[self.read..]) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(read)) => self.read += read,
                    Poll::Pending => return Poll::Pending,
                }
            }
            while self.written < self.bytes.len() {
                match Pin::new(&mut *stream).poll_write(cx, &self.bytes[self.written..]) {
                    Poll::Ready(Ok(written)) => self.written += written,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            (self.read, self.written) = (0, 0);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
