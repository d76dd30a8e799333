//! Each stream comes to the handler or the queue of its type, within its limit, or is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
use muxado_core::{Config, Retry, Stream};
use muxado_testkit::{Connected, Faced, World, connected};
use muxado_typed::{Router, Typed, TypedStream};

fn typed(world: &World) -> (Connected, Typed<Faced>, Typed<Faced>) {
    let pair = connected(world, 1 << 16, &Config::default());
    let on = |session: &muxado_core::Session| Typed::new(Faced::new(session, world));
    let (client, server) = (on(&pair.client), on(&pair.server));
    (pair, client, server)
}

async fn is_refused(mut stream: TypedStream<Stream>) -> bool {
    stream.get_mut().read_chunk(1).await.unwrap_err().retry() == Retry::NotProcessed
}

#[test]
fn each_type_has_its_handler_or_queue_and_an_unknown_one_is_refused() {
    let world = World::new();
    let (_pair, client, server) = typed(&world);
    let mut router = Router::new(server).handle(1, 10, |mut stream| async move {
        stream.write_all(b"one").await.unwrap();
        stream.close().await.unwrap();
    });
    let twos = router.queue(2, 10);
    let running = router;
    let tasks = world.clone();
    muxado_core::rt::Runtime::spawn(&tasks, async move { drop(running.run().await) });
    world.block_on(async {
        let mut one = client.open(1).await.unwrap();
        let mut answer = Vec::new();
        one.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"one");
        let _two = client.open(2).await.unwrap();
        assert_eq!(twos.accept().await.unwrap().stream_type().get(), 2);
        assert!(is_refused(client.open(3).await.unwrap()).await);
        let mut unwanted = client.open(2).await.unwrap();
        twos.accept().await.unwrap().refuse().unwrap();
        assert_eq!(unwanted.get_mut().read_chunk(1).await.unwrap_err().retry(), Retry::NotProcessed);
        drop(twos);
        assert!(is_refused(client.open(2).await.unwrap()).await, "nobody is there any more");
    });
}

#[test]
fn a_type_has_as_many_streams_as_it_may_and_the_others_are_not_held_up() {
    let world = World::new();
    let (pair, client, server) = typed(&world);
    let most = Arc::new(AtomicUsize::new(0));
    let count = most.clone();
    let mut router = Router::new(server).handle(1, 2, move |mut stream| {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let twos = router.queue(2, 1);
    let tasks = world.clone();
    muxado_core::rt::Runtime::spawn(&tasks, async move { drop(router.run().await) });
    world.block_on(async {
        let mut held = [client.open(1).await.unwrap(), client.open(1).await.unwrap()];
        assert!(is_refused(client.open(1).await.unwrap()).await);
        let _queued = client.open(2).await.unwrap();
        assert!(is_refused(client.open(2).await.unwrap()).await);
        held[0].close().await.unwrap();
        world.settle();
        let mut next = client.open(1).await.unwrap();
        next.flush().await.unwrap();
        world.settle();
        assert_eq!(most.load(Ordering::SeqCst), 3, "a place was free again");
        drop(pair.client.close(muxado_core::ErrorCode::NO_ERROR, ""));
        world.settle();
        assert!(twos.accept().await.is_some(), "what is in the queue is not lost");
        assert!(twos.accept().await.is_none());
    });
}

#[test]
fn limits_may_be_of_any_size() {
    let world = World::new();
    let (_pair, client, server) = typed(&world);
    let answer = |mut stream: TypedStream<Stream>| async move {
        let _ = stream.close().await;
    };
    let mut router = Router::new(server).handle(1, usize::MAX, answer).handle(2, 0, answer);
    let (wide, narrow) = (router.queue(3, usize::MAX), router.queue(4, 0));
    muxado_core::rt::Runtime::spawn(&world, async move { drop(router.run().await) });
    world.block_on(async {
        let mut one = client.open(1).await.unwrap();
        assert_eq!(one.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert!(is_refused(client.open(2).await.unwrap()).await);
        for (stream_type, queue) in [(3, wide), (4, narrow)] {
            let _stream = client.open(stream_type).await.unwrap();
            assert_eq!(queue.accept().await.unwrap().stream_type().get(), stream_type);
        }
    });
}

#[test]
fn who_waits_in_a_queue_that_is_dropped_is_refused_at_once() {
    // A channel for one is made in another way than one for more.
    for waiting in [1, 3] {
        let world = World::new();
        let (pair, client, server) = typed(&world);
        let mut router = Router::new(server);
        let twos = router.queue(2, waiting);
        muxado_core::rt::Runtime::spawn(&world, async move { drop(router.run().await) });
        world.block_on(async {
            let mut opened = Vec::new();
            for _ in 0..waiting {
                let mut two = client.open(2).await.unwrap();
                two.flush().await.unwrap();
                opened.push(two);
            }
            world.settle();
            let clone = twos.clone();
            drop(twos);
            world.settle();
            assert_eq!(pair.server.stats().streams, waiting, "there is somebody who may still want them");
            drop(clone);
            world.settle();
            for two in opened {
                assert_eq!(is_refused(two).now_or_never(), Some(true));
            }
            assert_eq!(pair.server.stats().streams, 0, "their places are free");
        });
    }
}

/// What a handler does before its future begins is part of it: a panic there costs its own stream and nothing else.
#[test]
fn a_handler_that_panics_before_it_gives_a_future_costs_its_own_stream_alone() {
    let world = World::new();
    let (_pair, client, server) = typed(&world);
    let router = Router::new(server)
        .handle(1, 1, |_stream| {
            assert!(std::hint::black_box(false), "before the future");
            async {}
        })
        .handle(2, 1, |mut stream| async move { _ = stream.close().await });
    let tasks = world.clone();
    muxado_core::rt::Runtime::spawn(&tasks, async move { drop(router.run().await) });
    for _ in 0..2 {
        let mut one = world.block_on(client.open(1)).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.settle()));
        assert!(panicked.is_err(), "in its task");
        world.settle();
        assert!(world.block_on(one.get_mut().read_chunk(1)).is_err());
    }
    let mut two = world.block_on(client.open(2)).unwrap();
    assert_eq!(world.block_on(two.get_mut().read_chunk(1)).unwrap(), None);
}
