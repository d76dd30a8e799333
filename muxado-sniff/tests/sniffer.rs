//! Sniffers in virtual time: who gets which connection, and what becomes of those that nobody gets.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_sniff::{
    FuturesIo, Incoming, Limits, Listener, Matcher, Sniffed, Sniffer, Verdict, any, http1, prefix, ssh,
};
use muxado_testkit::{End, Interrupted, World, pipe};

type Site = Sniffer<End, FuturesIo<World>>;

fn site(limits: Limits) -> (World, Site) {
    let world = World::new();
    (world.clone(), Sniffer::on(world, limits))
}

/// A connection whose client has said this.
async fn saying(words: &[u8]) -> (End, End) {
    let (mut client, server) = pipe(1 << 16);
    client.write_all(words).await.unwrap();
    (client, server)
}

/// Runs the sniffer on these connections until `then` is done.
async fn with<C: AsyncRead + AsyncWrite + Unpin + Send + 'static, T>(
    site: &Sniffer<C, FuturesIo<World>>,
    connections: impl IntoIterator<Item = C>,
    then: impl Future<Output = T>,
) -> T {
    let coming: RefCell<VecDeque<C>> = RefCell::new(connections.into_iter().collect());
    let accept = || {
        let next = coming.borrow_mut().pop_front();
        async {
            match next {
                Some(connection) => Ok(connection),
                None => pending().await,
            }
        }
    };
    let (running, then) = (std::pin::pin!(site.run(accept)), std::pin::pin!(then));
    match futures_util::future::select(then, running).await {
        futures_util::future::Either::Left((done, _)) => done,
        futures_util::future::Either::Right((error, _)) => unreachable!("{error}"),
    }
}

async fn all_of(mut connection: Sniffed<End>) -> Vec<u8> {
    let mut all = Vec::new();
    connection.read_to_end(&mut all).await.unwrap();
    all
}

#[test]
fn each_goes_to_the_first_that_fits_and_is_read_from_its_first_byte() {
    let (world, mut site) = site(Limits::new());
    let ssh = site.listen(ssh());
    let http = site.listen(http1());
    let rest = site.listen(any());
    world.block_on(async {
        let samples = [&b"SSH-2.0-x\r\n"[..], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HELO x\r\n"];
        let mut clients = Vec::new();
        let mut servers = Vec::new();
        for sample in samples {
            let (client, server) = saying(sample).await;
            clients.push(client);
            servers.push(server);
        }
        with(&site, servers, async {
            for (mut client, (listener, sample)) in
                clients.into_iter().zip([&ssh, &http, &rest].into_iter().zip(samples))
            {
                let mut connection = listener.accept().await.unwrap();
                assert_eq!(connection.seen(), sample);
                connection.write_all(b"welcome").await.unwrap();
                let mut welcome = [0; 7];
                client.read_exact(&mut welcome).await.unwrap();
                assert_eq!(&welcome, b"welcome");
                client.write_all(b"and more").await.unwrap();
                client.close().await.unwrap();
                assert_eq!(all_of(connection).await, [sample, b"and more"].concat());
            }
        })
        .await;
    });
}

#[test]
fn bytes_may_come_one_by_one() {
    let (world, mut site) = site(Limits::new());
    let http = site.listen(http1());
    world.block_on(async {
        let (mut client, server) = pipe(1);
        let request = b"GET /a/long/way HTTP/1.1\r\nHost: x\r\n\r\n";
        let sending = async {
            for byte in request {
                client.write_all(&[*byte]).await.unwrap();
            }
            client.close().await.unwrap();
        };
        let reading = async { all_of(http.accept().await.unwrap()).await };
        let ((), read) = with(&site, [server], async { futures_util::join!(sending, reading) }).await;
        assert_eq!(read, request);
    });
}

#[test]
fn a_silent_one_goes_to_whoever_takes_all_when_its_time_is_over() {
    let (world, mut site) = site(Limits::new().time(Duration::from_secs(7)));
    let _ssh = site.listen(ssh());
    let rest = site.listen(any());
    world.block_on(async {
        let (_silent, first) = saying(b"").await;
        let (_slow, second) = saying(b"SS").await;
        with(&site, [first, second], async {
            let (one, two) = (rest.accept().await.unwrap(), rest.accept().await.unwrap());
            assert_eq!((one.seen(), two.seen()), (&b""[..], &b"SS"[..]));
        })
        .await;
    });
    assert_eq!(world.elapsed(), Duration::from_secs(7));
}

#[test]
fn who_fits_nowhere_is_closed_and_counted() {
    let (world, mut site) = site(Limits::new());
    let ssh = site.listen(ssh());
    world.block_on(async {
        let (mut wrong, first) = saying(b"GET / HTTP/1.1\r\n").await;
        let (mut silent, second) = saying(b"").await;
        let (mut partial, third) = saying(b"SSH").await;
        partial.close().await.unwrap();
        with(&site, [first, second, third], async {
            for client in [&mut wrong, &mut partial, &mut silent] {
                // It sees the end, or that nobody is there.
                let _ = client.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
    });
    assert_eq!(world.elapsed(), Duration::from_secs(10));
    assert_eq!(site.stats().unmatched, 3);
    assert!(ssh.accept().now_or_never().is_none());
}

#[test]
fn no_more_is_read_than_may_be() {
    const MAX: usize = 3000;
    let (world, mut site) = site(Limits::new().max_bytes(MAX));
    let undecided = |_: &[u8]| Verdict::NeedMore;
    let asked = move |seen: &[u8]| {
        assert!(seen.len() <= MAX);
        undecided(seen)
    };
    let _never = site.listen(asked);
    let rest = site.listen(any());
    world.block_on(async {
        let (client, server) = saying(&[7; 10_000]).await;
        with(&site, [server], async {
            let connection = rest.accept().await.unwrap();
            assert_eq!(connection.seen().len(), MAX);
            drop(client);
            assert_eq!(all_of(connection).await, [7; 10_000]);
        })
        .await;
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
}

#[test]
fn a_listener_that_nobody_accepts_from_holds_up_no_other() {
    let (world, mut site) = site(Limits::new().queue(2));
    let idle = site.listen(prefix(*b"idle"));
    let busy = site.listen(prefix(*b"busy"));
    let gone = site.listen(prefix(*b"gone"));
    drop(gone);
    world.block_on(async {
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        for words in [b"idle"; 5].into_iter().chain([b"gone", b"busy"]) {
            let (client, server) = saying(words).await;
            clients.push(client);
            servers.push(server);
        }
        with(&site, servers, async { busy.accept().await.unwrap() }).await;
        assert_eq!(site.stats().unclaimed, 3 + 1);
        // The first two are still there, and the others were closed.
        assert!(idle.accept().now_or_never().is_some() && idle.accept().now_or_never().is_some());
        assert!(idle.accept().now_or_never().is_none());
        let mut fifth = clients.remove(4);
        let _ = fifth.read_to_end(&mut Vec::new()).await;
    });
}

#[test]
fn who_waits_in_a_listener_that_is_dropped_is_closed_at_once() {
    // A channel for one is made in another way than one for more.
    for waiting in [1, 3] {
        for as_stream in [false, true] {
            let (world, mut site) = site(Limits::new().queue(waiting));
            let idle = site.listen(prefix(*b"idle"));
            let busy = site.listen(prefix(*b"busy"));
            world.block_on(async {
                let (mut clients, mut servers) = (Vec::new(), Vec::new());
                for words in std::iter::repeat_n(b"idle", waiting).chain([b"busy"]) {
                    let (client, server) = saying(words).await;
                    clients.push(client);
                    servers.push(server);
                }
                with(&site, servers, async { busy.accept().await.unwrap() }).await;
                match as_stream {
                    true => drop(idle.incoming()),
                    false => drop(idle),
                }
                for mut client in clients {
                    assert!(client.read_to_end(&mut Vec::new()).now_or_never().is_some(), "still open");
                }
                assert_eq!(site.stats().unclaimed, waiting as u64);
            });
        }
    }
}

#[test]
fn thousands_of_silent_ones_keep_nobody_out() {
    let (world, mut site) = site(Limits::new().max_sniffing(50));
    let http = site.listen(http1());
    world.block_on(async {
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        for words in [&b""[..]; 2000].into_iter().chain([&b"GET / HTTP/1.1\r\n\r\n"[..]]) {
            let (client, server) = saying(words).await;
            clients.push(client);
            servers.push(server);
        }
        with(&site, servers, http.accept()).await.unwrap();
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
    let stats = site.stats();
    assert!(stats.sniffing < 50 && stats.displaced >= 1950, "{stats:?}");
}

#[test]
fn the_end_waits_for_no_silent_client() {
    let (world, mut site) = site(Limits::new());
    let ssh = site.listen(ssh());
    world.block_on(async {
        let (mut silent, first) = saying(b"").await;
        let (_client, second) = saying(b"SSH-2.0-x").await;
        with(&site, [first, second], async {
            while site.stats().sniffing != 1 {
                world.sleep(Duration::from_nanos(1)).await;
            }
        })
        .await;
        drop(site);
        // What was recognised can still be had, and then comes the end.
        assert!(ssh.accept().await.is_some());
        assert!(ssh.accept().await.is_none());
        let _ = silent.read_to_end(&mut Vec::new()).await;
    });
    assert!(world.elapsed() < Duration::from_secs(1));
}

#[test]
fn limits_of_nothing_still_let_one_through() {
    let nothing = Limits::new().max_bytes(0).time(Duration::ZERO).max_sniffing(0).queue(0);
    assert_eq!(nothing, Limits::new().max_bytes(1).time(Duration::ZERO).max_sniffing(1).queue(1));
    let (world, mut site) = site(nothing);
    let http = site.listen(prefix(*b"G"));
    let rest = site.listen(any());
    world.block_on(async {
        let (_lively, first) = saying(b"GET / HTTP/1.1\r\n").await;
        let connection = with(&site, [first], http.accept()).await.unwrap();
        assert_eq!(connection.seen(), b"G");
        let (_silent, second) = saying(b"").await;
        assert!(with(&site, [second], rest.accept()).await.is_some());
    });
    assert_eq!(world.elapsed(), Duration::ZERO);
}

#[test]
fn limits_without_end_are_no_trouble() {
    let endless =
        Limits::new().max_bytes(usize::MAX).time(Duration::MAX).max_sniffing(usize::MAX).queue(usize::MAX);
    let (world, mut site) = site(endless);
    let http = site.listen(http1());
    world.block_on(async {
        let (_silent, first) = saying(b"").await;
        let (_lively, second) = saying(b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(with(&site, [first, second], http.accept()).await.is_some());
    });
    assert_eq!((world.elapsed(), site.stats().sniffing), (Duration::ZERO, 1));
}

#[test]
fn a_broken_source_is_told() {
    let (world, site) = site(Limits::new());
    let error = world.block_on(site.run(|| async { Err::<End, _>(io::ErrorKind::InvalidInput.into()) }));
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

/// What asks for a little.
struct Curious;

impl Matcher for Curious {
    fn look(&self, _: &[u8]) -> Verdict {
        Verdict::Answer(b"who is there?")
    }
}

#[test]
fn one_that_is_interrupted_for_ever_has_no_more_time_than_others() {
    for asks in [false, true] {
        let world = World::new();
        let mut site: Sniffer<Interrupted, _> =
            Sniffer::on(world.clone(), Limits::new().time(Duration::ZERO));
        let _curious = asks.then(|| site.listen(Curious));
        let rest = site.listen(any());
        let connection = world.block_on(with(&site, [Interrupted::default()], rest.accept())).unwrap();
        assert_eq!(connection.seen(), b"");
    }
}

/// Wants to be asked for a number, and then says one.
struct Quiz;

impl Matcher for Quiz {
    fn look(&self, seen: &[u8]) -> Verdict {
        match seen {
            [] => Verdict::NeedMore,
            [b'?'] => Verdict::Answer(b"a number, please"),
            [b'?', _, b'!', ..] => Verdict::Match,
            [b'?', ..] => Verdict::NeedMore,
            _ => Verdict::NoMatch,
        }
    }

    fn reaction(&self, seen: &[u8]) -> Option<std::ops::Range<usize>> {
        (seen.len() > 1).then_some(1..2)
    }
}

#[test]
fn a_client_that_waits_is_answered_once_and_what_it_says_to_that_is_kept_from_the_server() {
    let (world, mut site) = site(Limits::new());
    let quiz = site.listen(Quiz);
    world.block_on(async {
        let (mut client, server) = saying(b"?").await;
        // Once each: it is tried again.
        let interrupted = Some(io::ErrorKind::Interrupted);
        server.read.lane().set(|mood| mood.read_error = interrupted);
        server.write.lane().set(|mood| mood.write_error = interrupted);
        let talking = async {
            let mut asked = [0; 16];
            client.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, b"a number, please");
            client.write_all(b"7!").await.unwrap();
            client.close().await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"");
        };
        let serving = async {
            let mut connection = quiz.accept().await.unwrap();
            connection.close().await.unwrap();
            all_of(connection).await
        };
        let ((), read) = with(&site, [server], async { futures_util::join!(talking, serving) }).await;
        assert_eq!(read, b"?!");
    });
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_matcher_that_panics_costs_one_connection() {
    let mut site = Sniffer::tokio(Limits::new());
    let listener = site.listen(|seen: &[u8]| match seen {
        [] => Verdict::NeedMore,
        [b'x', ..] => std::panic::panic_any("a bug, on purpose"),
        _ => Verdict::Match,
    });
    let mut coming = Vec::new();
    let mut clients = Vec::new();
    for words in [&b"fine"[..], b"x"] {
        let (mut client, server) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut client, words).await.unwrap();
        clients.push(client);
        coming.push(server);
    }
    let coming = RefCell::new(coming);
    let accept = || {
        let next = coming.borrow_mut().pop();
        async {
            match next {
                Some(connection) => Ok(connection),
                None => pending().await,
            }
        }
    };
    let mut fine = tokio::select! {
        connection = listener.accept() => connection.unwrap(),
        error = site.run(accept) => unreachable!("{error}"),
    };
    clients.clear();
    let mut read = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut fine, &mut read).await.unwrap();
    assert_eq!(read, b"fine");
    while site.stats().sniffing > 0 {
        tokio::task::yield_now().await;
    }
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    shared::<Site>();
    shared::<Listener<End>>();
    shared::<Incoming<End>>();
    shared::<Sniffed<End>>();
    shared::<Limits>();
    let _ = |site: &Site, listener: &Listener<End>| {
        sent(site.run(async || pending::<io::Result<End>>().await));
        sent(listener.accept());
    };
}
