//! Sessions over TLS.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use muxado_testkit::certs::{Authority, HOST};
use muxado_tokio::core::face::ArrivalStats;
use muxado_tokio::tls::rustls::{ClientConfig, ServerConfig};
use muxado_tokio::tls::{ALPN, AlpnMismatch, Tls, TlsOptions};
use muxado_tokio::{
    Config, EndCause, ErrorCode, Listener, OpenError, Session, connect_tls, connect_tls_with,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

async fn listen(tls: ServerConfig, options: TlsOptions) -> (Listener<Tls>, SocketAddr) {
    let listener = Listener::bind_tls_with("127.0.0.1:0", tls, &options).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A question over one stream and its answer.
async fn exchange(client: &Session, server: &Session) {
    let mut asking = client.open().await.unwrap();
    asking.write_all(b"who is there?").await.unwrap();
    asking.shutdown().await.unwrap();
    let mut asked = server.accept().await.unwrap();
    let mut question = String::new();
    asked.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "who is there?");
    asked.write_all(b"me").await.unwrap();
    asked.shutdown().await.unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "me");
}

#[tokio::test]
async fn a_session_over_tls_is_a_session() {
    let authority = Authority::new();
    let (listener, address) = listen(authority.server(), TlsOptions::new().require_alpn(true)).await;
    let demanding = TlsOptions::new().require_alpn(true);
    let (client, server) =
        tokio::join!(connect_tls_with(address, HOST, authority.client(), &demanding), listener.accept());
    let (client, (server, peer)) = (client.unwrap(), server.unwrap());
    exchange(&client, &server).await;
    exchange(&server, &client).await;
    assert_eq!(client.peer_addr(), Some(address));
    assert_eq!((client.local_addr(), server.peer_addr()), (Some(peer), Some(peer)));
    assert_eq!(server.local_addr(), Some(address));

    let end = client.close(ErrorCode::NO_ERROR, "done").await;
    assert!(end.cut().is_nothing() && matches!(end.cause(), EndCause::Closed { .. }), "{end}");
    let end = server.closed().await;
    assert!(matches!(end.cause(), EndCause::GoAway { code: ErrorCode::NO_ERROR, .. }), "{end}");
}

#[tokio::test]
async fn much_data_both_ways() {
    const SIZE: usize = 3 << 20;
    let authority = Authority::new();
    let (listener, address) = listen(authority.server(), TlsOptions::new()).await;
    let (client, server) = tokio::join!(connect_tls(address, HOST, authority.client()), listener.accept());
    let (client, (server, _)) = (client.unwrap(), server.unwrap());
    let both = async |session: &Session, ours: u8| {
        let send = async {
            let mut stream = session.open().await.unwrap();
            stream.write_all(&vec![ours; SIZE]).await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let receive = async {
            let mut all = Vec::new();
            session.accept().await.unwrap().read_to_end(&mut all).await.unwrap();
            all
        };
        tokio::join!(send, receive).1
    };
    let (at_client, at_server) = tokio::join!(both(&client, b'c'), both(&server, b's'));
    assert!(at_client == vec![b's'; SIZE] && at_server == vec![b'c'; SIZE]);
}

#[tokio::test]
async fn a_demanded_protocol_is_demanded_on_both_sides() {
    let authority = Authority::new();
    let speaking = |protocol: &[u8]| {
        let mut tls = authority.client();
        tls.alpn_protocols = vec![protocol.to_vec()];
        tls
    };
    let demanding = TlsOptions::new().require_alpn(true);

    // The server demands it and the client names another: rustls refuses that. Or both speak another one.
    let (listener, address) = listen(authority.server(), TlsOptions::new()).await;
    let accepting = tokio::spawn(async move { listener.accept().await.map(|(_, peer)| peer) });
    connect_tls(address, HOST, speaking(b"h2")).await.unwrap_err();
    accepting.abort();
    let mut other = authority.server();
    other.alpn_protocols = vec![b"h2".to_vec(), ALPN.to_vec()];
    let (listener, address) = listen(other, demanding.clone()).await;
    let (refused, good, accepted) = tokio::join!(
        async {
            let session = connect_tls(address, HOST, speaking(b"h2")).await?;
            Err::<(), _>(io::Error::other(session.closed().await.to_string()))
        },
        connect_tls(address, HOST, authority.client()),
        listener.accept()
    );
    refused.unwrap_err();
    assert_eq!(accepted.unwrap().0.peer_addr(), good.unwrap().local_addr());
    while listener.handshakes().pending > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(listener.handshakes().failed, 1);

    // The client demands it, and the server's handshake knows no protocols.
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server()));
    let plain = async {
        let (tcp, _) = tcp.accept().await.unwrap();
        acceptor.accept(tcp).await
    };
    let (refused, _server) =
        tokio::join!(connect_tls_with(address, HOST, authority.client(), &demanding), plain);
    let refused = refused.unwrap_err();
    let why: &AlpnMismatch = refused.get_ref().unwrap().downcast_ref().unwrap();
    assert_eq!(why.agreed, None);
}

#[tokio::test]
async fn client_certificates_decide_who_gets_a_session() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (listener, address) = listen(ours.demanding_server(), TlsOptions::new()).await;
    let attempt = async |tls: ClientConfig| -> Result<(), Box<dyn Error>> {
        // In TLS 1.3 the client is done before the server has seen its certificate.
        let session = connect_tls(address, HOST, tls).await?;
        match session.closed().await.cause() {
            EndCause::GoAway { .. } => Ok(()),
            cause => Err(format!("{cause:?}").into()),
        }
    };
    let server = async {
        let (session, _) = listener.accept().await.unwrap();
        session.close(ErrorCode::NO_ERROR, "welcome").await;
        // The others are seen to fail.
        loop {
            let ArrivalStats { pending: 0, failed: 2, .. } = listener.handshakes() else {
                let () = tokio::select! { biased;
                    other = listener.accept() => panic!("{other:?}"),
                    () = tokio::task::yield_now() => {}
                };
                continue;
            };
            break;
        }
    };
    let ((), none, foreign, known) = tokio::join!(
        server,
        attempt(ours.client()),
        attempt(ours.client_known_to(&theirs)),
        attempt(ours.client_known_to(&ours))
    );
    none.unwrap_err();
    foreign.unwrap_err();
    known.unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let (listener, address) = listen(authority.server(), TlsOptions::new()).await;
    let accepting = tokio::spawn(async move { listener.accept().await.map(|(_, peer)| peer) });
    let error = connect_tls(address, "elsewhere.example", authority.client()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    let error = connect_tls(address, HOST, Authority::new().client()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    let error = connect_tls(address, "not a name", authority.client()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    accepting.abort();
}

#[tokio::test]
async fn a_listener_that_was_made_elsewhere_takes_all_options() {
    let authority = Authority::new();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let config = Config::builder().max_outbound_streams(1).build().unwrap();
    let options = TlsOptions::new().require_alpn(true).config(config);
    let listener = Listener::from_tcp_tls(tcp, authority.server(), &options);
    assert_eq!(listener.local_addr().unwrap(), address);
    let (client, server) =
        tokio::join!(connect_tls_with(address, HOST, authority.client(), &options), listener.accept());
    let (client, (server, _)) = (client.unwrap(), server.unwrap());
    exchange(&client, &server).await;
    let _only = server.try_open().unwrap();
    assert_eq!(server.try_open().unwrap_err(), OpenError::Busy);
}

#[tokio::test]
async fn silent_clients_keep_nobody_out() {
    const SILENT: usize = 2000;
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let authority = Authority::new();
    let (listener, address) = listen(authority.server(), TlsOptions::new().max_handshakes(100)).await;
    let listening = tokio::spawn(async move {
        let (session, _) = listener.accept().await.unwrap();
        (session, listener.handshakes())
    });
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let client = connect_tls(address, HOST, authority.client()).await.unwrap();
    let (server, seen) = listening.await.unwrap();
    exchange(&client, &server).await;
    assert!(seen.pending <= 100 && seen.displaced >= (SILENT - 100) as u64 - 1, "{seen:?}");
    assert_eq!(seen.late, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let begin = tokio::time::Instant::now();
    let silent = connect_tls(tcp.local_addr().unwrap(), HOST, Authority::new().client());
    assert_eq!(silent.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begin.elapsed() >= Duration::from_secs(10));
}

/// A server that does the handshake, sends `bytes`, and then cuts the connection with no close_notify.
async fn cut_after(bytes: &[u8], authority: &Authority) -> muxado_tokio::SessionEnd {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server()));
    let cutting = async {
        let (tcp, _) = tcp.accept().await.unwrap();
        let mut tls = acceptor.accept(tcp).await.unwrap();
        tls.write_all(bytes).await.unwrap();
        tls.flush().await.unwrap();
        let (mut tcp, _tls) = tls.into_inner();
        tcp.shutdown().await.unwrap();
        // Until the client has closed too: a reset would be an error of its own.
        let mut rest = Vec::new();
        let _ = tcp.read_to_end(&mut rest).await;
    };
    let (session, ()) = tokio::join!(
        async {
            let session = connect_tls(address, HOST, authority.client()).await.unwrap();
            session.closed().await
        },
        cutting
    );
    session
}

#[tokio::test]
async fn a_cut_connection_is_an_error_unless_a_goaway_had_come() {
    let authority = Authority::new();
    let end = cut_after(b"", &authority).await;
    match end.cause() {
        EndCause::Transport(error) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
        cause => panic!("{cause:?}"),
    }
    // GOAWAY: last stream 0, NoError (docs/protocol.md, 2.9).
    let goaway = [0, 0, 8, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let end = cut_after(&goaway, &authority).await;
    assert!(matches!(end.cause(), EndCause::GoAway { code: ErrorCode::NO_ERROR, .. }), "{end}");
}

/// The close_notify is longer than what the link takes at a time, and the link takes its time.
#[tokio::test(start_paused = true)]
async fn a_close_notify_may_have_to_wait_for_room() {
    const AT_A_TIME: usize = 16;
    let authority = Authority::new();
    let (near, link) = tokio::io::duplex(AT_A_TIME);
    let (far, server) = tokio::io::duplex(1 << 16);
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (tokio::io::split(link), tokio::io::split(far));
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    tokio::spawn(async move {
        let mut bytes = [0; AT_A_TIME];
        loop {
            tokio::time::sleep(Duration::from_millis(400)).await;
            match from_client.read(&mut bytes).await? {
                0 => return to_server.shutdown().await,
                count => to_server.write_all(&bytes[..count]).await?,
            }
        }
    });
    let name = HOST.try_into().unwrap();
    let (client, server) = tokio::join!(
        TlsConnector::from(Arc::new(authority.client())).connect(name, near),
        TlsAcceptor::from(Arc::new(authority.server())).accept(server)
    );
    let (client, mut server) = (Session::client(client.unwrap()), server.unwrap());
    let end = client.close(ErrorCode::NO_ERROR, "").await;
    assert!(end.is_clean() && end.cut().is_nothing());
    // Without it this would be an error.
    let mut said = Vec::new();
    server.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, [0, 0, 8, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn bytes_before_the_handshake_are_never_muxed() {
    let authority = Authority::new();
    let (listener, address) = listen(authority.server(), TlsOptions::new()).await;
    // A plain muxado client: its SYN is no ClientHello.
    let plain = muxado_tokio::connect(address).await.unwrap();
    let mut stream = plain.open().await.unwrap();
    stream.write_all(b"let me in").await.unwrap();
    let accept = async { listener.accept().await.map(|(session, _)| session) };
    let served = tokio::select! {
        _ = accept => true,
        end = plain.closed() => { assert!(!matches!(end.cause(), EndCause::GoAway { .. }), "{end}"); false }
    };
    assert!(!served);
}
