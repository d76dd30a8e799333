//! Every future given up after every number of polls (F60 to F64): afterwards all goes on as if it had not been asked.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt, join};
use muxado_core::rt::Runtime;
use muxado_core::{Bytes, Config, ErrorCode, RecvStream, SendStream, Session, Stream};
use muxado_testkit::{Connected, World, connected, poll};

/// More polls than anything here takes.
const ENDLESS: usize = 20_000;

/// A client and a server on a narrow and hesitant pipe, so that everything takes many polls.
fn scene(config: &Config) -> (World, Connected) {
    let world = World::new();
    let pair = connected(&world, 900, config);
    for lane in [&pair.to_server, &pair.to_client] {
        lane.set(|mood| (mood.ragged, mood.hesitates) = (Some(700), true));
    }
    (world, pair)
}

/// Polls `future` up to `polls` times, with one turn of somebody else in between, and drops it.
fn give_up_after<T>(world: &World, polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(result);
        }
        world.turn();
    }
    None
}

/// Calls `attempt` with 0, 1, 2... polls until it says that the future was ready.
fn at_every_poll(mut attempt: impl FnMut(usize) -> bool) {
    let mut polls = 0;
    while !attempt(polls) {
        // Far out the steps may be larger: it is all the same.
        polls += 1 + polls / 40;
        assert!(polls < ENDLESS, "never ready");
    }
    assert!(polls > 0, "not a single poll is too few");
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 250).unwrap() + 1).collect()
}

/// After all: a whole exchange works, in both directions, and nothing is left over.
fn still_works(world: &World, pair: &Connected) {
    let ask = async |from: &Session, to: &Session| {
        let mut ours = from.open().await.unwrap();
        ours.write_all(b"ping").await.unwrap();
        ours.close().await.unwrap();
        let mut theirs = to.accept().await.unwrap();
        let mut asked = Vec::new();
        theirs.read_to_end(&mut asked).await.unwrap();
        theirs.write_all(&asked).await.unwrap();
        theirs.close().await.unwrap();
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"ping");
    };
    world.block_on(async {
        ask(&pair.client, &pair.server).await;
        ask(&pair.server, &pair.client).await;
    });
    world.settle();
    assert_eq!((pair.client.stats().streams, pair.server.stats().streams), (0, 0));
    assert_eq!((pair.client.audit(), pair.server.audit()), (Ok(()), Ok(())));
}

/// A stream, both ends of it, in a scene of its own.
fn stream() -> (World, Connected, Stream, Stream) {
    let (world, pair) = scene(&Config::default());
    let (ours, theirs) = world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.flush().await.unwrap();
        (ours, pair.server.accept().await.unwrap())
    });
    (world, pair, ours, theirs)
}

#[test]
fn f60_f62_open() {
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    at_every_poll(|polls| {
        let (world, pair) = scene(&config);
        let mut held = world.block_on(pair.client.open()).unwrap();
        world.block_on(held.close()).unwrap();
        let mut theirs = world.block_on(pair.server.accept()).unwrap();
        world.spawn(async move {
            // Its end is what makes a place for the next.
            theirs.close().await.unwrap();
            assert_eq!(theirs.read(&mut [0; 9]).await.unwrap(), 0);
        });
        let waits = async {
            let open = pair.client.open();
            let let_go = async {
                assert_eq!(held.read(&mut [0; 9]).await.unwrap(), 0);
                drop(held);
            };
            join!(open, let_go).0.unwrap()
        };
        let opened = give_up_after(&world, polls, waits);
        let opened = opened.map(drop);
        still_works(&world, &pair);
        opened.is_some()
    });
    // Waiting in line, with the place given back at some moment.
    for given_back in 0..6 {
        let (world, pair) = scene(&config);
        let mut held = Some(world.block_on(pair.client.open()).unwrap());
        let (mut first, mut second) = (pair.client.open(), pair.client.open());
        for step in 0..6 {
            if step == given_back {
                held = None;
            }
            let _ = poll(&mut first, Waker::noop()).map(drop);
        }
        drop((first, held));
        assert!(poll(&mut second, Waker::noop()).is_ready());
        let mut stream = world.block_on(pair.client.open()).unwrap();
        world.block_on(stream.flush()).unwrap();
        world.settle();
        assert_eq!(stream.id().map(muxado_core::StreamId::get), Some(3), "no id was used up");
    }
}

#[test]
fn f60_f63_accept() {
    at_every_poll(|polls| {
        let (world, pair) = scene(&Config::default());
        let mut ours = world.block_on(pair.client.open()).unwrap();
        world.block_on(ours.write_all(b"hello")).unwrap();
        let accepted = give_up_after(&world, polls, pair.server.accept());
        let was_ready = accepted.is_some();
        let mut theirs = accepted.unwrap_or_else(|| world.block_on(pair.server.accept())).unwrap();
        world.block_on(theirs.read_exact(&mut [0; 5])).unwrap();
        drop((ours, theirs));
        still_works(&world, &pair);
        was_ready
    });
}

/// What `read` had got, if it was ready, and what came afterwards, are what was sent.
fn reading(read: impl AsyncFn(&mut Stream) -> Vec<u8>) {
    let sent = pattern(3000);
    at_every_poll(|polls| {
        let (world, pair, mut ours, theirs) = stream();
        let (mut send, recv) = theirs.into_split();
        let wrote = sent.clone();
        world.spawn(async move {
            send.write_all(&wrote).await.unwrap();
            send.close().await.unwrap();
            drop(recv);
        });
        let got = give_up_after(&world, polls, read(&mut ours));
        let was_ready = got.is_some();
        let mut all = got.unwrap_or_default();
        world.block_on(ours.read_to_end(&mut all)).unwrap();
        assert!(all == sent, "given up after {polls} polls: {} bytes", all.len());
        drop(ours);
        still_works(&world, &pair);
        was_ready
    });
}

#[test]
fn f60_read_and_read_chunk() {
    reading(async |stream| {
        let mut bytes = [0; 500];
        let len = stream.read(&mut bytes).await.unwrap();
        bytes[..len].to_vec()
    });
    reading(async |stream| stream.read_chunk(700).await.unwrap().unwrap().to_vec());
}

/// What was taken out before it was given up is in the caller's buffer, and nowhere else.
#[test]
fn f60_read_exact() {
    let sent = pattern(3000);
    at_every_poll(|polls| {
        let (world, pair, mut ours, theirs) = stream();
        let (mut send, recv) = theirs.into_split();
        let wrote = sent.clone();
        world.spawn(async move {
            send.write_all(&wrote).await.unwrap();
            send.close().await.unwrap();
            drop(recv);
        });
        let mut buffer = vec![0; 2500];
        let was_ready = give_up_after(&world, polls, ours.read_exact(&mut buffer)).is_some();
        let mut all: Vec<u8> = buffer.into_iter().take_while(|byte| *byte != 0).collect();
        world.block_on(ours.read_to_end(&mut all)).unwrap();
        assert!(all == sent, "given up after {polls} polls");
        drop(ours);
        still_works(&world, &pair);
        was_ready
    });
}

/// Whatever `write` had handed over when it was given up is a beginning of its bytes, and what is written next follows.
fn writing(write: impl AsyncFn(&mut Stream, &[u8]) -> usize) {
    let sent = pattern(300_000);
    at_every_poll(|polls| {
        let (world, pair, mut ours, mut theirs) = stream();
        let said = give_up_after(&world, polls, write(&mut ours, &sent));
        let read = async {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            all
        };
        let finish = async {
            ours.write_all(&[0xFF; 3]).await.unwrap();
            ours.close().await.unwrap();
        };
        let (mut all, ()) = world.block_on(async { join!(read, finish) });
        assert!(all.ends_with(&[0xFF; 3]), "given up after {polls} polls: what follows is missing");
        all.truncate(all.len() - 3);
        assert!(sent.starts_with(&all), "given up after {polls} polls: other bytes than were written");
        if let Some(said) = said {
            assert_eq!(said, all.len(), "given up after {polls} polls");
        }
        world.block_on(theirs.close()).unwrap();
        world.settle();
        drop((ours, theirs));
        still_works(&world, &pair);
        said.is_some()
    });
}

#[test]
fn f60_f61_write_and_write_all_and_write_chunk() {
    writing(async |stream, bytes| stream.write(&bytes[..10]).await.unwrap());
    writing(async |stream, bytes| stream.write(bytes).await.unwrap());
    writing(async |stream, bytes| {
        stream.write_all(&bytes[..200_000]).await.unwrap();
        200_000
    });
    writing(async |stream, bytes| {
        stream.write_chunk(Bytes::copy_from_slice(&bytes[..100_000])).await.unwrap();
        100_000
    });
}

/// A write that waits takes nothing: only one that is ready has.
#[test]
fn f61_a_write_that_was_pending_took_nothing() {
    let (world, _pair, mut ours, mut theirs) = stream();
    world.block_on(ours.write_all(&vec![1; 256 * 1024])).unwrap();
    world.settle();
    world.block_on(ours.write_all(&[1; 16 * 1024])).unwrap();
    for polls in 0..20 {
        assert!(give_up_after(&world, polls, ours.write(&[9; 5000])).is_none());
        assert!(give_up_after(&world, polls, ours.write_chunk(Bytes::from_static(&[9; 5000]))).is_none());
    }
    let read = async {
        let mut all = vec![0; 272 * 1024];
        theirs.read_exact(&mut all).await.unwrap();
        assert!(all.iter().all(|byte| *byte == 1));
        theirs.read_chunk(9).await.unwrap()
    };
    let finish = async { ours.close().await.unwrap() };
    assert_eq!(world.block_on(async { join!(read, finish) }).0, None);
}

#[test]
fn f60_flush_and_close_of_a_stream() {
    at_every_poll(|polls| {
        let (world, pair) = scene(&Config::default());
        let mut ours = world.block_on(pair.client.open()).unwrap();
        let flushed = give_up_after(&world, polls, ours.flush()).is_some();
        let closed = give_up_after(&world, polls, ours.close()).is_some();
        assert_eq!(flushed, closed);
        world.block_on(ours.close()).unwrap();
        let mut theirs = world.block_on(pair.server.accept()).unwrap();
        assert_eq!(world.block_on(theirs.read(&mut [0; 9])).unwrap(), 0);
        world.block_on(theirs.close()).unwrap();
        assert_eq!(world.block_on(ours.read(&mut [0; 9])).unwrap(), 0);
        drop((ours, theirs));
        still_works(&world, &pair);
        flushed
    });
}

/// Whatever they are given up for, what they began goes on, and whoever asks later is told.
#[test]
fn f60_close_drain_and_closed_of_a_session() {
    type End = fn(&Session) -> muxado_core::Closed;
    let ends: [(&str, End); 3] = [
        ("close", |session| session.close(ErrorCode::NO_ERROR, "bye")),
        ("drain", |session| session.drain(Duration::from_secs(1))),
        ("closed", |session| {
            session.go_away();
            session.closed()
        }),
    ];
    for (what, end) in ends {
        at_every_poll(|polls| {
            let (world, pair) = scene(&Config::default());
            let mut ours = world.block_on(pair.client.open()).unwrap();
            world.block_on(ours.write_all(&pattern(2000))).unwrap();
            world.block_on(ours.close()).unwrap();
            drop(ours);
            let ended = give_up_after(&world, polls, end(&pair.client)).is_some();
            let mut theirs = world.block_on(pair.server.accept()).unwrap();
            let mut all = Vec::new();
            world.block_on(theirs.read_to_end(&mut all)).unwrap();
            assert!(all == pattern(2000), "{what}");
            drop(theirs);
            let (one, other) = world.block_on(async { join!(pair.client.closed(), pair.server.closed()) });
            assert!(one.is_clean() && other.is_clean(), "{what}: {one}, {other}");
            assert_eq!(world.tasks(), 0);
            ended
        });
    }
}

/// Gives a future up at its `left`th `Pending`.
struct Fickle<F> {
    future: F,
    left: usize,
}

impl<F: Future + Unpin> Future for Fickle<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.future).poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => {
                self.left -= 1;
                Poll::Pending
            }
        }
    }
}

async fn write_fickly(mut send: SendStream, bytes: Vec<u8>) {
    let (mut at, mut turn) = (0, 0);
    while at < bytes.len() {
        turn += 1;
        let end = bytes.len().min(at + 7000 * (turn % 3) + 1);
        let wrote = Fickle { future: send.write(&bytes[at..end]), left: turn % 3 }.await;
        at += wrote.map_or(0, |wrote| wrote.unwrap());
        if turn % 2 == 0 {
            yield_once().await;
        }
    }
    send.close().await.unwrap();
}

async fn read_fickly(mut recv: RecvStream) -> Vec<u8> {
    let (mut all, mut turn) = (Vec::new(), 0);
    loop {
        turn += 1;
        match (Fickle { future: recv.read_chunk(5000), left: turn % 3 }).await {
            Some(chunk) => match chunk.unwrap() {
                Some(chunk) => all.extend_from_slice(&chunk),
                None => return all,
            },
            None => yield_once().await,
        }
    }
}

/// Lets everybody else have a turn.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The four halves of a stream in four tasks, each of which gives up and asks again all the time.
#[test]
fn f64_s93_halves_in_tasks_of_their_own_that_change_their_minds() {
    let (world, pair, ours, theirs) = stream();
    let sent = pattern(600_000);
    let mut reads = Vec::new();
    for end in [ours, theirs] {
        let (send, recv) = end.into_split();
        world.spawn(write_fickly(send, sent.clone()));
        reads.push(read_fickly(recv));
    }
    let second = reads.pop().unwrap();
    let first = reads.pop().unwrap();
    let (first, second) = world.block_on(async { join!(first, second) });
    assert!(first == sent && second == sent);
    still_works(&world, &pair);
}
