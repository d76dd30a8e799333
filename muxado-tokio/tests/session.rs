//! Sessions over real TCP: the promises of the crate page, end to end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::future::poll_fn;
use std::time::Duration;

use muxado_testkit::wire;
use muxado_tokio::tap::{Overheard, Tap};
use muxado_tokio::{
    Bytes, Config, ErrorCode, Listener, RecvStream, SendStream, Session, Side, Stream, connect_with, over_tcp,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

async fn pair(config: Config) -> (Session, Session) {
    let listener = Listener::bind_with("127.0.0.1:0", &config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(connect_with(address, &config), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello_there_and_back() {
    let (client, server) = pair(Config::default()).await;
    let echo = tokio::spawn(async move {
        let mut stream = server.accept().await.unwrap();
        let mut request = Vec::new();
        stream.read_to_end(&mut request).await.unwrap();
        stream.write_all(&request).await.unwrap();
        stream.shutdown().await.unwrap();
        server.closed().await
    });
    let mut stream = client.open().await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"hello");
    let end = client.close(ErrorCode::NO_ERROR, "bye").await;
    assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
    let end = echo.await.unwrap();
    assert_eq!((end.code(), end.text()), (ErrorCode::NO_ERROR, &b"bye"[..]));
}

/// As hyper's client does it, which has nothing to write any more and flushes all the same.
#[tokio::test]
async fn whoever_flushes_can_still_read_what_had_come_before_the_session_ended() {
    let (client, server) = pair(Config::default()).await;
    let mut asking = client.open().await.unwrap();
    asking.write_all(b"question").await.unwrap();
    let mut answering = server.accept().await.unwrap();
    answering.write_all(b"answer").await.unwrap();
    answering.shutdown().await.unwrap();
    drop(answering);
    server.close(ErrorCode::NO_ERROR, "bye").await;
    client.closed().await;
    asking.flush().await.unwrap();
    let (mut send, mut recv) = asking.into_split();
    send.flush().await.unwrap();
    let mut answer = String::new();
    recv.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
    assert!(send.write_all(b"more").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_at_once() {
    const STREAMS: usize = 10_000;
    let config =
        Config::builder().max_inbound_streams(STREAMS).max_outbound_streams(STREAMS).build().unwrap();
    let (client, server) = pair(config).await;
    let accepting = tokio::spawn(async move {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..STREAMS {
            let mut stream = server.accept().await.unwrap();
            readers.spawn(async move {
                let mut hello = Vec::new();
                stream.read_to_end(&mut hello).await.unwrap();
                assert_eq!(hello, b"hello");
                stream.shutdown().await.unwrap();
            });
        }
        readers.join_all().await;
        server
    });
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let client = client.clone();
        writers.spawn(async move {
            let mut stream = client.open().await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            assert!(rest.is_empty());
        });
    }
    writers.join_all().await;
    let server = accepting.await.unwrap();
    assert_eq!(client.stats().opened, STREAMS as u64);
    assert_eq!(server.stats().refused, 0);
}

/// The runtime of a session goes away while another one waits for it: an error, and soon.
#[test]
fn f49_a_runtime_that_is_shut_down_ends_its_sessions() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (ours, theirs) = (runtime(), runtime());
    let (client, server) = ours.block_on(async {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connecting =
            theirs.spawn(async move { connect_with(address, &Config::default()).await.unwrap() });
        let server = listener.accept().await.unwrap().0;
        (connecting.await.unwrap(), server)
    });
    let (mut stream, mut other) = ours.block_on(async {
        let mut stream = client.open().await.unwrap();
        stream.write_all(b"half").await.unwrap();
        (stream, server.accept().await.unwrap())
    });
    theirs.shutdown_background();
    ours.block_on(async {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        let (here, there) = tokio::join!(stream.read_to_end(&mut here), other.read_to_end(&mut there));
        assert_eq!(here.unwrap_err().kind(), std::io::ErrorKind::ConnectionAborted);
        assert_eq!(there.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        assert!(client.open().await.is_err() && client.accept().await.is_err());
        assert_eq!(client.closed().await.code(), ErrorCode::SESSION_CLOSED);
    });
}

/// 1. We answer and drain. Most of the answer is still in the socket, since the peer reads slowly.
/// 2. The peer is silent for a moment, so that whoever waits for our end is told.
/// 3. The peer sends a receipt: on a socket that is closed by then, TCP answers with a reset, and throws away what it
///    has not delivered.
/// 4. The peer reads on.
#[tokio::test]
async fn s80_s81_what_a_slow_peer_has_not_read_when_we_end_still_arrives() {
    const LEN: usize = 64 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let (peer, accepted) = tokio::join!(socket.connect(address), listener.accept());
    let (mut peer, session) = (peer.unwrap(), Session::server(accepted.unwrap().0));

    peer.write_all(&wire::syn_fin(3, b"send me much")).await.unwrap();
    let mut stream = session.accept().await.unwrap();
    let mut question = Vec::new();
    stream.read_to_end(&mut question).await.unwrap();
    stream.write_all(&[7; LEN]).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    let end = session.drain(Duration::from_secs(30)).await;
    assert!(end.is_clean() && end.cut().is_nothing(), "{end}");

    peer.write_all(&wire::wndinc(3, 1)).await.unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() > LEN, "{} bytes arrived", answer.len());
    assert!(answer.ends_with(&wire::go_away(3, 0, b"")));
}

#[tokio::test(start_paused = true)]
async fn deadlines_follow_tokios_clock() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (client, server) = (Session::client(near), Session::server(far));
    let mut stream = client.open().await.unwrap();
    stream.write_all(b"x").await.unwrap();
    let mut other = server.accept().await.unwrap();
    let start = tokio::time::Instant::now();
    stream.set_read_deadline(Some((start + Duration::from_secs(3600)).into_std()));
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 3600);
    stream.set_deadline(None);
    other.write_all(b"y").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'y');
}

#[tokio::test]
async fn sessions_and_streams_know_the_addresses_of_their_connection() {
    let (client, server) = pair(Config::default()).await;
    let (ours, theirs) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    assert_ne!(ours, theirs);
    assert_eq!((server.local_addr(), server.peer_addr()), (Some(theirs), Some(ours)));
    let (send, recv) = client.open().await.unwrap().into_split();
    assert_eq!((send.local_addr(), recv.peer_addr()), (Some(ours), Some(theirs)));
    let (near, _far) = tokio::io::duplex(16);
    let session = Session::client(near);
    assert_eq!(session.peer_addr(), None, "a transport without addresses");
    let clone = session.clone();
    session.set_addresses(None, Some(ours));
    assert_eq!(clone.peer_addr(), Some(ours), "unless it is told, and then all know");
}

#[tokio::test]
async fn a_connection_that_was_made_elsewhere_is_set_up_as_connect_does() {
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap().into_std().unwrap();
    let same = tcp.try_clone().unwrap();
    assert!(!same.nodelay().unwrap());
    let client = over_tcp(TcpStream::from_std(tcp).unwrap(), Side::Client, &Config::default());
    assert!(same.nodelay().unwrap());
    // A message waits behind no more than this in the socket, whatever its priority.
    #[cfg(target_os = "linux")]
    assert_eq!(socket2::SockRef::from(&same).tcp_notsent_lowat().unwrap(), 128 * 1024);
    let (server, peer) = listener.accept().await.unwrap();
    assert_eq!((client.side(), client.local_addr()), (Side::Client, Some(peer)));
    assert_eq!(client.peer_addr(), server.local_addr());
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    type Transport = tokio::io::DuplexStream;
    shared::<Session>();
    shared::<Stream>();
    shared::<SendStream>();
    shared::<RecvStream>();
    shared::<Listener>();
    shared::<Listener<muxado_tokio::tls::Tls>>();
    #[cfg(unix)]
    shared::<Listener<tokio::net::UnixListener>>();
    shared::<Tap<Transport, fn(Overheard)>>();
    let _ = |session: &Session, listener: &Listener, stream: &mut Stream| {
        sent((session.open(), session.accept(), session.closed(), session.leaving()));
        sent((listener.accept(), stream.stopped()));
        sent(stream.read_chunk(1));
        sent(stream.write_chunk(Bytes::new()));
    };
    let _ = |listener: &Listener<muxado_tokio::tls::Tls>| sent(listener.accept());
}

/// Halves and streams go to the core's types and back, and whole streams come apart and together.
#[tokio::test]
async fn streams_change_their_types_and_stay_the_same() {
    let (client, server) = pair(Config::default()).await;
    let (send, recv) = client.open().await.unwrap().into_split();
    let (send, recv) = (SendStream::from(send.into_core()), RecvStream::from(recv.into_core()));
    let mut ours = Stream::from(Stream::from_halves(send, recv).into_core());
    let (send, _) = ours.halves();
    send.write_chunk(Bytes::from_static(b"hello")).await.unwrap();
    let (send, recv) = ours.into_split();
    let core = muxado_tokio::core::Stream::from_halves(send.into(), recv.into());
    let mut ours = Stream::from(core);
    ours.finish().unwrap();
    let mut theirs = server.accept().await.unwrap();
    let mut said = Vec::new();
    while let Some(chunk) = poll_fn(|cx| theirs.poll_read_chunk(cx, 2)).await.unwrap() {
        assert!(chunk.len() <= 2);
        said.extend(chunk);
    }
    assert_eq!(said, b"hello");
    let mut answer = Bytes::from_static(b"fine");
    while !answer.is_empty() {
        poll_fn(|cx| theirs.poll_write_chunk(cx, &mut answer)).await.unwrap();
    }
    theirs.shutdown().await.unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "fine");
    poll_fn(|cx| theirs.poll_stopped(cx)).await.unwrap();
    assert_eq!(*client.config(), Config::default());
    let observer = client.observer();
    drop((client, ours, theirs));
    observer.leaving().await;
}

/// One task waits for the peer's reset beside work that writes by the same stream.
#[tokio::test]
async fn work_ends_when_the_peer_stops_the_stream() {
    let (client, server) = pair(Config::default()).await;
    let mut ours = client.open().await.unwrap();
    ours.shutdown().await.unwrap();
    let mut theirs = server.accept().await.unwrap();
    theirs.read_to_end(&mut Vec::new()).await.unwrap();
    let stopped = theirs.stopped();
    let work = async {
        theirs.write_all(b"a beginning").await.unwrap();
        ours.read_exact(&mut [0; 11]).await.unwrap();
        ours.reset(ErrorCode::new(1000)).unwrap();
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        () = work => unreachable!("it never ends"),
        stopped = stopped => stopped.unwrap_err(),
    };
    assert_eq!(error.code(), Some(ErrorCode::new(1000)));
    assert!(theirs.write_all(b"more").await.is_err());
}
