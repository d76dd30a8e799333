//! Accepted streams whose type has not come yet. Each is waited for by itself, so that none holds up another (S90, B28).

use std::collections::VecDeque;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_io::AsyncRead;
use muxado_core::{Accept, AcceptError, ErrorCode, Session, Stream};

use crate::stream_type::StreamType;

/// How long the type of a stream may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The streams, the oldest first.
#[derive(Debug)]
pub(crate) struct Waiting {
    streams: VecDeque<Nameless>,
    most: usize,
}

/// One stream, with what has come of its type.
#[derive(Debug)]
struct Nameless {
    stream: Stream,
    bytes: [u8; 4],
    len: usize,
    /// Its time is over: what has come has come, and nothing more is waited for.
    is_late: bool,
}

impl Waiting {
    /// None yet. As many may wait for their type as may wait to be accepted (B28).
    pub(crate) fn new(backlog: usize) -> Waiting {
        Waiting { streams: VecDeque::new(), most: backlog.max(1) }
    }

    /// Takes in what the session has to accept, and gives the first stream whose type is there.
    ///
    /// When as many wait as may, a new one takes the place of the oldest: a silent stream is no reason to turn away one
    /// that may speak. No more are taken in at once than may wait, however fast they come: others want their turn.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        session: &Session,
        accept: &mut Accept,
        now: impl Fn() -> Instant,
    ) -> Poll<Result<(StreamType, Stream), AcceptError>> {
        let mut taken_in = 0;
        let ended = loop {
            if taken_in == self.most {
                cx.waker().wake_by_ref();
                break None;
            }
            match Pin::new(&mut *accept).poll(cx) {
                Poll::Ready(Ok(stream)) => {
                    taken_in += 1;
                    stream.set_read_deadline(now().checked_add(PATIENCE));
                    self.streams.push_back(Nameless { stream, bytes: [0; 4], len: 0, is_late: false });
                    *accept = session.accept();
                    let oldest = (self.streams.len() > self.most).then(|| self.streams.pop_front()).flatten();
                    // Its type may have come since it was last asked.
                    match oldest.map(|mut oldest| (oldest.poll(cx), oldest)) {
                        Some((Poll::Ready(true), oldest)) => return Poll::Ready(Ok(oldest.into_typed())),
                        Some((_, oldest)) => oldest.give_up(),
                        None => {}
                    }
                }
                Poll::Ready(Err(error)) => break Some(error),
                Poll::Pending => break None,
            }
        };
        let mut at = 0;
        while at < self.streams.len() {
            match self.streams[at].poll(cx) {
                Poll::Pending => at += 1,
                Poll::Ready(typed) => {
                    let Some(nameless) = self.streams.remove(at) else { continue };
                    match typed {
                        true => return Poll::Ready(Ok(nameless.into_typed())),
                        false => nameless.give_up(),
                    }
                }
            }
        }
        match ended {
            // Nothing of an ended session is waited for: those that are left have said all.
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }
}

impl Nameless {
    /// Ready when the type is there, or never will be.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.len < self.bytes.len() {
            match Pin::new(&mut self.stream).poll_read(cx, &mut self.bytes[self.len..]) {
                // It may have come in time: whoever accepts may be the one who is late.
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::TimedOut && !self.is_late => {
                    self.is_late = true;
                    self.stream.set_read_deadline(None);
                }
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(read)) => self.len += read,
                Poll::Pending if self.is_late => return Poll::Ready(false),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(true)
    }

    fn into_typed(self) -> (StreamType, Stream) {
        self.stream.set_read_deadline(None);
        (StreamType::from_bytes(self.bytes), self.stream)
    }

    fn give_up(mut self) {
        let _ = self.stream.reset(ErrorCode::STREAM_CANCELLED);
    }
}
