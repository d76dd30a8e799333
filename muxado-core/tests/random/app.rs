//! What an application does with what it holds, and what it sees.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::{AsyncRead, AsyncWrite};
use muxado_core::{Bytes, ReadError, Stream, WriteError};
use muxado_testkit::{counter, poll};

use super::node::{Handle, Op, Wait};
use super::{Run, Said};

/// The byte at `at` of what `name` says.
fn byte(name: usize, at: usize) -> u8 {
    match at {
        0 => name as u8,
        1 => (name >> 8) as u8,
        _ => (name.wrapping_mul(31) ^ at.wrapping_mul(17) ^ (at >> 8)) as u8,
    }
}

/// Our error in an I/O error.
fn ours<E: Clone + std::error::Error + Send + Sync + 'static>(error: &io::Error) -> E {
    error.get_ref().and_then(|error| error.downcast_ref::<E>()).expect("an error of ours").clone()
}

impl Run {
    pub(crate) fn took(&mut self, who: usize, stream: Stream) {
        let (send, recv) = stream.into_split();
        let name = self.said.len();
        self.said.push(Said::default());
        self.nodes[who].handles.push(Handle {
            send: Some(send),
            recv: Some(recv),
            name,
            read: Vec::new(),
            ended: false,
            failed: false,
            reads: Wait::default(),
            writes: Wait::default(),
            watches: Wait::default(),
            read_deadline: None,
            write_deadline: None,
        });
    }

    pub(crate) fn open(&mut self, who: usize) {
        let Some(session) = self.nodes[who].sessions.first() else { return };
        let op = Op::new(session.open());
        self.nodes[who].opens.push(op);
    }

    pub(crate) fn accept(&mut self, who: usize) {
        let Some(session) = self.nodes[who].sessions.first() else { return };
        let op = Op::new(session.accept());
        self.nodes[who].accepts.push(op);
    }

    /// Polls an opener, in a task of its own. Whether it was ready.
    pub(crate) fn poll_open(&mut self, who: usize, at: usize) -> bool {
        let (count, waker) = counter();
        let op = &mut self.nodes[who].opens[at];
        let Poll::Ready(opened) = poll(&mut op.future, &waker) else {
            op.wait = Wait(Some(count));
            return false;
        };
        drop(self.nodes[who].opens.remove(at));
        opened.into_iter().for_each(|stream| self.took(who, stream));
        true
    }

    /// Polls an acceptor, in a task of its own. Whether it was ready.
    pub(crate) fn poll_accept(&mut self, who: usize, at: usize) -> bool {
        let (count, waker) = counter();
        let op = &mut self.nodes[who].accepts[at];
        let Poll::Ready(accepted) = poll(&mut op.future, &waker) else {
            op.wait = Wait(Some(count));
            return false;
        };
        drop(self.nodes[who].accepts.remove(at));
        accepted.into_iter().for_each(|stream| self.took(who, stream));
        true
    }

    /// Reads up to `max` bytes in one of three ways. Whether there were any.
    pub(crate) fn read(&mut self, who: usize, at: usize, max: usize, how: usize) -> bool {
        let handle = &mut self.nodes[who].handles[at];
        let Some(recv) = &mut handle.recv else { return false };
        let (count, waker) = counter();
        let mut cx = Context::from_waker(&waker);
        let mut got = Vec::new();
        let polled: Poll<Result<(), ReadError>> = match how {
            0 => {
                let mut room = vec![0; max];
                let read = Pin::new(recv).poll_read(&mut cx, &mut room);
                read.map_ok(|len| got.extend_from_slice(&room[..len])).map_err(|error| ours(&error))
            }
            1 => {
                poll(&mut recv.read_chunk(max), &waker).map_ok(|chunk| got.extend(chunk.unwrap_or_default()))
            }
            _ => recv.poll_read_with(&mut cx, max, |piece| got.extend_from_slice(piece)).map_ok(drop),
        };
        handle.reads = Wait(Some(count).filter(|_| polled.is_pending()));
        let over = handle.ended || handle.failed;
        match polled {
            Poll::Pending => assert!(!over, "who has seen the end waits"),
            Poll::Ready(Ok(())) if got.is_empty() => {
                assert!(!handle.failed, "a clean end after a failure");
                handle.ended = true;
            }
            Poll::Ready(Ok(())) => {
                assert!(!over && got.len() <= max, "{} bytes of {max}", got.len());
                handle.read.extend_from_slice(&got);
            }
            Poll::Ready(Err(ReadError::TimedOut)) => {
                assert!(handle.read_deadline.is_some_and(|at| at <= self.world_now()), "it has time");
                return false;
            }
            Poll::Ready(Err(error)) => {
                assert!(!handle.ended, "{error} after the clean end");
                handle.failed = true;
            }
        }
        self.judge_read(who, at, got.len());
        !got.is_empty()
    }

    /// What was read, of which the last `fresh` bytes are new, is what was written, and an end is one only if it was said.
    fn judge_read(&self, who: usize, at: usize, fresh: usize) {
        let Handle { read, ended, .. } = &self.nodes[who].handles[at];
        let [low, high, ..] = read[..] else { return };
        let name = usize::from(low) | usize::from(high) << 8;
        let Said { bytes, finished } = self.said[name];
        assert!(read.len() <= bytes, "I2: more was read than was written");
        let from = read.len() - fresh;
        assert!((from..read.len()).all(|at| read[at] == byte(name, at)), "I2: something else was read");
        assert!(!ended || (finished && bytes == read.len()), "I3: a clean end at {} of {bytes}", read.len());
    }

    /// Writes `len` bytes in one of three ways, or as many as there is room for. Whether it was ready.
    pub(crate) fn write(&mut self, who: usize, at: usize, len: usize, how: usize) -> bool {
        let cut = self.dice.below(len + 1);
        let now = self.world_now();
        let handle = &mut self.nodes[who].handles[at];
        let Some(send) = &mut handle.send else { return false };
        let said = &mut self.said[handle.name];
        let bytes: Vec<u8> = (said.bytes..said.bytes + len).map(|at| byte(handle.name, at)).collect();
        let (count, waker) = counter();
        let mut cx = Context::from_waker(&waker);
        let polled: Poll<Result<usize, WriteError>> = match how {
            0 => Pin::new(send).poll_write(&mut cx, &bytes).map_err(|error| ours(&error)),
            1 => {
                let slices = [&bytes[..cut], &[], &bytes[cut..]].map(IoSlice::new);
                Pin::new(send).poll_write_vectored(&mut cx, &slices).map_err(|error| ours(&error))
            }
            _ => send.poll_write_chunk(&mut cx, &mut Bytes::from(bytes)),
        };
        handle.writes = Wait(Some(count).filter(|_| polled.is_pending()));
        match polled {
            Poll::Pending => return false,
            Poll::Ready(Ok(taken)) => {
                assert!(taken <= len && (taken > 0 || len == 0), "{taken} of {len} bytes were taken");
                said.bytes += taken;
            }
            Poll::Ready(Err(WriteError::TimedOut)) => {
                assert!(handle.write_deadline.is_some_and(|at| at <= now), "it has time");
                return false;
            }
            Poll::Ready(Err(_)) => return false,
        }
        true
    }

    pub(crate) fn finish(&mut self, who: usize, at: usize, how: usize) {
        let handle = &mut self.nodes[who].handles[at];
        let Some(send) = &mut handle.send else { return };
        let finished = match how {
            0 => send.finish().is_ok(),
            _ => {
                matches!(
                    Pin::new(send).poll_close(&mut Context::from_waker(Waker::noop())),
                    Poll::Ready(Ok(()))
                )
            }
        };
        self.said[handle.name].finished |= finished;
        // Who has finished does not wait for room.
        handle.writes = Wait::default();
    }
}
