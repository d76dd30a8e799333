//! Sessions over TLS on smol, where they differ from those on tokio: the TLS library.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io;
use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use muxado_smol::tls::TlsOptions;
use muxado_smol::{EndCause, ErrorCode, Listener, SessionEnd, connect_tls};
use muxado_testkit::certs::{Authority, HOST};
use smol::future::{or, zip};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};

/// A server that does the handshake, sends `bytes`, and then cuts the connection with no close_notify.
async fn cut_after(bytes: &[u8], authority: &Authority) -> SessionEnd {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server()));
    let cutting = async {
        let (tcp, _) = tcp.accept().await.unwrap();
        let mut tls = acceptor.accept(tcp.clone()).await.unwrap();
        tls.write_all(bytes).await.unwrap();
        tls.flush().await.unwrap();
        tcp.shutdown(std::net::Shutdown::Write).unwrap();
        // Until the client has closed too: a reset would be an error of its own.
        let _ = tcp.clone().read_to_end(&mut Vec::new()).await;
    };
    let ending = async { connect_tls(address, HOST, authority.client()).await.unwrap().closed().await };
    zip(ending, cutting).await.0
}

#[test]
fn a_cut_connection_is_an_error_unless_a_goaway_had_come() {
    let authority = Authority::new();
    smol::block_on(async {
        let end = cut_after(b"", &authority).await;
        match end.cause() {
            EndCause::Transport(error) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
            cause => panic!("{cause:?}"),
        }
        // GOAWAY: last stream 0, NoError (docs/protocol.md, 2.9).
        let goaway = [0, 0, 8, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let end = cut_after(&goaway, &authority).await;
        assert!(matches!(end.cause(), EndCause::GoAway { code: ErrorCode::NO_ERROR, .. }), "{end}");
    });
}

#[test]
fn silent_clients_keep_nobody_out() {
    let authority = Authority::new();
    smol::block_on(async {
        let options = TlsOptions::new().max_handshakes(10).require_alpn(true);
        let listener = Listener::bind_tls_with("127.0.0.1:0", authority.server(), &options).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connecting = async {
            let mut silent = Vec::new();
            for _ in 0..100 {
                silent.push(TcpStream::connect(address).await.unwrap());
            }
            connect_tls(address, HOST, authority.client()).await.unwrap()
        };
        let (_client, server) = zip(connecting, listener.accept()).await;
        assert!(server.is_ok());
        let stats = listener.handshakes();
        assert!(stats.displaced >= 90 && stats.pending <= 10 && stats.late == 0, "{stats:?}");
        // A client with a certificate for another name has nobody to blame but itself.
        let wrong = async { connect_tls(address, "elsewhere.example", authority.client()).await.map(drop) };
        let accepting = async { listener.accept().await.map(drop) };
        or(wrong, accepting).await.unwrap_err();
    });
}
