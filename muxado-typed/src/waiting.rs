//! Accepted streams whose type has not come yet. Each is waited for by itself, so that none holds up another (S90, B28).

use std::collections::BTreeMap;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_io::AsyncRead;
use muxado_core::{Accept, AcceptError, ErrorCode, Session, Stream};

use crate::calls::{Calls, Place};
use crate::stream_type::StreamType;

/// How long the type of a stream may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Streams that are given in a row before other work of the task has its turn.
const TURN: usize = 64;

/// The streams, and who waits for them.
#[derive(Debug)]
pub(crate) struct Waiting {
    streams: Mutex<Streams>,
    calls: Calls,
}

/// The streams, the oldest first.
#[derive(Debug)]
struct Streams {
    /// The session's next one, as long as anybody waits.
    accept: Option<Accept>,
    /// Calls when that is there.
    accepted: Waker,
    by_number: BTreeMap<u64, Nameless>,
    next: u64,
    most: usize,
    /// How many were given in a row.
    given: usize,
}

/// One stream, with what has come of its type.
#[derive(Debug)]
struct Nameless {
    stream: Stream,
    /// Calls this one by its number.
    waker: Waker,
    bytes: [u8; 4],
    len: usize,
    /// Its time is over: what has come has come, and nothing more is waited for.
    is_late: bool,
}

impl Waiting {
    /// None yet. As many may wait for their type as may wait to be accepted (B28).
    pub(crate) fn new(session: &Session) -> Waiting {
        let calls = Calls::default();
        let streams = Streams {
            accept: None,
            accepted: calls.bare_waker(),
            by_number: BTreeMap::new(),
            next: 0,
            most: session.config().accept_backlog().max(1),
            given: 0,
        };
        Waiting { streams: Mutex::new(streams), calls }
    }

    /// For somebody who will wait for streams.
    pub(crate) fn seat(&self) -> Seat<'_> {
        Seat { waiting: self, place: self.calls.place() }
    }

    /// Gives the next stream whose type is there. Now and then it gives none though there is one, and wakes at once.
    ///
    /// Whoever sleeps has looked at all there was, and is woken by whatever comes next, or has found somebody else looking,
    /// and is woken when that is over.
    pub(crate) fn poll(
        &self,
        cx: &mut Context<'_>,
        seat: &mut Seat<'_>,
        session: &Session,
        now: impl Fn() -> Instant,
    ) -> Poll<Result<(StreamType, Stream), AcceptError>> {
        seat.place.wait(cx.waker());
        let Some(streams) = self.try_lock() else { return Poll::Pending };
        // Dropped in this order: whoever is woken finds the lock free.
        let mut look = (streams, Look(&seat.place));
        look.0.poll(cx, &self.calls, session, now)
    }

    /// None while somebody else looks. Nobody waits for the lock: what is done under it, such as waking the session's
    /// task, may come back here.
    fn try_lock(&self) -> Option<MutexGuard<'_, Streams>> {
        match self.streams.try_lock() {
            Ok(streams) => Some(streams),
            Err(TryLockError::Poisoned(streams)) => Some(streams.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Where somebody waits. *Dropping* it gives the place up; with the last one, the session's next stream is for whoever else
/// accepts from it.
pub(crate) struct Seat<'a> {
    waiting: &'a Waiting,
    place: Place<'a>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if self.place.give_up() {
            // Dropped outside the lock: it may wake others.
            let _accept = self.waiting.try_lock().and_then(|mut streams| streams.accept.take());
            self.place.wake_later();
        }
    }
}

/// Somebody looks. Those who come meanwhile find the lock taken, and are woken when this is over, be it by a panic.
struct Look<'a, 'b>(&'a Place<'b>);

impl Drop for Look<'_, '_> {
    fn drop(&mut self) {
        self.0.wake_later();
    }
}

impl Streams {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        calls: &Calls,
        session: &Session,
        now: impl Fn() -> Instant,
    ) -> Poll<Result<(StreamType, Stream), AcceptError>> {
        let given = std::mem::take(&mut self.given);
        if given == TURN {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.look(cx, calls, session, now);
        if polled.is_ready() {
            self.given = given + 1;
        }
        polled
    }

    /// Takes in what the session has to accept, and gives the first stream whose type is there.
    ///
    /// When as many wait as may, a new one takes the place of the oldest: a silent stream is no reason to turn away one
    /// that may speak. No more are taken in at once than may wait, however fast they come: others want their turn.
    fn look(
        &mut self,
        cx: &mut Context<'_>,
        calls: &Calls,
        session: &Session,
        now: impl Fn() -> Instant,
    ) -> Poll<Result<(StreamType, Stream), AcceptError>> {
        let mut taken_in = 0;
        let ended = loop {
            if taken_in == self.most {
                cx.waker().wake_by_ref();
                break None;
            }
            let accept = self.accept.get_or_insert_with(|| session.accept());
            match Pin::new(accept).poll(&mut Context::from_waker(&self.accepted)) {
                Poll::Ready(Ok(stream)) => {
                    taken_in += 1;
                    self.accept = None;
                    stream.set_read_deadline(now().checked_add(PATIENCE));
                    self.take_in(stream, calls);
                    let oldest =
                        (self.by_number.len() > self.most).then(|| self.by_number.pop_first()).flatten();
                    // Its type may have come since it was last asked.
                    if let Some(typed) = oldest.and_then(|(_, oldest)| oldest.last_look()) {
                        return Poll::Ready(Ok(typed));
                    }
                }
                Poll::Ready(Err(error)) => break Some(error),
                Poll::Pending => break None,
            }
        };
        if let Some(error) = ended {
            // Nothing of an ended session is waited for: those that are left have said all.
            while let Some((_, nameless)) = self.by_number.pop_first() {
                if let Some(typed) = nameless.last_look() {
                    return Poll::Ready(Ok(typed));
                }
            }
            return Poll::Ready(Err(error));
        }
        while let Some(number) = calls.next() {
            let is_done = self.by_number.get_mut(&number).is_some_and(|nameless| nameless.poll().is_ready());
            let done = if is_done { self.by_number.remove(&number) } else { None };
            if let Some(typed) = done.and_then(Nameless::last_look) {
                return Poll::Ready(Ok(typed));
            }
        }
        Poll::Pending
    }

    fn take_in(&mut self, stream: Stream, calls: &Calls) {
        let waker = calls.waker(self.next);
        self.by_number.insert(self.next, Nameless { stream, waker, bytes: [0; 4], len: 0, is_late: false });
        self.next += 1;
    }
}

/// Nobody waits for them any more, and nobody has seen them: they are safe to retry.
impl Drop for Streams {
    fn drop(&mut self) {
        for nameless in std::mem::take(&mut self.by_number).into_values() {
            let _ = nameless.stream.refuse_after_header();
        }
    }
}

impl Nameless {
    /// Ready when the type is there, or never will be.
    fn poll(&mut self) -> Poll<bool> {
        let cx = &mut Context::from_waker(&self.waker);
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

    /// The stream by its type, if that is there; or else it is given up.
    fn last_look(mut self) -> Option<(StreamType, Stream)> {
        if self.poll() == Poll::Ready(true) {
            self.stream.set_read_deadline(None);
            return Some((StreamType::from_bytes(self.bytes), self.stream));
        }
        let _ = self.stream.reset(ErrorCode::STREAM_CANCELLED);
        None
    }
}
