//! Slow is not broken: what was accepted arrives, however long the transport or the reader takes, or is counted as cut.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, Retry, Session, SessionEnd, Side};
use muxado_testkit::{World, Writer, alone, connected, pipe, slow, start};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Reads every stream to its end, in the background; counts the bytes and the clean ends.
fn collect(world: &World, session: &Session) -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (bytes, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (session, tasks) = (session.clone(), world.clone());
    let counters = (bytes.clone(), ends.clone());
    world.spawn(async move {
        while let Ok(mut stream) = session.accept().await {
            let (bytes, ends) = counters.clone();
            tasks.spawn(async move {
                while let Ok(chunk) = stream.read_chunk(usize::MAX).await {
                    match chunk {
                        Some(chunk) => _ = bytes.fetch_add(chunk.len(), Ordering::SeqCst),
                        None => {
                            ends.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                    }
                }
            });
        }
    });
    (bytes, ends)
}

#[test]
fn finished_and_dropped_streams_arrive_over_a_slow_link() {
    const STREAMS: usize = 64;
    let world = World::new();
    let pair = connected(&world, 1000, &Config::default());
    // 1 MiB at 10 KB/s: three and a half drain limits.
    slow(&world, pair.to_server.clone(), 1000);
    let (bytes, ends) = collect(&world, &pair.server);
    world.block_on(async {
        for _ in 0..STREAMS {
            let mut stream = pair.client.open().await.unwrap();
            stream.write_all(&[3; 16 * 1024]).await.unwrap();
            stream.close().await.unwrap();
        }
        while ends.load(Ordering::SeqCst) < STREAMS {
            world.sleep(secs(1)).await;
        }
    });
    assert_eq!(bytes.load(Ordering::SeqCst), STREAMS * 16 * 1024);
    assert!(world.elapsed() > secs(100));
}

#[test]
fn unfinished_dropped_streams_deliver_what_was_accepted_over_a_slow_link() {
    let world = World::new();
    let pair = connected(&world, 1000, &Config::default());
    slow(&world, pair.to_server.clone(), 500);
    let (bytes, ends) = collect(&world, &pair.server);
    let len = 250 * 1024;
    world.block_on(async {
        for _ in 0..3 {
            let mut stream = pair.client.open().await.unwrap();
            stream.write_all(&vec![3; len]).await.unwrap();
        }
        while bytes.load(Ordering::SeqCst) < 3 * len && world.elapsed() < secs(1000) {
            world.sleep(secs(1)).await;
        }
    });
    assert!(world.elapsed() > secs(100), "longer than any sweep: {:?}", world.elapsed());
    assert_eq!((bytes.load(Ordering::SeqCst), ends.load(Ordering::SeqCst)), (3 * len, 0));
}

#[test]
fn a_finished_and_dropped_stream_waits_for_its_reader() {
    let world = World::new();
    let pair = connected(&world, 1 << 16, &Config::default());
    let len = 272 * 1024;
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        stream.write_all(&vec![3; len]).await.unwrap();
        stream.close().await.unwrap();
        drop(stream);
        let mut stream = pair.server.accept().await.unwrap();
        world.sleep(secs(300)).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), len);
    });
}

/// Writes 200 KB, finishes, and ends the session as `end` does; says how it ended and how much arrived.
fn end_with(
    rate: usize,
    idle: bool,
    end: fn(&Session) -> muxado_core::Closed,
) -> (SessionEnd, usize, Duration) {
    let world = World::new();
    let pair = connected(&world, rate, &Config::default());
    slow(&world, pair.to_server.clone(), rate);
    let (bytes, _) = collect(&world, &pair.server);
    let end = world.block_on(async {
        let _idle = if idle { Some(pair.client.open().await.unwrap()) } else { None };
        let mut stream = pair.client.open().await.unwrap();
        stream.write_all(&[7; 200_000]).await.unwrap();
        stream.close().await.unwrap();
        drop(stream);
        end(&pair.client).await
    });
    let took = world.elapsed();
    world.block_on(world.sleep(secs(2)));
    (end, bytes.load(Ordering::SeqCst), took)
}

fn close(session: &Session) -> muxado_core::Closed {
    session.close(ErrorCode::NO_ERROR, "bye")
}

#[test]
fn close_has_its_whole_linger_limit_whatever_else_it_cuts() {
    for idle in [false, true] {
        let (end, arrived, took) = end_with(10_000, idle, close);
        assert_eq!(arrived, 200_000, "with an idle stream: {idle}");
        assert_eq!((end.cut().streams, end.cut().bytes), (u64::from(idle), 0));
        assert!(took > secs(1) && took < secs(3), "{took:?}");
    }
}

#[test]
fn what_close_cannot_send_in_time_is_counted() {
    let (end, arrived, took) = end_with(1_000, false, close);
    assert!(arrived < 60_000, "{arrived}");
    assert!(end.cut().bytes >= 200_000 - 60_000, "{:?}", end.cut());
    assert!(took >= secs(5) && took < secs(6), "{took:?}");
}

#[test]
fn drain_has_the_limit_it_was_given() {
    let (end, arrived, took) = end_with(1_000, false, |session| session.drain(secs(60)));
    assert_eq!(arrived, 200_000);
    assert!(end.is_clean() && end.cut().is_nothing());
    assert!(took > secs(15) && took < secs(25), "{took:?}");
}

#[test]
fn of_several_limits_the_earliest_counts() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        drop(one.session.drain(secs(1)));
        drop(one.session.drain(secs(20)));
        one.session.closed().await;
    });
    assert!(world.elapsed() < secs(2), "{:?}", world.elapsed());
}

#[test]
fn s84_a_flush_that_hangs_is_a_stall_too() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.flush_hangs = true);
    let end = world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        one.session.closed().await
    });
    assert!(matches!(end.cause(), EndCause::WriteStalled), "{end}");
    assert!(world.elapsed() >= secs(30) && world.elapsed() < secs(31));
}

/// The last frames of a close, to a transport that takes a little now and then, and to one that takes nothing of a peer
/// that goes on to talk, for two seconds, and is waited for then.
#[test]
fn s84_b21_the_last_frames_are_slow_or_stalled_as_any_others() {
    for (rate, took) in [(100, 5000..6000), (0, 2250..2251)] {
        let world = World::new();
        let config = Config::builder().write_stall(secs(1)).close_linger(secs(60)).build().unwrap();
        let one = alone(&world, Side::Client, &config);
        slow(&world, one.to_peer.clone(), rate);
        let end = world.block_on(async {
            let mut stream = one.session.open().await.unwrap();
            stream.write_all(&[7; 5000]).await.unwrap();
            stream.close().await.unwrap();
            drop(stream);
            let closed = close(&one.session);
            for _ in 0..20 {
                world.sleep(Duration::from_millis(100)).await;
                one.from_peer.inject(b"\0");
            }
            closed.await
        });
        assert_eq!(end.cut().is_nothing(), rate > 0, "{:?} at {rate}", end.cut());
        assert!(took.contains(&world.elapsed().as_millis()), "{:?} at {rate}", world.elapsed());
    }
}

/// A peer that is not there any more looks like one that has nothing to say: silence ends nothing, however long it
/// lasts. It shows once there is something to send that the transport does not take.
/// Takes whatever it is given and sends it on as the link takes it: a flush ends when nothing is left.
struct Buffering {
    link: Writer,
    held: Vec<u8>,
}

impl AsyncWrite for Buffering {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Buffering { link, held } = &mut *self;
        while !held.is_empty() {
            let sent = ready!(Pin::new(&mut *link).poll_write(cx, held))?;
            held.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.link).poll_close(cx)
    }
}

/// The window is larger than what the link carries in the limit, so that no flush ever ends: but bytes are taken again and
/// again.
#[test]
fn s84_a_flush_that_more_bytes_keep_from_its_end_is_no_stall() {
    let world = World::new();
    let (near, far) = pipe(1000);
    let lane = near.write.lane();
    slow(&world, lane, 1000);
    let link = Buffering { link: near.write, held: Vec::new() };
    let config = Config::default();
    let (client, driver) = Session::from_halves(Side::Client, near.read, link, &config, world.clone());
    world.spawn(async { drop(driver.await) });
    let server = start(&world, Side::Server, far, &config);
    let (bytes, ends) = collect(&world, &server);
    // 1 MiB at 10 KB/s.
    world.block_on(async {
        let mut stream = client.open().await.unwrap();
        stream.write_all(&vec![3; 1 << 20]).await.unwrap();
        stream.close().await.unwrap();
        while ends.load(Ordering::SeqCst) == 0 {
            assert_eq!(client.end(), None);
            world.sleep(secs(1)).await;
        }
    });
    assert_eq!(bytes.load(Ordering::SeqCst), 1 << 20);
}

/// What the transport took in the moment before the stall was found counts as taken: the peer may act on it.
#[test]
fn s84_a_stream_whose_beginning_was_taken_just_before_the_stall_is_not_safe_to_retry() {
    for (taken, retry) in [(0, Retry::NotProcessed), (1, Retry::Unknown), (20, Retry::Unknown)] {
        let world = World::new();
        let config = Config::builder().write_stall(Some(Duration::ZERO)).build().unwrap();
        let one = alone(&world, Side::Client, &config);
        one.to_peer.set(|mood| mood.budget = Some(taken));
        let mut stream = one.session.try_open().unwrap();
        let error = world.block_on(async {
            stream.write_all(&[3; 100]).await.unwrap();
            stream.read_chunk(1).await.unwrap_err()
        });
        assert!(matches!(one.session.end().unwrap().cause(), EndCause::WriteStalled));
        assert_eq!(error.retry(), retry, "{taken} bytes were taken");
    }
}

#[test]
fn s82_silence_ends_nothing_until_there_is_something_to_send() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"hello?").await.unwrap();
        let days = secs(30 * 24 * 3600);
        world.sleep(days).await;
        assert!(one.session.end().is_none(), "nothing was waiting to be sent");
        one.to_peer.set(|mood| mood.stuck = true);
        world.sleep(days).await;
        assert!(one.session.end().is_none(), "nor is anything now");
        stream.write_all(b"anybody?").await.unwrap();
        let since = world.elapsed();
        let end = one.session.closed().await;
        assert!(matches!(end.cause(), EndCause::WriteStalled), "{end}");
        assert_eq!((world.elapsed() - since).as_secs(), 30);
    });
}

#[test]
fn a_goodbye_with_no_time_at_all_is_still_said() {
    let hasty = || Config::builder().close_linger(Duration::ZERO).build().unwrap();
    let ends: [fn(&Session) -> muxado_core::Closed; 2] = [close, |session| session.drain(Duration::ZERO)];
    for end in ends {
        let world = World::new();
        let pair = connected(&world, 1000, &hasty());
        let end = world.block_on(end(&pair.client));
        assert!(end.is_clean() && end.cut().is_nothing());
        let told = world.block_on(pair.server.closed());
        assert!(matches!(told.cause(), EndCause::GoAway { .. }), "{told}");
    }
}

#[test]
fn a_limit_asked_for_while_the_last_frames_are_under_way_counts() {
    let world = World::new();
    let config = Config::builder().write_stall(None).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    one.to_peer.set(|mood| mood.stuck = true);
    one.session.go_away();
    world.settle();
    let end = world.block_on(one.session.close(ErrorCode::NO_ERROR, ""));
    assert!(!end.cut().is_nothing());
    assert!(world.elapsed() <= Config::default().close_linger() + secs(1), "{:?}", world.elapsed());
}

#[test]
fn a_batch_that_is_lost_is_counted_however_it_is_lost() {
    for loss in 0..3 {
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        one.to_peer.set(|mood| mood.stuck = true);
        let end = world.block_on(async {
            let mut stream = one.session.open().await.unwrap();
            stream.write_all(&[7; 200_000]).await.unwrap();
            stream.close().await.unwrap();
            drop(stream);
            world.settle();
            let closed = close(&one.session);
            world.settle();
            match loss {
                0 => one.to_peer.set(|mood| mood.write_error = Some(io::ErrorKind::BrokenPipe)),
                1 => one.from_peer.set(|mood| mood.read_error = Some(io::ErrorKind::ConnectionReset)),
                _ => one.from_peer.cut(),
            }
            closed.await
        });
        assert!(end.cut().bytes >= 200_000, "loss {loss}: {:?}", end.cut());
    }
}

#[test]
fn sweeps_neither_spin_nor_outlive_their_stream() {
    let world = World::new();
    let config = Config::builder().drain_timeout(Duration::ZERO).build().unwrap();
    let one = alone(&world, Side::Client, &config);
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(&vec![1; 256 * 1024])).unwrap();
    one.to_peer.set(|mood| mood.stuck = true);
    world.settle();
    world.block_on(stream.write_all(&[2; 1000])).unwrap();
    let (send, _recv) = stream.into_split();
    drop(send);
    world.block_on(world.sleep(secs(1)));
    one.to_peer.set(|mood| mood.stuck = false);
    world.block_on(world.sleep(secs(1)));
    let polls = world.polls();
    assert!(polls < 1000, "{polls} polls in two seconds");
    world.block_on(world.sleep(secs(1000)));
    assert!(world.polls() - polls < 10, "{} polls for a stream that is gone", world.polls() - polls);
}
