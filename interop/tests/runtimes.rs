//! What every face must do, on every runtime and between any two of them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::OnceLock;

use muxado_testkit::suite::{Ends, play};
use muxado_tokio::Config;
use muxado_tokio::core::Session;
use tokio::runtime::{Builder, Handle};

const LOCAL: &str = "127.0.0.1:0";

type Accept = Box<dyn FnOnce() -> Session>;

/// One face on one runtime.
#[derive(Clone, Copy)]
struct Face {
    /// Listens: where, and how to take the first session that comes.
    listen: fn(&Config) -> (SocketAddr, Accept),
    connect: fn(SocketAddr, &Config) -> Session,
    spawn: fn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

const TOKIO: Face = Face {
    listen: |config| listen_on_tokio(many(), config),
    connect: |to, config| connect_on_tokio(many(), to, config),
    spawn: |task| drop(many().spawn(task)),
};

const TOKIO_CURRENT_THREAD: Face = Face {
    listen: |config| listen_on_tokio(single(), config),
    connect: |to, config| connect_on_tokio(single(), to, config),
    spawn: |task| drop(single().spawn(task)),
};

const SMOL: Face = Face {
    listen: |config| {
        let listening = muxado_smol::Listener::bind_with(LOCAL, config.clone());
        let listener = smol::block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        (address, Box::new(move || smol::block_on(listener.accept()).unwrap().0.into_core()))
    },
    connect: |to, config| smol::block_on(muxado_smol::connect_with(to, config)).unwrap().into_core(),
    spawn: |task| smol::spawn(task).detach(),
};

const ASYNC_STD: Face = Face {
    listen: |config| {
        let listening = muxado_async_std::Listener::bind_with(LOCAL, config.clone());
        let listener = smol::block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        (address, Box::new(move || smol::block_on(listener.accept()).unwrap().0.into_core()))
    },
    connect: |to, config| smol::block_on(muxado_async_std::connect_with(to, config)).unwrap().into_core(),
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

fn listen_on_tokio(runtime: &'static Handle, config: &Config) -> (SocketAddr, Accept) {
    let listener = on(runtime, muxado_tokio::Listener::bind_with(LOCAL, config.clone())).unwrap();
    let address = listener.local_addr().unwrap();
    let accept = move || on(runtime, async move { listener.accept().await.unwrap().0.into_core() });
    (address, Box::new(accept))
}

fn connect_on_tokio(runtime: &'static Handle, to: SocketAddr, config: &Config) -> Session {
    let config = config.clone();
    on(runtime, async move { muxado_tokio::connect_with(to, &config).await.unwrap().into_core() })
}

fn plays(client: Face, server: Face) {
    play(|config| {
        let (address, accept) = (server.listen)(config);
        let client_session = (client.connect)(address, config);
        Ends { client: client_session, server: accept(), spawn: client.spawn }
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
    for server in [TOKIO_CURRENT_THREAD, SMOL, ASYNC_STD] {
        plays(TOKIO, server);
    }
}

#[test]
fn a_client_on_one_thread_of_tokio_with_all_others() {
    for server in [TOKIO, SMOL, ASYNC_STD] {
        plays(TOKIO_CURRENT_THREAD, server);
    }
}

#[test]
fn a_client_on_smol_with_all_others() {
    for server in [TOKIO, TOKIO_CURRENT_THREAD, ASYNC_STD] {
        plays(SMOL, server);
    }
}

#[test]
fn a_client_on_async_std_with_all_others() {
    for server in [TOKIO, TOKIO_CURRENT_THREAD, SMOL] {
        plays(ASYNC_STD, server);
    }
}
