//! Runs a case twice: ours as the client of their server, and as the server of their client.

use std::time::Duration;

use crate_muxado::{MuxadoSession, SessionBuilder};
use muxado_tokio::{Config, Listener, Session, connect_with};
use tokio::net::{TcpListener, TcpStream};

/// Nothing here takes a second. This only turns a hang into a failure.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// The settings of the two ends. Those of the peer are its own defaults unless they say otherwise.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) ours: Config,
    pub(crate) their_accept_queue: Option<usize>,
}

/// Both ends in their default settings.
pub(crate) async fn in_both_roles(case: impl AsyncFn(Session, MuxadoSession)) {
    in_both_roles_with(Setup::default(), case).await;
}

pub(crate) async fn in_both_roles_with(setup: Setup, case: impl AsyncFn(Session, MuxadoSession)) {
    for (role, pair) in [("client", our_client(&setup).await), ("server", our_server(&setup).await)] {
        // Shown only if the case fails.
        println!("ours is the {role}");
        let (ours, theirs) = pair;
        tokio::time::timeout(HANGS_AFTER, case(ours, theirs)).await.expect("hangs");
    }
}

async fn our_client(setup: &Setup) -> (Session, MuxadoSession) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = connect_with(listener.local_addr().unwrap(), &setup.ours).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    (ours, start(setup, tcp, SessionBuilder::server))
}

async fn our_server(setup: &Setup) -> (Session, MuxadoSession) {
    let listener = Listener::bind_with("127.0.0.1:0", &setup.ours).await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    (ours, start(setup, tcp, SessionBuilder::client))
}

type Side = fn(SessionBuilder<TcpStream>) -> SessionBuilder<TcpStream>;

fn start(setup: &Setup, tcp: TcpStream, side: Side) -> MuxadoSession {
    tcp.set_nodelay(true).unwrap();
    let builder = side(SessionBuilder::new(tcp));
    match setup.their_accept_queue {
        Some(streams) => builder.accept_queue_size(streams).start(),
        None => builder.start(),
    }
}
