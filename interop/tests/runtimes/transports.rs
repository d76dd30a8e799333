//! The same suite over TLS and over Unix sockets.

use muxado_testkit::certs::{Authority, HOST};
use muxado_testkit::suite::{At, Task, play};
use muxado_tokio::Config;
use smol::future::zip;

use super::{LOCAL, many, on};

const ON_TOKIO: fn(Task) = |task| drop(many().spawn(task));
const ON_SMOL: fn(Task) = |task| smol::spawn(task).detach();

fn tokio_options(config: &Config) -> muxado_tokio::tls::TlsOptions {
    muxado_tokio::tls::TlsOptions::new().config(config.clone()).require_alpn(true)
}

fn both<F>(sessions: (F, F), spawn: fn(Task)) -> (At<F>, At<F>) {
    (At { session: sessions.0, spawn }, At { session: sessions.1, spawn })
}

#[test]
fn tls_on_tokio() {
    let authority = Authority::new();
    play(|config| {
        let (client, server, options) = (authority.client(), authority.server(), tokio_options(config));
        let sessions = on(many(), async move {
            let listener = muxado_tokio::Listener::bind_tls_with(LOCAL, server, &options).await.unwrap();
            let address = listener.local_addr().unwrap();
            let connecting = muxado_tokio::connect_tls_with(address, HOST, client, &options);
            let (client, server) = tokio::join!(connecting, listener.accept());
            (client.unwrap(), server.unwrap().0)
        });
        both(sessions, ON_TOKIO)
    });
}

#[test]
fn tls_on_smol() {
    let authority = Authority::new();
    play(|config| {
        let (client, server, options) = (authority.client(), authority.server(), tokio_options(config));
        let sessions = smol::block_on(async move {
            let listener = muxado_smol::Listener::bind_tls_with(LOCAL, server, &options).await.unwrap();
            let address = listener.local_addr().unwrap();
            let connecting = muxado_smol::connect_tls_with(address, HOST, client, &options);
            let (client, server) = zip(connecting, listener.accept()).await;
            (client.unwrap(), server.unwrap().0)
        });
        both(sessions, ON_SMOL)
    });
}

#[test]
fn tls_between_tokio_and_smol() {
    let authority = Authority::new();
    play(|config| {
        let (client, server, options) = (authority.client(), authority.server(), tokio_options(config));
        let listening = muxado_smol::Listener::bind_tls_with(LOCAL, server, &options);
        let listener = smol::block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = smol::spawn(async move { listener.accept().await.unwrap().0 });
        let client = on(many(), async move {
            muxado_tokio::connect_tls_with(address, HOST, client, &options).await.unwrap()
        });
        let server = smol::block_on(accepting);
        (At { session: client, spawn: ON_TOKIO }, At { session: server, spawn: ON_SMOL })
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets_on_tokio() {
    play(|config| {
        let (folder, config) = (tempfile::tempdir().unwrap(), config.clone());
        let sessions = on(many(), async move {
            let path = folder.path().join("socket");
            let listener = muxado_tokio::Listener::bind_unix_with(&path, &config).unwrap();
            assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path.as_path()));
            let client = muxado_tokio::connect_unix_with(&path, &config).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        });
        both(sessions, ON_TOKIO)
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets_on_smol() {
    play(|config| {
        let folder = tempfile::tempdir().unwrap();
        let sessions = smol::block_on(async {
            let path = folder.path().join("socket");
            let listener = muxado_smol::Listener::bind_unix_with(&path, config).unwrap();
            let client = muxado_smol::connect_unix_with(&path, config).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        });
        both(sessions, ON_SMOL)
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets_on_async_std() {
    play(|config| {
        let folder = tempfile::tempdir().unwrap();
        let sessions = smol::block_on(async {
            let path = folder.path().join("socket");
            let listener = muxado_async_std::Listener::bind_unix_with(&path, config).await.unwrap();
            let client = muxado_async_std::connect_unix_with(&path, config).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        });
        both(sessions, |task| drop(async_std::task::spawn(task)))
    });
}
