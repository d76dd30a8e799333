//! A tap tells every frame, however the bytes are cut, and lets them pass as they are.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::tap::{Ear, Overheard, Tap, lines};
use muxado_core::{Config, FrameDirection, Session, Side};
use muxado_testkit::catalog::rows;
use muxado_testkit::{World, pipe, wire};

/// One of each frame, with bodies.
fn frames() -> Vec<u8> {
    [
        wire::syn(3, b"hello"),
        wire::data(3, b""),
        wire::wndinc(3, 77),
        wire::frame(9, 5, 8, b"what?"),
        wire::fin(3),
        wire::rst(5, 6),
        wire::go_away(3, 1, b"because"),
        wire::frame(wire::WNDINC, 2, 3, &77_u32.to_be_bytes()),
    ]
    .concat()
}

const LINES: [&str; 8] = [
    "DATA    id 3       length 5       flags SYN",
    "DATA    id 3       length 0       flags -",
    "WNDINC  id 3       length 4       flags -  increment 77",
    "kind 9  id 8       length 5       flags FIN|0x4",
    "DATA    id 3       length 0       flags FIN",
    "RST     id 5       length 4       flags -  StreamCancelled (6)",
    "GOAWAY  id 0       length 15      flags -  ProtocolError (1)",
    "WNDINC  id 3       length 4       flags SYN  increment 77",
];

/// What is told of `pieces`, in one direction.
fn told(direction: FrameDirection, pieces: &[&[u8]]) -> Vec<String> {
    let mut told = Vec::new();
    let mut ear = Ear::new(|overheard: Overheard| told.push(overheard.to_string()));
    for piece in pieces {
        match direction {
            FrameDirection::Received => ear.received(piece),
            FrameDirection::Sent => ear.sent(piece),
        }
    }
    told
}

#[test]
fn each_frame_is_told_once_at_every_cut() {
    let bytes = frames();
    for (direction, name) in [(FrameDirection::Received, "received"), (FrameDirection::Sent, "sent    ")] {
        let expected: Vec<String> = LINES.iter().map(|line| format!("{name}  {line}")).collect();
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(told(direction, &[head, tail]), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(told(direction, &single), expected);
    }
}

#[test]
fn malformed_bytes_are_told_once_and_then_nothing() {
    let bad = [wire::syn(3, b"fine"), wire::wndinc(3, 0), wire::data(3, b"never")].concat();
    for cut in 0..=bad.len() {
        let (head, tail) = bad.split_at(cut);
        let told = told(FrameDirection::Received, &[head, tail, &wire::fin(3)]);
        assert_eq!(
            told,
            [
                "received  DATA    id 3       length 4       flags SYN",
                "received  WNDINC frame of 0 for stream 3; nothing more is told"
            ]
        );
    }
}

#[test]
fn one_direction_that_is_lost_leaves_the_other() {
    let mut told = Vec::new();
    let mut ear = Ear::new(|overheard: Overheard| told.push(overheard.to_string()));
    ear.sent(&[0; 8]);
    ear.sent(&[0; 8]);
    ear.received(&wire::fin(3));
    assert_eq!(told.len(), 2, "{told:?}");
}

/// Whatever a peer sends, a tap tells the same for any cut, and does not panic.
#[test]
fn every_row_of_the_catalog_is_told_the_same_in_pieces() {
    for row in rows() {
        let bytes = row.bytes();
        let whole = told(FrameDirection::Received, &[&bytes]);
        for size in [1, 3, 8, 1000] {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(told(FrameDirection::Received, &pieces), whole, "{} by {size}", row.name);
        }
    }
}

/// A transport that takes and gives a few bytes at a time.
struct Crumbs {
    to_read: Vec<u8>,
    written: Vec<u8>,
    most: usize,
}

impl AsyncRead for Crumbs {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = self.most.min(buf.len()).min(self.to_read.len());
        for (to, from) in buf.iter_mut().zip(self.to_read.drain(..len)) {
            *to = from;
        }
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Crumbs {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let len = self.most.min(buf.len());
        self.written.extend_from_slice(&buf[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut left = self.most;
        for buf in bufs {
            let len = left.min(buf.len());
            self.written.extend_from_slice(&buf[..len]);
            left -= len;
        }
        Poll::Ready(Ok(self.most - left))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// Writes all of `bytes`, in slices of `size` if they are to be vectored.
fn write_all(tap: &mut Tap<Crumbs, impl FnMut(Overheard) + Unpin>, bytes: &[u8], size: Option<usize>) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut at = 0;
    while at < bytes.len() {
        let written = match size {
            None => Pin::new(&mut *tap).poll_write(&mut cx, &bytes[at..]),
            Some(size) => {
                let slices: Vec<IoSlice<'_>> = bytes[at..].chunks(size).map(IoSlice::new).collect();
                Pin::new(&mut *tap).poll_write_vectored(&mut cx, &slices)
            }
        };
        let Poll::Ready(Ok(len)) = written else { panic!("{written:?}") };
        at += len;
    }
}

#[test]
fn bytes_and_errors_pass_as_they_are() {
    let bytes = [frames(), vec![0; 40]].concat();
    for most in [1, 2, 7, 8, 9, 20, 500] {
        for size in [None, Some(1), Some(3), Some(50)] {
            let mut told = Vec::new();
            let io = Crumbs { to_read: bytes.clone(), written: Vec::new(), most };
            let mut tap = Tap::new(io, |overheard: Overheard| told.push(overheard.to_string()));
            write_all(&mut tap, &bytes, size);
            let mut read = Vec::new();
            futures_util::FutureExt::now_or_never(tap.read_to_end(&mut read)).unwrap().unwrap();
            let mut cx = Context::from_waker(Waker::noop());
            assert!(matches!(Pin::new(&mut tap).poll_flush(&mut cx), Poll::Ready(Err(_))));
            assert!(Pin::new(&mut tap).poll_close(&mut cx).is_pending());
            assert_eq!(tap.get_ref().most, most);
            let io = tap.into_inner();
            assert_eq!((io.written, read), (bytes.clone(), bytes.clone()), "{most} {size:?}");
            assert_eq!(told.len(), 2 * (LINES.len() + 1), "{told:#?}");
        }
    }
}

/// What is written is kept by whoever holds another clone.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_session_over_tapped_halves_is_told_line_by_line() {
    let world = World::new();
    let (near, far) = pipe(1 << 16);
    let page = Page::default();
    let (session, driver) = Session::from_halves(
        Side::Client,
        Tap::new(near.read, lines("client", page.clone())),
        Tap::new(near.write, lines("client", page.clone())),
        &Config::default(),
        world.clone(),
    );
    world.spawn(async { drop(driver.vectored(true).await) });
    let lane = far.write.lane();
    world.block_on(async {
        let mut stream = session.open().await.unwrap();
        stream.write_all(&[7; 5000]).await.unwrap();
        world.settle();
        lane.inject(&wire::data(3, b"x"));
        stream.read_exact(&mut [0]).await.unwrap();
    });
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        text,
        "client: sent      DATA    id 3       length 5000    flags SYN\n\
         client: received  DATA    id 3       length 1       flags -\n"
    );
}
