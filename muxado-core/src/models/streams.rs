//! The two halves of a stream, its slots for wakers, and what meets them from the other side.

use super::*;
use crate::ErrorCode;

#[test]
fn s93_the_halves_of_a_stream_in_two_tasks() {
    explore(|| async {
        let both = Both::start(&Config::default());
        let echo = echo(&both.server);
        let (mut send, mut recv) = both.client.open().await.unwrap().into_split();
        let writer = spawn(async move {
            for part in [&b"one"[..], b"two", b"three"] {
                send.write_all(part).await.unwrap();
            }
            send.close().await.unwrap();
        });
        let mut all = Vec::new();
        recv.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"onetwothree");
        writer.await.unwrap();
        drop(recv);
        assert_eq!(both.end([echo]).await, 1);
    });
}

/// The slot holds the waker of the last task that asked, while the driver may be about to use the one before.
#[test]
fn a_half_changes_its_task_while_bytes_arrive() {
    explore(|| async {
        let both = Both::start(&Config::default());
        let echo = echo(&both.server);
        let (mut send, mut recv) = both.client.open().await.unwrap().into_split();
        send.write_all(b"there and back").await.unwrap();
        send.close().await.unwrap();
        let mut all = Vec::new();
        let early = give_up(recv.read_chunk(5)).await;
        all.extend(early.into_iter().flat_map(|chunk| chunk.unwrap().unwrap()));
        let reader = spawn(async move {
            recv.read_to_end(&mut all).await.unwrap();
            all
        });
        assert_eq!(reader.await.unwrap(), b"there and back");
        drop(send);
        assert_eq!(both.end([echo]).await, 1);
    });
}

#[test]
fn a_writer_without_credit_goes_on_as_the_reader_reads() {
    explore(|| async {
        let both = Both::start(&narrow().build().unwrap());
        let server = both.server.clone();
        let reader = spawn(async move {
            let mut stream = server.accept().await.unwrap();
            drop(server);
            let mut all = Vec::new();
            while let Some(chunk) = stream.read_chunk(3).await.unwrap() {
                all.extend(chunk);
            }
            stream.close().await.unwrap();
            all
        });
        let mut stream = both.client.open().await.unwrap();
        let sent: Vec<u8> = (0..40).collect();
        stream.write_all(&sent).await.unwrap();
        stream.close().await.unwrap();
        assert_eq!(stream.read_chunk(1).await.unwrap(), None);
        drop(stream);
        assert_eq!(reader.await.unwrap(), sent);
        both.end([]).await;
    });
}

/// Whoever comes first: a write is taken or fails with the peer's code, and nothing is left of the stream.
#[test]
fn a_reset_meets_a_write_and_the_drop_of_the_other_half() {
    explore(|| async {
        let both = Both::start(&narrow().build().unwrap());
        let server = both.server.clone();
        let resetter = spawn(async move {
            let mut stream = server.accept().await.unwrap();
            stream.reset(ErrorCode::new(77)).unwrap();
        });
        let (mut send, recv) = both.client.open().await.unwrap().into_split();
        let writer = spawn(async move {
            // More than there is room for: without the reset it would wait for ever.
            let error = send.write_all(&[7; 64]).await.unwrap_err();
            let error = error.get_ref().unwrap().downcast_ref::<crate::WriteError>().unwrap();
            assert_eq!(error.code(), Some(ErrorCode::new(77)));
        });
        let dropper = spawn(async move { drop(recv) });
        writer.await.unwrap();
        dropper.await.unwrap();
        resetter.await.unwrap();
        both.end([]).await;
    });
}

/// The reset, or the drop of the handles: whichever comes first ends the waiting, in a task that had asked before or not.
#[test]
fn a_reset_meets_whoever_waits_for_it_and_the_drop_of_the_stream() {
    explore(|| async {
        let both = Both::start(&Config::default());
        let server = both.server.clone();
        let resetter = spawn(async move {
            let mut stream = server.accept().await.unwrap();
            stream.reset(ErrorCode::new(77)).unwrap();
        });
        let mut stream = both.client.open().await.unwrap();
        let waiting = [stream.stopped(), stream.stopped()].map(|stopped| spawn(stopped));
        stream.flush().await.unwrap();
        drop(give_up(stream.stopped()).await);
        let failed = stream.stopped().await;
        assert_eq!(failed.unwrap_err().code(), Some(ErrorCode::new(77)));
        drop(stream);
        for stopped in waiting {
            let stopped = stopped.await.unwrap();
            // Nothing, if it comes after the drop.
            assert!(stopped.is_ok() || stopped.unwrap_err().code() == Some(ErrorCode::new(77)));
        }
        resetter.await.unwrap();
        both.end([]).await;
    });
}
