//! Whoever waits for the peer to stop a stream is told, whatever else happens on it, and nobody else notices.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use muxado_core::{Config, ErrorCode, Initiator, ResetError, Side, Stream, WriteError};
use muxado_testkit::{Alone, World, alone, connected, counter, poll, wire};

use super::waiting::{ENDS, End, make_end, settle_end};

/// A stream of ours of which the peer knows.
fn opened(world: &World) -> (Alone, Stream) {
    let one = alone(world, Side::Client, &Config::default());
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.flush()).unwrap();
    world.settle();
    let _ = one.to_peer.take();
    (one, stream)
}

fn code_of<T: std::fmt::Debug>(polled: Poll<Result<T, WriteError>>) -> ErrorCode {
    let Poll::Ready(Err(error)) = polled else { panic!("{polled:?}") };
    error.code().unwrap()
}

/// A writer, a reader and two who watch: each is told of every end, once, and hears the same.
#[test]
fn b23_every_end_is_told_to_all_who_wait() {
    for end in ENDS {
        let world = World::new();
        let (one, mut stream) = opened(&world);
        // The window and the queue are full.
        world.block_on(stream.write_all(&vec![0; 256 * 1024])).unwrap();
        world.settle();
        world.block_on(stream.write_all(&[0; 16 * 1024])).unwrap();
        let (mut send, mut recv) = stream.into_split();
        let tasks = [counter(), counter(), counter(), counter()];
        let [reader, writer, handle, future] = [0, 1, 2, 3].map(|at: usize| tasks[at].1.clone());
        let mut stopped = send.stopped();
        assert!(poll(&mut recv.read_chunk(1), &reader).is_pending());
        assert!(Pin::new(&mut send).poll_write(&mut Context::from_waker(&writer), b"x").is_pending());
        assert!(send.poll_stopped(&mut Context::from_waker(&handle)).is_pending());
        assert!(poll(&mut stopped, &future).is_pending());
        world.settle();
        if matches!(end, End::LocalReset) {
            send.reset(ErrorCode::STREAM_CANCELLED).unwrap();
        }
        make_end(end, &one);
        settle_end(end, &world);
        assert_eq!(tasks.each_ref().map(|(count, _)| count.count()), [1; 4], "{end:?}");
        let Poll::Ready(Err(error)) = poll(&mut stopped, &future) else { panic!("{end:?}: no error") };
        assert_eq!(send.poll_stopped(&mut Context::from_waker(&handle)), Poll::Ready(Err(error.clone())));
        assert_eq!(world.block_on(send.write_chunk("x".into())), Err(error.clone()), "{end:?}");
        assert_eq!(world.block_on(send.stopped()), Err(error), "{end:?}: whoever asks later too");
    }
}

#[test]
fn a_reset_after_the_request_is_told_to_who_neither_reads_nor_writes() {
    let world = World::new();
    let pair = connected(&world, 4096, &Config::default());
    world.block_on(async {
        let mut asking = pair.client.open().await.unwrap();
        asking.write_all(b"question").await.unwrap();
        asking.close().await.unwrap();
        let mut asked = pair.server.accept().await.unwrap();
        asked.read_to_end(&mut Vec::new()).await.unwrap();
        let (count, waker) = counter();
        let mut stopped = asked.stopped();
        assert!(poll(&mut stopped, &waker).is_pending(), "the end of the request stops nothing");
        world.settle();
        asking.reset(ErrorCode::new(1000)).unwrap();
        world.settle();
        assert_eq!(count.count(), 1);
        let error = stopped.await.unwrap_err();
        assert_eq!((error.code().unwrap(), error.initiator()), (ErrorCode::new(1000), Initiator::Remote));
    });
}

/// A client that has finished and drops its stream says nothing: that is learned by the first bytes that go to it.
#[test]
fn a_finished_stream_that_is_dropped_says_so_once_something_comes() {
    let world = World::new();
    let pair = connected(&world, 4096, &Config::default());
    world.block_on(async {
        let mut asking = pair.client.open().await.unwrap();
        asking.close().await.unwrap();
        let mut asked = pair.server.accept().await.unwrap();
        drop(asking);
        world.settle();
        let mut stopped = asked.stopped();
        assert!(poll(&mut stopped, Waker::noop()).is_pending());
        asked.write_all(b"answer").await.unwrap();
        assert!(matches!(stopped.await, Err(WriteError::Reset(_))));
    });
}

#[test]
fn after_finish_it_waits_for_the_end_of_the_stream() {
    for (last, expected) in [
        (wire::fin(3), Ok(())),
        ([wire::data(3, b"not read"), wire::fin(3)].concat(), Ok(())),
        (wire::rst(3, 7), Err(ErrorCode::new(7))),
    ] {
        let world = World::new();
        let (one, mut stream) = opened(&world);
        let (count, waker) = counter();
        let mut stopped = stream.stopped();
        assert!(poll(&mut stopped, &waker).is_pending());
        stream.finish().unwrap();
        world.settle();
        assert_eq!((one.to_peer.take(), count.count()), (wire::fin(3), 0));
        one.from_peer.inject(&last);
        world.settle();
        assert_eq!(count.count(), 1);
        let answer = world.block_on(stopped);
        assert_eq!(answer.map_err(|error| error.code().unwrap()), expected);
        // It stays, though a reset comes that means nothing any more.
        one.from_peer.inject(&wire::rst(3, 8));
        world.settle();
        let later = world.block_on(stream.stopped());
        assert_eq!(later.map_err(|error| error.code().unwrap()), expected);
    }
}

/// The peer has finished first: the end is there when our FIN has gone out, and not when it was asked for.
#[test]
fn after_the_peers_end_it_waits_for_ours() {
    let world = World::new();
    let (one, mut stream) = opened(&world);
    one.from_peer.inject(&wire::fin(3));
    world.settle();
    world.block_on(stream.write_all(&vec![0; 256 * 1024 + 1])).unwrap();
    stream.finish().unwrap();
    let (count, waker) = counter();
    let mut stopped = stream.stopped();
    assert!(poll(&mut stopped, &waker).is_pending());
    world.settle();
    assert!(poll(&mut stopped, &waker).is_pending(), "one byte has no credit");
    one.from_peer.inject(&wire::wndinc(3, 1));
    world.settle();
    assert_eq!((count.count(), poll(&mut stopped, &waker)), (1, Poll::Ready(Ok(()))));
}

/// What is finished is still sent by a close: only then is it known how the stream ended.
#[test]
fn a_close_lets_a_finished_stream_end() {
    for flushed in [true, false] {
        let world = World::new();
        let (one, mut stream) = opened(&world);
        one.from_peer.inject(&wire::fin(3));
        world.settle();
        one.to_peer.set(|mood| mood.stuck = true);
        // What another stream says fills the batch.
        let mut other = world.block_on(one.session.open()).unwrap();
        world.block_on(other.write_all(&vec![0; 256 * 1024])).unwrap();
        world.settle();
        world.block_on(stream.write_all(&vec![0; 200_000])).unwrap();
        stream.finish().unwrap();
        world.settle();
        let mut stopped = stream.stopped();
        assert!(poll(&mut stopped, Waker::noop()).is_pending());
        drop(one.session.close(ErrorCode::new(9), ""));
        world.settle();
        assert!(poll(&mut stopped, Waker::noop()).is_pending());
        if flushed {
            one.to_peer.set(|mood| mood.stuck = false);
        } else {
            one.from_peer.cut();
        }
        let stopped = world.block_on(stopped);
        assert_eq!(
            stopped.map_err(|error| error.code()),
            if flushed { Ok(()) } else { Err(Some(ErrorCode::new(9))) }
        );
    }
}

#[test]
fn who_gives_up_is_forgotten_and_the_others_are_told() {
    let world = World::new();
    let (one, mut stream) = opened(&world);
    let [(kept, keeper), (gone, leaver), (handle, owner)] = [counter(), counter(), counter()];
    let (mut stays, mut leaves) = (stream.stopped(), stream.stopped());
    assert!(poll(&mut stays, &keeper).is_pending());
    assert!(poll(&mut leaves, &keeper).is_pending());
    assert!(poll(&mut leaves, &leaver).is_pending(), "another task takes it over");
    assert!(stream.poll_stopped(&mut Context::from_waker(&owner)).is_pending());
    drop((leaves, leaver));
    assert_eq!(Arc::strong_count(&gone), 1, "its waker is not kept");
    one.from_peer.inject(&wire::rst(3, 7));
    world.settle();
    assert_eq!([kept.count(), gone.count(), handle.count()], [1, 0, 1]);
    assert_eq!(code_of(poll(&mut stays, &keeper)), ErrorCode::new(7));
}

#[test]
fn nobody_is_left_waiting_for_a_stream_without_handles() {
    let world = World::new();
    // Finished or not, and whichever half goes first.
    for (finished, recv_first) in [(true, true), (true, false), (false, true), (false, false)] {
        let (_one, mut stream) = opened(&world);
        let (_, owner) = counter();
        let (count, waker) = counter();
        if finished {
            stream.finish().unwrap();
        }
        let mut stopped = stream.stopped();
        let (mut send, recv) = stream.into_split();
        assert!(poll(&mut stopped, &waker).is_pending());
        assert!(send.poll_stopped(&mut Context::from_waker(&owner)).is_pending());
        world.settle();
        if recv_first {
            drop(recv);
            assert_eq!(count.count(), 0, "the sender goes on");
            drop(send);
        } else {
            drop((send, recv));
        }
        world.settle();
        assert_eq!(count.count(), 1, "finished: {finished}");
        assert_eq!(poll(&mut stopped, &waker), Poll::Ready(Ok(())));
    }
}

/// Dropped unfinished the sending half resets the stream, which its other half holds.
#[test]
fn a_drop_of_the_sending_half_alone_is_a_reset() {
    let world = World::new();
    let (_one, stream) = opened(&world);
    let stopped = stream.stopped();
    let (send, recv) = stream.into_split();
    drop(send);
    let error = world.block_on(stopped).unwrap_err();
    assert_eq!((error.code().unwrap(), error.initiator()), (ErrorCode::STREAM_CANCELLED, Initiator::Local));
    drop(recv);
}

#[test]
fn s55_s61_a_reader_that_stops_the_peer_resets_the_whole_stream() {
    let world = World::new();
    let (one, stream) = opened(&world);
    let (mut send, mut recv) = stream.into_split();
    let refused = recv.stop(ErrorCode::NO_ERROR).unwrap_err();
    assert_eq!(refused, ResetError::NoError);
    world.block_on(send.write_chunk("it goes on".into())).unwrap();
    world.settle();
    assert_eq!(one.to_peer.take(), wire::data(3, b"it goes on"));
    world.block_on(send.write_chunk("dropped".into())).unwrap();
    recv.stop(ErrorCode::new(1000)).unwrap();
    world.settle();
    assert_eq!(one.to_peer.take(), wire::rst(3, 1000));
    let error = world.block_on(send.stopped()).unwrap_err();
    assert_eq!((error.code().unwrap(), error.initiator()), (ErrorCode::new(1000), Initiator::Local));
    assert!(world.block_on(recv.read_chunk(1)).is_err());
}

/// One task writes and watches, with one waker: it misses neither room nor the reset.
#[test]
fn a_task_that_writes_and_watches_misses_nothing() {
    let world = World::new();
    let (one, mut stream) = opened(&world);
    world.block_on(stream.write_all(&vec![0; 256 * 1024 + 16 * 1024])).unwrap();
    world.settle();
    let (count, waker) = counter();
    let mut stopped = stream.stopped();
    let mut work = Box::pin(async move {
        let mut written = 0;
        poll_fn(|cx| {
            while let Poll::Ready(result) = Pin::new(&mut stream).poll_write(cx, &[0; 1000]) {
                written += result?;
                if written >= 20_000 {
                    return Poll::Ready(Ok(()));
                }
            }
            Poll::Pending
        })
        .await
        .and_then(|()| stream.finish().map_err(std::io::Error::from))
        .map(|()| stream)
    });
    let mut cx = Context::from_waker(&waker);
    assert!(work.as_mut().poll(&mut cx).is_pending() && poll(&mut stopped, &waker).is_pending());
    one.from_peer.inject(&wire::wndinc(3, 256 * 1024));
    world.settle();
    assert_eq!(count.count(), 1, "there is room");
    let Poll::Ready(Ok(stream)) = work.as_mut().poll(&mut cx) else { panic!("not written") };
    assert!(poll(&mut stopped, &waker).is_pending());
    one.from_peer.inject(&wire::rst(3, 7));
    world.settle();
    assert_eq!(count.count(), 2, "and now a reset");
    assert_eq!(code_of(poll(&mut stopped, &waker)), ErrorCode::new(7));
    drop(stream);
}

#[test]
fn a_passed_deadline_does_not_count() {
    let world = World::new();
    let (_one, mut stream) = opened(&world);
    stream.set_deadline(Some(muxado_core::rt::Runtime::now(&world)));
    assert_eq!(world.block_on(stream.write_chunk("x".into())), Err(WriteError::TimedOut));
    assert!(poll(&mut stream.stopped(), Waker::noop()).is_pending());
}
