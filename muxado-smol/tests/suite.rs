//! What every face must do, on smol.
#![allow(clippy::unwrap_used, reason = "tests")]

use muxado_smol::{Config, Listener, Session, connect_with};
use muxado_testkit::suite::{At, play};

fn connect(config: &Config) -> (At<Session>, At<Session>) {
    let (client, server) = smol::block_on(async {
        let listener = Listener::bind_with("127.0.0.1:0", config).await.unwrap();
        let client = connect_with(listener.local_addr().unwrap(), config).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    });
    let at = |session| At { session, spawn: |task| smol::spawn(task).detach() };
    (at(client), at(server))
}

#[test]
fn smol_does_what_every_face_must() {
    play(connect);
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    shared::<Session>();
    shared::<Listener>();
    #[cfg(feature = "tls")]
    shared::<Listener<muxado_smol::tls::Tls>>();
    #[cfg(unix)]
    shared::<Listener<smol::net::unix::UnixListener>>();
    let _ = |listener: &Listener| sent(listener.accept());
}
