//! What streams and the task of the connection share: queues in both directions and who waits for them.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

/// Bytes on their way out, for all streams together. More would only make the caches cold.
const QUEUED: usize = 256 * 1024;

/// Bytes that came in and were not read. With more nothing is read from the connection.
const UNREAD: usize = 1024 * 1024;

/// A piece that goes out in one turn, in bytes.
const PIECE: usize = 16 * 1024;

/// In the length of the header: nothing follows on this stream.
const FIN: u32 = 1 << 31;

pub(crate) const HEADER: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug, Default)]
pub(crate) struct State {
    streams: Vec<Ends>,
    /// Streams with something to send, in the order of their turns.
    ready: VecDeque<u32>,
    accepted: VecDeque<u32>,
    acceptor: Option<Waker>,
    driver: Option<Waker>,
    /// Writers that wait for room.
    writers: Vec<Waker>,
    woken: Vec<Waker>,
    queued: usize,
    unread: usize,
    closed: bool,
}

#[derive(Debug, Default)]
struct Ends {
    /// Whoever opened it has it, or whoever accepted it.
    is_known: bool,
    out: VecDeque<Bytes>,
    fin_due: bool,
    is_ready: bool,
    incoming: VecDeque<Bytes>,
    fin: bool,
    reader: Option<Waker>,
}

impl Shared {
    /// Does something under the lock, and wakes whom it concerns behind it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let (result, woken) = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (act(&mut state), std::mem::take(&mut state.woken))
        };
        woken.into_iter().for_each(Waker::wake);
        result
    }
}

impl State {
    fn stream(&mut self, id: u32) -> &mut Ends {
        let slot = id as usize;
        if slot >= self.streams.len() {
            self.streams.resize_with(slot + 1, Ends::default);
        }
        &mut self.streams[slot]
    }

    pub(crate) fn open(&mut self) -> u32 {
        let id = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        self.stream(id).is_known = true;
        id
    }

    pub(crate) fn poll_accept(&mut self, cx: &Context<'_>) -> Poll<io::Result<u32>> {
        match self.accepted.pop_front() {
            Some(id) => Poll::Ready(Ok(id)),
            None if self.closed => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => {
                self.acceptor = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// How much may be written now.
    pub(crate) fn poll_room(&mut self, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        if self.closed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.queued >= QUEUED {
            self.writers.push(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(QUEUED - self.queued))
    }

    pub(crate) fn push(&mut self, id: u32, piece: Bytes) {
        self.queued += piece.len();
        self.stream(id).out.push_back(piece);
        self.line_up(id);
        self.woken.extend(self.driver.take());
    }

    pub(crate) fn finish(&mut self, id: u32) {
        self.stream(id).fin_due = true;
        self.line_up(id);
        self.woken.extend(self.driver.take());
    }

    fn line_up(&mut self, id: u32) {
        if !std::mem::replace(&mut self.stream(id).is_ready, true) {
            self.ready.push_back(id);
        }
    }

    pub(crate) fn poll_read(&mut self, id: u32, max: usize, cx: &Context<'_>) -> Poll<io::Result<Bytes>> {
        let closed = self.closed;
        let stream = self.stream(id);
        let Some(first) = stream.incoming.front_mut() else {
            if stream.fin {
                return Poll::Ready(Ok(Bytes::new()));
            }
            if closed {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            stream.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let piece = first.split_to(max.min(first.len()));
        if first.is_empty() {
            stream.incoming.pop_front();
        }
        let was_full = self.is_full();
        self.unread -= piece.len();
        if was_full && !self.is_full() {
            self.woken.extend(self.driver.take());
        }
        Poll::Ready(Ok(piece))
    }

    fn is_full(&self) -> bool {
        self.unread >= UNREAD
    }

    /// Waits while too much is unread.
    pub(crate) fn poll_space(&mut self, waker: Waker) -> Poll<()> {
        if self.is_full() {
            self.driver = Some(waker);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Takes out headers and pieces, as much as one write is for, in turns. Leaves `waker` for when there is more.
    pub(crate) fn pull(&mut self, batch: &mut VecDeque<Bytes>, waker: Waker) {
        let mut pulled = 0;
        while pulled < QUEUED {
            let Some(id) = self.ready.pop_front() else { break };
            let stream = self.stream(id);
            let piece = stream.out.front_mut().map(|first| first.split_to(first.len().min(PIECE)));
            let piece = piece.unwrap_or_default();
            if stream.out.front().is_some_and(Bytes::is_empty) {
                stream.out.pop_front();
            }
            stream.is_ready = !stream.out.is_empty();
            let fin = stream.fin_due && !stream.is_ready;
            if stream.is_ready {
                self.ready.push_back(id);
            }
            let len = u32::try_from(piece.len()).unwrap_or(0) | if fin { FIN } else { 0 };
            let mut head = Vec::with_capacity(HEADER + piece.len().min(1024));
            head.extend_from_slice(&id.to_be_bytes());
            head.extend_from_slice(&len.to_be_bytes());
            pulled += HEADER + piece.len();
            self.queued -= piece.len();
            if piece.len() <= 1024 {
                head.extend_from_slice(&piece);
                batch.push_back(head.into());
            } else {
                batch.push_back(head.into());
                batch.push_back(piece);
            }
        }
        if pulled > 0 {
            self.woken.append(&mut self.writers);
        }
        self.driver = Some(waker);
    }

    /// Hands on what was read, as far as it is whole. What is left is less than a header, or a part of a piece.
    pub(crate) fn receive(&mut self, bytes: &mut Bytes, current: &mut Option<(u32, usize, bool)>) {
        loop {
            let (id, left, fin) = match current.take() {
                Some(current) => current,
                None if bytes.len() < HEADER => return,
                None => {
                    let (id, len) = (bytes.get_u32(), bytes.get_u32());
                    (id, (len & !FIN) as usize, len & FIN != 0)
                }
            };
            let piece = bytes.split_to(left.min(bytes.len()));
            let left = left - piece.len();
            self.unread += piece.len();
            let stream = self.stream(id);
            if !piece.is_empty() {
                stream.incoming.push_back(piece);
            }
            stream.fin |= fin && left == 0;
            let reader = stream.reader.take();
            let is_new = !std::mem::replace(&mut stream.is_known, true);
            self.woken.extend(reader);
            if is_new {
                self.accepted.push_back(id);
                self.woken.extend(self.acceptor.take());
            }
            if left > 0 {
                *current = Some((id, left, fin));
                return;
            }
        }
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.woken.append(&mut self.writers);
        self.woken.extend(self.acceptor.take());
        self.woken.extend(self.streams.iter_mut().filter_map(|stream| stream.reader.take()));
    }
}
