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
