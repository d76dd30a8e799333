//! How sessions end, in virtual time: closing, draining, lingering, stalling, and what everybody is told.

use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{
    Config, Cut, EndCause, ErrorCode, Initiator, OpenError, ReadError, Retry, Session, Side, WriteError,
};
use muxado_testkit::{World, alone, connected, pipe, start, wire};

const CAPACITY: usize = 64 * 1024;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn s80_w08_w17_close_says_goodbye_last_and_waits_for_the_peers_end() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"hi").await.unwrap();
        stream.close().await.unwrap();
        drop(stream);
        let closed = one.session.close(ErrorCode::NO_ERROR, "bye");
        world.settle();
        let sent = one.to_peer.take();
        assert_eq!(
            sent,
            b"\x00\x00\x02\x12\x00\x00\x00\x03hi\x00\x00\x00\x11\x00\x00\x00\x03\
              \x00\x00\x0b\x30\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00bye"
        );
        assert!(one.to_peer.is_closed(), "our direction is closed right behind it (W17)");
        one.from_peer.cut();
        let end = closed.await;
        assert!(end.is_clean() && end.cut().is_nothing());
        assert_eq!(end.initiator(), Initiator::Local);
    });
    assert_eq!(world.elapsed(), Duration::ZERO, "nothing had to be waited for");
}

/// There is a batch under way when the end comes: the GOAWAY is in the next.
#[test]
fn s12_w08_the_goodbye_of_an_error_goes_out_behind_what_the_transport_had_yet_to_take() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    let mut stream = world.block_on(one.session.open()).unwrap();
    world.block_on(stream.write_all(b"hi")).unwrap();
    world.settle();
    one.from_peer.inject(&wire::data(0, b""));
    world.settle();
    one.to_peer.set(|mood| mood.stuck = false);
    let end = world.block_on(one.session.closed());
    assert_eq!(end.code(), ErrorCode::PROTOCOL_ERROR);
    let sent = one.to_peer.take();
    let goodbye = sent.strip_prefix(b"\x00\x00\x02\x12\x00\x00\x00\x03hi").unwrap();
    assert_eq!(&goodbye[3..16], b"\x30\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01");
    assert_eq!(goodbye.len(), 8 + usize::from(goodbye[2]), "and nothing follows");
}

#[test]
fn close_flushes_what_is_finished_and_counts_what_is_cut() {
    let world = World::new();
    let config = Config::default();
    let pair = connected(&world, CAPACITY, &config);
    world.block_on(async {
        let mut finished = pair.client.open().await.unwrap();
        finished.write_all(&[7; 200_000]).await.unwrap();
        finished.close().await.unwrap();
        let mut open = pair.client.open().await.unwrap();
        pair.to_server.set(|mood| mood.stuck = true);
        open.write_all(&[8; 1000]).await.unwrap();

        let closed = pair.client.close(ErrorCode::new(77), "enough");
        let error = open.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
        pair.to_server.set(|mood| mood.stuck = false);

        let mut received = pair.server.accept().await.unwrap();
        let mut bytes = Vec::new();
        received.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 200_000, "finished streams are delivered");
        let end = closed.await;
        // One was open both ways, and of the other the answer is cut off.
        assert_eq!((end.cut().streams, end.code()), (2, ErrorCode::new(77)));
        let told = pair.server.closed().await;
        assert_eq!((told.code(), told.text()), (ErrorCode::new(77), &b"enough"[..]));
        assert_eq!(told.initiator(), Initiator::Remote);
    });
}

#[test]
fn close_cuts_after_its_linger_limit() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        // More than the peer's window: nobody reads it, so it can never get away.
        stream.write_all(&vec![1; 256 * 1024 + 10_000]).await.unwrap();
        stream.close().await.unwrap();
        let end = pair.client.close(ErrorCode::NO_ERROR, "").await;
        assert_eq!((end.cut().streams, end.cut().bytes), (1, 10_000));
    });
    let linger = Config::default().close_linger();
    assert!(world.elapsed() >= linger && world.elapsed() < linger + secs(1), "{:?}", world.elapsed());
}

#[test]
fn drain_lets_streams_finish_and_refuses_new_ones() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.write_all(b"running").await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        let drained = pair.server.drain(secs(60));
        assert_eq!(pair.server.try_open().unwrap_err(), OpenError::Draining);

        let mut late = pair.client.open().await.unwrap();
        late.write_all(b"late").await.unwrap();
        let error = late.read(&mut [0; 8]).await.unwrap_err();
        let inner = error.get_ref().unwrap().downcast_ref::<ReadError>().unwrap();
        assert_eq!((inner.code(), inner.retry()), (Some(ErrorCode::STREAM_REFUSED), Retry::NotProcessed));

        ours.close().await.unwrap();
        let mut bytes = Vec::new();
        theirs.read_to_end(&mut bytes).await.unwrap();
        theirs.write_all(b"answer").await.unwrap();
        theirs.close().await.unwrap();
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.unwrap();
        assert_eq!((&bytes[..], &answer[..]), (&b"running"[..], &b"answer"[..]));
        let end = drained.await;
        assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
        assert!(pair.client.closed().await.is_clean());
    });
}

#[test]
fn drain_cuts_at_its_deadline() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        stream.flush().await.unwrap();
        let end = pair.client.drain(secs(10)).await;
        assert_eq!(end.cut(), {
            let mut cut = Cut::default();
            cut.streams = 1;
            cut
        });
        assert!(stream.read(&mut [0; 8]).await.is_err());
    });
    assert!(world.elapsed() >= secs(10) && world.elapsed() < secs(11));
}

#[test]
fn the_last_handle_dropped_lets_streams_finish_first() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        let closed = pair.client.closed();
        drop(pair.client);
        stream.write_all(&[3; 100_000]).await.unwrap();
        let echo = async {
            let mut stream = pair.server.accept().await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            stream.close().await.unwrap();
            bytes.len()
        };
        let ours = async {
            stream.close().await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            drop(stream);
        };
        assert_eq!(futures_util::join!(echo, ours).0, 100_000);
        assert!(closed.await.is_clean());
        assert!(pair.server.closed().await.is_clean());
    });
    assert_eq!(world.tasks(), 0);
}

#[test]
fn s84_b21_a_transport_that_takes_nothing_ends_the_session() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"hello?").await.unwrap();
        let error = stream.read(&mut [0; 8]).await.unwrap_err();
        let inner = error.get_ref().unwrap().downcast_ref::<ReadError>().unwrap();
        assert_eq!(inner.code(), Some(ErrorCode::WRITE_TIMEOUT));
        assert_eq!(inner.retry(), Retry::NotProcessed, "not one byte was taken");
        let end = one.session.closed().await;
        assert!(matches!(end.cause(), EndCause::WriteStalled));
    });
    let elapsed = world.elapsed();
    assert!(elapsed >= secs(30) && elapsed < secs(31), "{elapsed:?}");
}

#[test]
fn s84_what_was_called_not_processed_is_not_sent_afterwards() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    let lane = one.to_peer.clone();
    let clock = world.clone();
    world.spawn(async move {
        clock.sleep(secs(30) + Duration::from_millis(100)).await;
        lane.set(|mood| mood.stuck = false);
    });
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"pay once").await.unwrap();
        assert_eq!(stream.read_chunk(9).await.unwrap_err().retry(), Retry::NotProcessed);
        one.session.closed().await;
    });
    assert_eq!(one.to_peer.take(), b"");
}

#[test]
fn s84_slow_is_not_stalled() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.capacity = 16);
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(&[1; 100]).await.unwrap();
        let mut taken = Vec::new();
        while taken.len() < 108 {
            world.sleep(secs(29)).await;
            taken.extend(one.to_peer.take());
        }
        assert!(one.session.end().is_none());
    });
    assert!(world.elapsed() > secs(100));
}

#[test]
fn s78_a_peer_that_said_goodbye_has_a_time_limit() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut stream = one.session.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        world.settle();
        // GOAWAY, last 3, code 2, "why"; the transport stays open.
        one.from_peer.inject(b"\0\0\x0b\x30\0\0\0\0\0\0\0\x03\0\0\0\x02why");
        let error = stream.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let end = one.session.closed().await;
        assert_eq!((end.code(), end.text()), (ErrorCode::INTERNAL_ERROR, &b"why"[..]));
    });
    assert!(world.elapsed() >= secs(30) && world.elapsed() < secs(31));
}

#[test]
fn an_error_goodbye_takes_a_quarter_of_a_second_at_the_most() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    one.to_peer.set(|mood| mood.stuck = true);
    // DATA on stream 0.
    one.from_peer.inject(b"\0\0\0\x10\0\0\0\0");
    let end = world.block_on(one.session.closed());
    assert_eq!(end.code(), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(world.elapsed(), Duration::from_millis(250));
}

#[test]
fn f24_a_transport_that_never_closes_is_left() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    one.to_peer.set(|mood| mood.close_hangs = true);
    world.block_on(one.session.close(ErrorCode::NO_ERROR, ""));
    assert!(world.elapsed() <= Config::default().close_linger() + secs(1));
    assert_eq!(world.tasks(), 0);
}

#[test]
fn s69_small_credit_goes_back_after_the_delay() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    world.block_on(async {
        one.from_peer.inject(b"\0\0\x05\x12\0\0\0\x03hello");
        let mut stream = one.session.accept().await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(stream.read(&mut buf).await.unwrap(), 5);
        world.settle();
        assert_eq!(one.to_peer.take(), b"", "no WNDINC for each small message");
        world.sleep(Duration::from_millis(51)).await;
        world.settle();
        assert_eq!(one.to_peer.take(), b"\0\0\x04\x20\0\0\0\x03\0\0\0\x05");
    });
}

#[test]
fn a_dropped_stream_that_cannot_drain_is_reset_in_time() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    world.block_on(async {
        let mut stream = pair.client.open().await.unwrap();
        stream.write_all(&vec![0; 256 * 1024]).await.unwrap();
        stream.write_all(&[0; 10]).await.unwrap();
        drop(stream);
        // The peer accepts and never reads: ten bytes have no credit.
        let mut theirs = pair.server.accept().await.unwrap();
        world.sleep(secs(29)).await;
        assert_eq!(pair.client.stats().streams, 1);
        world.sleep(secs(17)).await;
        assert_eq!(pair.client.stats().streams, 0, "dropped for good");
        let mut bytes = Vec::new();
        let error = theirs.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!((bytes.len(), error.kind()), (256 * 1024, std::io::ErrorKind::ConnectionReset));
    });
}

#[test]
fn f40_a_dropped_driver_fails_everything_at_once() {
    let world = World::new();
    let (near, _far) = pipe(CAPACITY);
    let (session, driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    world.block_on(async {
        let mut stream = session.open().await.unwrap();
        drop(driver);
        assert!(matches!(session.closed().await.cause(), EndCause::DriverDropped));
        assert!(matches!(session.open().await.unwrap_err(), OpenError::Session(_)));
        assert!(session.accept().await.is_err());
        assert!(matches!(stream.finish().unwrap_err(), WriteError::Session(_)));
        assert!(stream.read_chunk(1).await.is_err());
    });
}

#[test]
fn not_processed_means_that_the_transport_took_no_byte_of_it() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    world.block_on(async {
        let mut first = one.session.open().await.unwrap();
        first.write_all(b"first").await.unwrap();
        world.settle();
        one.to_peer.set(|mood| mood.stuck = true);
        let mut second = one.session.open().await.unwrap();
        second.write_all(b"second").await.unwrap();
        world.settle();
        one.to_peer.set(|mood| mood.write_error = Some(std::io::ErrorKind::ConnectionReset));
        let retry = |error: ReadError| error.retry();
        assert_eq!(retry(first.read_chunk(9).await.unwrap_err()), Retry::Unknown);
        assert_eq!(retry(second.read_chunk(9).await.unwrap_err()), Retry::NotProcessed);
    });
}

#[test]
fn two_sessions_may_close_at_once() {
    let world = World::new();
    let pair = connected(&world, CAPACITY, &Config::default());
    let (a, b) = world.block_on(async {
        let (a, b) =
            (pair.client.close(ErrorCode::NO_ERROR, "a"), pair.server.close(ErrorCode::NO_ERROR, "b"));
        futures_util::join!(a, b)
    });
    assert!(a.is_clean() && b.is_clean());
    assert_eq!(world.elapsed(), Duration::ZERO);
}

#[test]
fn a_session_may_run_over_a_slow_and_hesitant_transport() {
    for (read_max, write_max, hesitates) in [(1, usize::MAX, false), (usize::MAX, 1, false), (3, 7, true)] {
        let world = World::new();
        let (near, far) = pipe(100);
        for lane in [near.write.lane(), far.write.lane()] {
            lane.set(|mood| {
                mood.read_max = read_max;
                mood.write_max = write_max;
                mood.hesitates = hesitates;
            });
        }
        let client = start(&world, Side::Client, near, &Config::default());
        let server = start(&world, Side::Server, far, &Config::default());
        world.block_on(async {
            let mut stream = client.open().await.unwrap();
            let send = async {
                stream.write_all(&[9; 5000]).await.unwrap();
                stream.close().await.unwrap();
            };
            let receive = async {
                let mut stream = server.accept().await.unwrap();
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).await.unwrap();
                bytes
            };
            assert_eq!(futures_util::join!(send, receive).1, [9; 5000]);
        });
    }
}

#[test]
fn the_text_of_a_goodbye_is_never_cut_inside_a_character() {
    let world = World::new();
    let one = alone(&world, Side::Client, &Config::default());
    let end = world.block_on(one.session.close(ErrorCode::NO_ERROR, &format!("x{}", "é".repeat(200))));
    assert_eq!(end.text().len(), 255);
    assert!(std::str::from_utf8(end.text()).is_ok());
}

/// Neither a drain that is under way already nor the last handle waits for a stream in the background.
#[test]
fn a_stream_in_the_background_holds_no_session_up() {
    for drains in [true, false] {
        let world = World::new();
        let pair = connected(&world, 1 << 16, &Config::default());
        let observer = pair.client.observer();
        let mut news = pair.client.try_open().unwrap();
        world.block_on(news.write_all(b"news")).unwrap();
        if drains {
            drop(pair.client.drain(secs(60)));
        } else {
            news.set_background();
            drop(pair.client);
        }
        world.settle();
        assert_eq!(observer.end().is_none(), drains);
        news.set_background();
        let end = world.block_on(observer.closed());
        assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
        assert!(world.block_on(news.write_all(b"more")).is_err());
        assert!(world.elapsed() < secs(1));
    }
}
