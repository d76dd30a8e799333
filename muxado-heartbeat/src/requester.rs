//! The task that sends beats, reads their echoes and concludes silence.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_io::AsyncRead;
use muxado_core::rt::Runtime;
use muxado_core::{Bytes, Closed, ErrorCode, Observer, Retry, Session, Stream};
use muxado_typed::StreamType;

use crate::config::{Beat, HeartbeatConfig, Policy};
use crate::proto::{Pulse, Step};
use crate::responder::FIRST;

/// What the handles and the task share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pulse: Pulse,
    /// Who waits for the next echo.
    pub(crate) waiting: Vec<Sender<Duration>>,
}

impl Shared {
    pub(crate) fn new(pulse: Pulse) -> Arc<Shared> {
        Arc::new(Shared { state: Mutex::new(State { pulse, waiting: Vec::new() }) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's requester.
pub(crate) struct Requester<R: Runtime> {
    pub(crate) runtime: R,
    /// The moment from which the pulse counts.
    pub(crate) start: Instant,
    /// To open another stream. It is given back with the last handle of the heartbeat.
    pub(crate) session: Session,
    pub(crate) observer: Observer,
    pub(crate) line: Line,
    /// What the stream has not taken of a beat yet. There may be room for a part of it only.
    pub(crate) unsent: Bytes,
    pub(crate) shared: Arc<Shared>,
    pub(crate) config: HeartbeatConfig,
    /// Says that something was changed; closed when the last handle is gone.
    pub(crate) changes: Receiver<()>,
}

/// Where beats go.
pub(crate) enum Line {
    /// Through this stream.
    Open(Stream),
    /// Through a stream that is yet to be opened.
    Shut,
    /// Nowhere: what the peer says by itself has to do.
    None,
}

impl Line {
    /// Through `stream`, which no drain is to wait for.
    pub(crate) fn through(stream: Stream) -> Line {
        stream.set_background();
        stream.set_priority(FIRST);
        Line::Open(stream)
    }

    fn stream(&mut self) -> Option<&mut Stream> {
        match self {
            Line::Open(stream) => Some(stream),
            Line::Shut | Line::None => None,
        }
    }
}

/// However the task ends: with its runtime too, or in a panic of the callback.
impl<R: Runtime> Drop for Requester<R> {
    fn drop(&mut self) {
        self.changes.close();
        // Whoever waits is woken, which is not for under the lock.
        let waiting = std::mem::take(&mut self.shared.lock().waiting);
        drop(waiting);
    }
}

/// Why the task wakes up.
enum Wake {
    /// It is time, or something was changed.
    Look,
    /// The four bytes of an echo are there.
    Echo,
    /// The stream of beats has ended.
    StreamEnded,
    /// The peer, or its session, would not take the stream of beats: it drains, or has enough of them.
    Refused,
    /// The session has ended, or nobody wants to know any more.
    Stop,
}

impl<R: Runtime> Requester<R> {
    pub(crate) async fn run(mut self) {
        let mut closed = pin!(self.observer.closed());
        let mut echo = [0; 4];
        let mut have = 0;
        while let Some(until) = self.step() {
            match self.wait(until, closed.as_mut(), &mut echo, &mut have).await {
                Wake::Look => {}
                Wake::Echo => {
                    have = 0;
                    self.take_echo(u32::from_be_bytes(echo));
                }
                // The peer answers no beats.
                Wake::StreamEnded => self.line = Line::None,
                // That was a sign of life, and so is the next refusal.
                Wake::Refused => {
                    have = 0;
                    self.line = Line::Shut;
                    self.shared.lock().pulse.refuse();
                }
                Wake::Stop => break,
            }
        }
        // Its end, without FIN: one existing peer answers that with zeros without end.
        if let Some(stream) = self.line.stream() {
            let _ = stream.reset(ErrorCode::STREAM_CANCELLED);
        }
    }

    /// Does what is due. Until when there is nothing more, or none if the session was closed.
    fn step(&mut self) -> Option<Option<Duration>> {
        loop {
            // The session's transport may take a while to close, and nobody is to be told of silence meanwhile.
            if self.observer.end().is_some() {
                return None;
            }
            let now = self.now();
            let step = {
                let state = &mut *self.shared.lock();
                if let Some(life) = self.observer.last_life() {
                    state.pulse.handle_life(life.saturating_duration_since(self.start));
                }
                state.pulse.poll(now)
            };
            match step {
                Step::Beat => self.beat(now),
                Step::Silent(lasted) => {
                    self.config.tell(Beat::Silence { lasted });
                    if let Policy::Close(code) = self.config.policy {
                        drop(self.observer.close(code, "no sign of life"));
                        return None;
                    }
                    // Without the time that telling took: a callback that takes longer than the peer may be silent would have
                    // to be called again at once, for ever.
                    let told = self.now();
                    self.shared.lock().pulse.handle_life(told);
                }
                Step::Until(instant) => return Some(Some(instant)),
                Step::Rest => return Some(None),
            }
        }
    }

    fn now(&self) -> Duration {
        self.runtime.now().saturating_duration_since(self.start)
    }

    /// Sends one, as the peer takes it: one that is never read is as good as one that never arrives.
    fn beat(&mut self, now: Duration) {
        let value = fastrand::u32(..);
        let bytes = value.to_be_bytes();
        self.unsent = match self.line {
            Line::Shut => match self.session.try_open() {
                Ok(stream) => {
                    self.line = Line::through(stream);
                    Bytes::from([StreamType::HEARTBEAT.get().to_be_bytes(), bytes].concat())
                }
                Err(_) => return self.shared.lock().pulse.miss(now),
            },
            Line::Open(_) | Line::None => Bytes::copy_from_slice(&bytes),
        };
        self.shared.lock().pulse.sent(value, now);
    }

    fn take_echo(&mut self, value: u32) {
        let now = self.now();
        let echo = {
            let state = &mut *self.shared.lock();
            state.pulse.handle_echo(value, now).map(|rtt| (rtt, std::mem::take(&mut state.waiting)))
        };
        match echo {
            Ok((rtt, waiting)) => {
                for waiting in waiting {
                    let _ = waiting.try_send(rtt);
                }
                self.config.tell(Beat::Echo { rtt });
            }
            // It does not play by the rules of this game.
            Err(_) => {
                if let Some(stream) = self.line.stream() {
                    let _ = stream.reset(ErrorCode::PROTOCOL_ERROR);
                }
                self.line = Line::None;
            }
        }
    }

    async fn wait(
        &mut self,
        until: Option<Duration>,
        mut closed: Pin<&mut Closed>,
        echo: &mut [u8; 4],
        have: &mut usize,
    ) -> Wake {
        let now = self.now();
        let mut sleep = pin!(until.map(|until| self.runtime.sleep(until.saturating_sub(now))));
        let mut changes = pin!(self.changes.recv());
        poll_fn(|cx| {
            write(self.line.stream(), &mut self.unsent, cx);
            if closed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Wake::Stop);
            }
            match changes.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Wake::Look),
                Poll::Ready(Err(_)) => return Poll::Ready(Wake::Stop),
                Poll::Pending => {}
            }
            while let Some(stream) = self.line.stream() {
                match Pin::new(stream).poll_read(cx, &mut echo[*have..]) {
                    Poll::Ready(Err(error)) if Retry::of(&error) == Retry::NotProcessed => {
                        return Poll::Ready(Wake::Refused);
                    }
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Wake::StreamEnded),
                    Poll::Ready(Ok(read)) => *have += read,
                    Poll::Pending => break,
                }
                if *have == echo.len() {
                    return Poll::Ready(Wake::Echo);
                }
            }
            match sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.poll(cx).map(|()| Wake::Look),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// Writes what is left of a beat. If the stream has failed, reading it says so.
fn write(stream: Option<&mut Stream>, unsent: &mut Bytes, cx: &mut Context<'_>) {
    let Some(stream) = stream else { return };
    while !unsent.is_empty() && matches!(stream.poll_write_chunk(cx, unsent), Poll::Ready(Ok(_))) {}
}
