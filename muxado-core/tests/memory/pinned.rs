//! A peer cannot make small unread payloads hold large read buffers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::AsyncRead;
use muxado_core::{Config, Session, Side};
use muxado_testkit::{World, pipe, wire};

use crate::{alone, live};

/// What stands before the one payload of each read that is worth keeping.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    /// More frames than are handled in one go, so that the payload is in what is left over.
    ManyFrames,
}

/// Reads that are as full as they can be, and of which 2 KiB are kept.
struct Wasteful {
    before: Before,
    reads: usize,
    id: u32,
}

impl AsyncRead for Wasteful {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.reads == 0 {
            return Poll::Pending;
        }
        self.reads -= 1;
        let mut bytes = Vec::new();
        if matches!(self.before, Before::ManyFrames) {
            // RST for a stream that is gone costs the peer nothing.
            bytes.extend(wire::syn_fin(3, b""));
            bytes.extend((0..260).flat_map(|_| wire::rst(3, 6)));
        }
        // 100 payloads fit the window of one stream.
        if self.reads % 100 == 99 {
            self.id += 2;
            bytes.extend(wire::syn(self.id, b""));
        }
        bytes.extend(wire::data(self.id, &[7; 2048]));
        let filler = buf.len() - bytes.len() - muxado_frame::HEADER_LEN;
        bytes.extend(wire::frame(15, 0, 1, &vec![0; filler]));
        buf.copy_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

#[test]
fn s51_b32_small_payloads_do_not_pin_large_buffers() {
    let _turn = alone();
    for before in [Before::Nothing, Before::ManyFrames] {
        let world = World::new();
        let (near, _far) = pipe(1 << 20);
        let reader = Wasteful { before, reads: 1000, id: 5 };
        let baseline = live();
        let (session, driver) =
            Session::from_halves(Side::Server, reader, near.write, &Config::default(), world.clone());
        muxado_core::rt::Runtime::spawn(&world, async move {
            driver.await;
        });
        world.settle();
        assert!(session.end().is_none(), "{before:?}: {:?}", session.end());
        let unread = session.stats().unread_bytes;
        assert_eq!(unread, 1000 * 2048, "{before:?}");
        let held = live().saturating_sub(baseline);
        // Twice the unread bytes, a MiB, and the read buffers in use and in the pool.
        let bound = 2 * unread + (1 << 20) + 10 * 256 * 1024;
        println!("{before:?}: {} KiB unread hold {} KiB", unread / 1024, held / 1024);
        assert!(held <= bound, "{before:?}: {held} bytes held for {unread} unread");
    }
}

/// Reads of which 2 KiB are for stream 1, and the rest for a stream of its own.
struct Shared {
    reads: u32,
}

impl AsyncRead for Shared {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.reads == 0 {
            return Poll::Pending;
        }
        self.reads -= 1;
        let small = [wire::syn(1, b""), wire::data(1, &[1; 2048])].concat();
        let small = &small[if self.reads == 127 { 0 } else { 8 }..];
        let large = wire::syn(3 + 2 * self.reads, &vec![2; buf.len() - small.len() - 8]);
        buf.copy_from_slice(&[small, &large].concat());
        Poll::Ready(Ok(buf.len()))
    }
}

/// While 32 MiB are unread, read buffers may be shared. Then nearly all of that is read. The little that is left, some of
/// each buffer, must not hold all of them.
#[test]
fn b03_s51_what_was_shared_while_much_was_unread_is_bounded_when_little_is() {
    let _turn = alone();
    let world = World::new();
    let (near, _far) = pipe(1 << 20);
    let baseline = live();
    let (session, driver) = Session::from_halves(
        Side::Server,
        Shared { reads: 128 },
        near.write,
        &Config::default(),
        world.clone(),
    );
    muxado_core::rt::Runtime::spawn(&world, async move {
        driver.await;
    });
    world.settle();
    let (slow, _others) = world.block_on(async {
        let slow = session.accept().await.unwrap();
        let mut others = Vec::new();
        for _ in 0..128 {
            let mut other = session.accept().await.unwrap();
            let mut left = 256 * 1024_usize - 2048 - 24;
            while left > 0 {
                left = left.saturating_sub(other.read_chunk(1 << 20).await.unwrap().unwrap().len());
            }
            others.push(other);
        }
        (slow, others)
    });
    let unread = session.stats().unread_bytes;
    assert!((256 * 1024..264 * 1024).contains(&unread), "{unread}");
    let held = live().saturating_sub(baseline);
    // 8 MiB of shared buffers, what the pool keeps, and a MiB.
    let bound = unread + (8 << 20) + 9 * 256 * 1024 + (1 << 20);
    println!("{} KiB unread hold {} KiB", unread / 1024, held / 1024);
    assert!(held <= bound, "{held} bytes held for {unread} unread");
    drop(slow);
}
