//! B14 in memory: a peer that gives credit in crumbs, to a task that writes whenever it can.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::AsyncWrite;
use muxado_core::{Config, Side, Stream};
use muxado_testkit::{World, alone as alone_with, wire};

use crate::{alone, live};

/// How much a stream takes before it must wait.
fn fill(stream: &mut Stream, block: &[u8]) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let written = std::iter::from_fn(|| match Pin::new(&mut *stream).poll_write(&mut cx, block) {
        Poll::Ready(written) => Some(written.unwrap()),
        Poll::Pending => None,
    });
    written.sum()
}

/// Of 8 KiB to write there is room for one byte, each time: a queue of 16 KiB must not become 16 thousand buffers.
#[test]
fn b14_credit_in_crumbs_costs_no_buffers() {
    let _turn = alone();
    for block in [8 * 1024, 64 * 1024] {
        let world = World::new();
        let one = alone_with(&world, Side::Server, &Config::default());
        one.from_peer.inject(&wire::syn(3, b"hello"));
        let mut stream = world.block_on(one.session.accept()).unwrap();
        let block = vec![7; block];
        while fill(&mut stream, &block) > 0 {
            world.settle();
        }
        drop(one.to_peer.take());
        let before = live();
        for _ in 0..10_000 {
            one.from_peer.inject(&wire::wndinc(3, 1));
            world.settle();
            assert_eq!(fill(&mut stream, &block), 1);
        }
        drop(one.to_peer.take());
        let more = live().saturating_sub(before);
        assert!(more < 64 * 1024, "10000 crumbs of {} bytes hold {more}", block.len());
    }
}
