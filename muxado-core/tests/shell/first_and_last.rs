//! What the handles do: the first thing done, the last, and everything odd in between.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Waker};

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side, Stream, StreamId};
use muxado_testkit::{World, alone, connected, pipe, wire};

#[test]
fn f54_odd_sizes_are_nothing_special() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        assert_eq!(stream.write(b"").await.unwrap(), 0);
        assert_eq!(stream.read(&mut []).await.unwrap(), 0);
        world.settle();
        assert_eq!(one.to_peer.take(), b"", "W14: an empty write sends nothing and keeps the SYN");
        stream.write_all(b"x").await.unwrap();
        world.settle();
        assert_eq!(one.to_peer.take(), b"\0\0\x01\x12\0\0\0\x03x");
    });
}

#[test]
fn both_halves_know_their_stream_and_its_transport() {
    let world = World::new();
    let (near, _far) = pipe(4096);
    let [ours, theirs] = [1, 2].map(|port| Some(std::net::SocketAddr::from(([127, 0, 0, 1], port))));
    let (session, driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    world.spawn(async move { drop(driver.await) });
    for (local, peer) in [(None, None), (ours, theirs), (theirs, None)] {
        session.set_addresses(local, peer); // nothing is said, the statement, a second one
    }
    let mut stream = world.block_on(session.open()).unwrap();
    world.block_on(stream.flush()).unwrap();
    world.settle();
    let (send, recv) = stream.into_split();
    assert_eq!((send.id(), send.local_addr(), send.peer_addr()), (StreamId::new(3), ours, theirs));
    assert_eq!((recv.id(), recv.local_addr(), recv.peer_addr()), (StreamId::new(3), ours, theirs));
}

#[test]
fn the_syn_goes_out_with_the_first_thing_done() {
    type First = fn(&mut Stream);
    let flush: First = |stream| {
        let _ = Pin::new(stream).poll_flush(&mut Context::from_waker(Waker::noop()));
    };
    let read: First = |stream| {
        let _ = Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 1]);
    };
    let shutdown: First = |stream| stream.finish().unwrap();
    let syn = b"\0\0\0\x12\0\0\0\x03";
    let fin = b"\0\0\0\x11\0\0\0\x03";
    let drop_it: &[u8] = b"\0\0\x04\0\0\0\0\x03\0\0\0\x06";
    for (first, sent, after) in [
        (flush, syn.to_vec(), drop_it),
        (read, syn.to_vec(), drop_it),
        (shutdown, [&syn[..], fin].concat(), b"" as &[u8]),
    ] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = world.block_on(one.session.open()).unwrap();
        world.settle();
        assert_eq!(one.to_peer.take(), b"", "opening sends nothing");
        first(&mut stream);
        world.settle();
        assert_eq!(one.to_peer.take(), sent);
        drop(stream);
        world.settle();
        assert_eq!(one.to_peer.take(), after);
    }
    // W15: never used, nothing sent.
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    drop(world.block_on(one.session.open()).unwrap());
    world.settle();
    assert_eq!(one.to_peer.take(), b"");
}

#[test]
fn f55_a_panic_resets_its_streams_at_once() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(b"half a thou")).unwrap();
    world.settle();
    let _ = one.to_peer.take();
    world.block_on(stream.write_all(b"ght")).unwrap();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = stream;
        panic!("the handler fails");
    }));
    assert!(unwound.is_err());
    world.settle();
    assert_eq!(one.to_peer.take(), b"\0\0\x04\0\0\0\0\x03\0\0\0\x06", "the queue is worth nothing");
}

#[test]
fn consumed_tells_what_the_peers_application_has_read() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.write_all(&[1; 100_000]).await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        world.sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(ours.consumed(), 0, "delivered, but not read");
        theirs.read_exact(&mut [0; 60_000]).await.unwrap();
        world.sleep(std::time::Duration::from_secs(1)).await;
        assert!(ours.consumed() <= 60_000);
        theirs.read_exact(&mut [0; 40_000]).await.unwrap();
        world.sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(ours.consumed(), 100_000);
    });
}

#[test]
fn chunks_cross_without_a_copy_and_in_order() {
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        let sent: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let write = async {
            ours.write_chunk(sent.clone().into()).await.unwrap();
            ours.finish().unwrap();
        };
        let read = async {
            let mut theirs = pair.server.accept().await.unwrap();
            let mut bytes = Vec::new();
            while let Some(chunk) = theirs.read_chunk(usize::MAX).await.unwrap() {
                bytes.extend_from_slice(&chunk);
            }
            bytes
        };
        assert!(join!(write, read).1 == sent);
    });
}

#[test]
fn a_stream_of_a_higher_priority_goes_first_whole_or_split() {
    for split in [false, true] {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        world.block_on(async {
            let mut low = one.session.open().await.unwrap();
            let mut high = one.session.open().await.unwrap();
            low.write_all(b"low").await.unwrap();
            high.write_all(b"high").await.unwrap();
            // The first poll of the driver is still to come.
            if split {
                let (mut send, _recv) = high.into_split();
                send.set_priority(1);
                send.finish().unwrap();
                world.settle();
            } else {
                high.set_priority(1);
                high.finish().unwrap();
                world.settle();
            }
        });
        let sent = one.to_peer.take();
        assert!(sent.starts_with(&wire::syn(3, b"high")), "{sent:?}");
    }
}

#[test]
fn slices_are_accepted_in_order_by_whole_and_split_streams() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let slices = [&b"one "[..], b"", b"two ", b"three"].map(IoSlice::new);
        let mut whole = one.session.open().await.unwrap();
        assert_eq!(whole.write_vectored(&slices).await.unwrap(), 13);
        world.settle();
        assert_eq!(one.to_peer.take(), wire::syn(3, b"one two three"));
        let (mut send, _recv) = whole.into_split();
        assert_eq!(send.write_vectored(&slices).await.unwrap(), 13);
        world.settle();
        assert_eq!(one.to_peer.take(), wire::data(3, b"one two three"));
    });
}
