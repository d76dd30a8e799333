//! What every face must do, on async-std.
#![allow(clippy::unwrap_used, reason = "tests")]

use muxado_async_std::{Config, Listener, Session, connect_with};
use muxado_testkit::suite::{At, play};

fn connect(config: &Config) -> (At<Session>, At<Session>) {
    let (client, server) = async_std::task::block_on(async {
        let listener = Listener::bind_with("127.0.0.1:0", config).await.unwrap();
        let client = connect_with(listener.local_addr().unwrap(), config).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    });
    let at = |session| At { session, spawn: |task| drop(async_std::task::spawn(task)) };
    (at(client), at(server))
}

#[test]
fn async_std_does_what_every_face_must() {
    play(connect);
}

/// The compiler says so.
#[test]
fn all_of_it_may_cross_threads() {
    fn shared<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    fn sent(_: impl Send) {}
    shared::<Session>();
    shared::<Listener>();
    #[cfg(unix)]
    shared::<Listener<async_std::os::unix::net::UnixListener>>();
    let _ = |listener: &Listener| sent(listener.accept());
}
