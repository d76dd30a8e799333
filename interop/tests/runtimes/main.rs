//! What every face must do, on every runtime and between any two of them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod transports;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::OnceLock;

use muxado_testkit::suite::{At, Task, play};
use muxado_tokio::Config;
use muxado_tokio::core::face::Face;
use tokio::runtime::{Builder, Handle};

const LOCAL: &str = "127.0.0.1:0";

/// Takes the first session that comes.
type Accept<F> = Box<dyn FnOnce() -> F>;

/// One face on one runtime.
struct On<F> {
    /// Listens: where, and how to take a session.
    listen: fn(&Config) -> (SocketAddr, Accept<F>),
    connect: fn(SocketAddr, &Config) -> F,
    spawn: fn(Task),
}

const TOKIO: On<muxado_tokio::Session> = On {
    listen: |config| listen_on_tokio(many(), config),
    connect: |to, config| connect_on_tokio(many(), to, config),
    spawn: |task| drop(many().spawn(task)),
};

const TOKIO_CURRENT_THREAD: On<muxado_tokio::Session> = On {
    listen: |config| listen_on_tokio(single(), config),
    connect: |to, config| connect_on_tokio(single(), to, config),
    spawn: |task| drop(single().spawn(task)),
};

const SMOL: On<muxado_smol::Session> = On {
    listen: |config| {
        let listening = muxado_smol::Listener::bind_with(LOCAL, config);
        let listener = smol::block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        (address, Box::new(move || smol::block_on(listener.accept()).unwrap().0))
    },
    connect: |to, config| smol::block_on(muxado_smol::connect_with(to, config)).unwrap(),
    spawn: |task| smol::spawn(task).detach(),
};

const ASYNC_STD: On<muxado_async_std::Session> = On {
    listen: |config| {
        let listening = muxado_async_std::Listener::bind_with(LOCAL, config);
        let listener = smol::block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        (address, Box::new(move || smol::block_on(listener.accept()).unwrap().0))
    },
    connect: |to, config| smol::block_on(muxado_async_std::connect_with(to, config)).unwrap(),
    spawn: |task| drop(async_std::task::spawn(task)),
};

fn many() -> &'static Handle {
    static MANY: OnceLock<Handle> = OnceLock::new();
    MANY.get_or_init(|| start(Builder::new_multi_thread().worker_threads(2)))
}

fn single() -> &'static Handle {
    static SINGLE: OnceLock<Handle> = OnceLock::new();
    SINGLE.get_or_init(|| start(&mut Builder::new_current_thread()))
}

/// A runtime that lives as long as the tests.
fn start(builder: &mut Builder) -> Handle {
    let runtime = builder.enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

/// Runs `future` on the runtime, and waits for it here.
fn on<T: Send + 'static>(runtime: &Handle, future: impl Future<Output = T> + Send + 'static) -> T {
    smol::block_on(runtime.spawn(future)).unwrap()
}

fn listen_on_tokio(runtime: &'static Handle, config: &Config) -> (SocketAddr, Accept<muxado_tokio::Session>) {
    let config = config.clone();
    let listener =
        on(runtime, async move { muxado_tokio::Listener::bind_with(LOCAL, &config).await.unwrap() });
    let address = listener.local_addr().unwrap();
    (address, Box::new(move || on(runtime, async move { listener.accept().await.unwrap().0 })))
}

fn connect_on_tokio(runtime: &'static Handle, to: SocketAddr, config: &Config) -> muxado_tokio::Session {
    let config = config.clone();
    on(runtime, async move { muxado_tokio::connect_with(to, &config).await.unwrap() })
}

fn plays<C: Face, S: Face>(client: On<C>, server: On<S>) {
    play(|config| {
        let (address, accept) = (server.listen)(config);
        let connected = (client.connect)(address, config);
        (At { session: connected, spawn: client.spawn }, At { session: accept(), spawn: server.spawn })
    });
}

#[test]
fn tokio_with_tokio() {
    plays(TOKIO, TOKIO);
}

#[test]
fn tokio_on_one_thread_with_itself() {
    plays(TOKIO_CURRENT_THREAD, TOKIO_CURRENT_THREAD);
}

#[test]
fn a_client_on_tokio_with_all_others() {
    plays(TOKIO, TOKIO_CURRENT_THREAD);
    plays(TOKIO, SMOL);
    plays(TOKIO, ASYNC_STD);
}

#[test]
fn a_client_on_one_thread_of_tokio_with_all_others() {
    plays(TOKIO_CURRENT_THREAD, TOKIO);
    plays(TOKIO_CURRENT_THREAD, SMOL);
    plays(TOKIO_CURRENT_THREAD, ASYNC_STD);
}

#[test]
fn a_client_on_smol_with_all_others() {
    plays(SMOL, TOKIO);
    plays(SMOL, TOKIO_CURRENT_THREAD);
    plays(SMOL, ASYNC_STD);
}

#[test]
fn a_client_on_async_std_with_all_others() {
    plays(ASYNC_STD, TOKIO);
    plays(ASYNC_STD, TOKIO_CURRENT_THREAD);
    plays(ASYNC_STD, SMOL);
}
