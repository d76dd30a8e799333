//! The tunnel example over real TCP: what users and services see of it when all goes well, and when it does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../examples/tunnel/main.rs"]
#[allow(dead_code, reason = "`main` and what only it uses")]
mod tunnel;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use muxado_tokio::Stats;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tunnel::args::{self, Command};
use tunnel::client::Client;
use tunnel::demo::{self, content, download, http::FileServer};
use tunnel::secure::{Guard, Identity, Pass};
use tunnel::server::{Clients, Server};

const LOCAL: &str = "127.0.0.1:0";

/// A future that resolves when the other half is dropped.
fn stop() -> (oneshot::Sender<()>, impl Future<Output = ()>) {
    let (stop, stopped) = oneshot::channel();
    (stop, async move { _ = stopped.await })
}

struct Public {
    users: SocketAddr,
    control: SocketAddr,
    clients: Clients,
    stop: oneshot::Sender<()>,
    done: JoinHandle<anyhow::Result<()>>,
}

async fn server() -> Public {
    let server = Server::bind(LOCAL, LOCAL, &Guard::default()).await.unwrap();
    let (users, control) = (server.public().unwrap(), server.control().unwrap());
    let (clients, (stop, stopped)) = (server.clients(), stop());
    Public { users, control, clients, stop, done: tokio::spawn(server.run(stopped)) }
}

struct Behind {
    stop: oneshot::Sender<()>,
    done: JoinHandle<anyhow::Result<Stats>>,
}

async fn client(control: SocketAddr, local: SocketAddr) -> Behind {
    let client = Client::connect(&control.to_string(), &Pass::default()).await.unwrap();
    let (stop, stopped) = stop();
    Behind { stop, done: tokio::spawn(async move { client.run(&local.to_string(), stopped).await }) }
}

/// A local service that hands its connections to the test.
async fn service() -> (SocketAddr, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            if send.send(tcp).await.is_err() {
                break;
            }
        }
    });
    (address, receive)
}

/// A local service that says its name and ends.
async fn named(name: &'static str) -> SocketAddr {
    let (address, mut connections) = service().await;
    tokio::spawn(async move {
        while let Some(mut tcp) = connections.recv().await {
            tcp.write_all(name.as_bytes()).await.unwrap();
        }
    });
    address
}

/// One server, one client, one service, and a user's connection through them all.
async fn joined() -> (Public, Behind, TcpStream, TcpStream) {
    let (local, mut connections) = service().await;
    let public = server().await;
    let behind = client(public.control, local).await;
    public.clients.reach(1).await;
    let user = TcpStream::connect(public.users).await.unwrap();
    let connection = connections.recv().await.unwrap();
    (public, behind, user, connection)
}

/// What a user who connects and says nothing is told.
async fn ask(users: SocketAddr) -> io::Result<String> {
    let mut answer = String::new();
    TcpStream::connect(users).await?.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn read_all(tcp: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    tcp.read_to_end(&mut all).await.map(|_| all)
}

fn abort(tcp: TcpStream) {
    SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).unwrap();
}

fn is_reset<T: std::fmt::Debug>(result: io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::ConnectionReset)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_may_half_close_and_still_read_the_answer() {
    let (_public, _behind, mut user, mut connection) = joined().await;
    user.write_all(b"question").await.unwrap();
    user.shutdown().await.unwrap();
    assert_eq!(read_all(&mut connection).await.unwrap(), b"question");
    connection.write_all(b"answer").await.unwrap();
    drop(connection);
    assert_eq!(read_all(&mut user).await.unwrap(), b"answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_may_speak_first_and_half_close_and_still_listen() {
    let (_public, _behind, mut user, mut connection) = joined().await;
    connection.write_all(b"welcome").await.unwrap();
    connection.shutdown().await.unwrap();
    assert_eq!(read_all(&mut user).await.unwrap(), b"welcome");
    user.write_all(b"thanks").await.unwrap();
    drop(user);
    assert_eq!(read_all(&mut connection).await.unwrap(), b"thanks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_cut_short_by_the_service_is_an_error_for_the_user() {
    let (_public, _behind, mut user, mut connection) = joined().await;
    connection.write_all(b"first half").await.unwrap();
    let mut first = [0; 10];
    user.read_exact(&mut first).await.unwrap();
    abort(connection);
    assert!(is_reset(read_all(&mut user).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cut_short_by_the_user_is_an_error_for_the_service() {
    let (_public, _behind, mut user, mut connection) = joined().await;
    user.write_all(b"first half").await.unwrap();
    let mut first = [0; 10];
    connection.read_exact(&mut first).await.unwrap();
    abort(user);
    assert!(is_reset(read_all(&mut connection).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_user_has_not_taken_yet_outlives_the_tunnel() {
    let (local, mut connections) = service().await;
    let public = server().await;
    let _behind = client(public.control, local).await;
    public.clients.reach(1).await;
    let user = TcpSocket::new_v4().unwrap();
    // So that most of the answer waits at the server.
    user.set_recv_buffer_size(4096).unwrap();
    let mut user = user.connect(public.users).await.unwrap();
    user.shutdown().await.unwrap();
    let mut connection = connections.recv().await.unwrap();
    connection.write_all(&[7; 100_000]).await.unwrap();
    drop(connection);
    drop(public.stop);
    public.done.await.unwrap().unwrap();
    assert_eq!(read_all(&mut user).await.unwrap(), [7; 100_000]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_leaves_stops_an_answer_after_a_half_close() {
    let (_public, _behind, mut user, mut connection) = joined().await;
    user.shutdown().await.unwrap();
    assert_eq!(read_all(&mut connection).await.unwrap(), b"");
    abort(user);
    // Up to a GiB, which is far more than can be on its way.
    let block = vec![0; 64 * 1024];
    for _ in 0..16 * 1024 {
        if connection.write_all(&block).await.is_err() {
            return;
        }
    }
    panic!("nobody told the service that its user has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_the_tunnel_that_dies_is_an_error_on_both_sides() {
    for server_dies in [false, true] {
        let (public, behind, mut user, mut connection) = joined().await;
        user.write_all(b"x").await.unwrap();
        connection.read_u8().await.unwrap();
        let died = if server_dies { public.done.abort_handle() } else { behind.done.abort_handle() };
        died.abort();
        assert!(is_reset(read_all(&mut user).await), "server dies: {server_dies}");
        assert!(is_reset(read_all(&mut connection).await), "server dies: {server_dies}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_the_ends_is_an_error_on_both_sides() {
    let (local, mut connections) = service().await;
    let public = server().await;
    // In the middle, a connection of its own to each end, closed in an orderly way: no reset gives the cut away.
    let middle = TcpListener::bind(LOCAL).await.unwrap();
    let address = middle.local_addr().unwrap();
    let control = public.control;
    let (cut, cable) = stop();
    tokio::spawn(async move {
        let (mut to_client, _) = middle.accept().await.unwrap();
        let mut to_server = TcpStream::connect(control).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut to_client, &mut to_server) => {}
            () = cable => {}
        }
    });
    let behind = client(address, local).await;
    public.clients.reach(1).await;
    let mut user = TcpStream::connect(public.users).await.unwrap();
    let mut connection = connections.recv().await.unwrap();
    connection.write_all(b"x").await.unwrap();
    user.read_u8().await.unwrap();

    drop(cut);
    assert!(is_reset(read_all(&mut user).await));
    assert!(is_reset(read_all(&mut connection).await));
    let error = behind.done.await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("lost the tunnel server: "), "{error}");
    public.clients.reach(0).await;
    assert!(is_reset(ask(public.users).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_service_costs_only_the_connections_to_it() {
    let dead = TcpListener::bind(LOCAL).await.unwrap().local_addr().unwrap();
    let public = server().await;
    let behind = client(public.control, dead).await;
    public.clients.reach(1).await;
    for _ in 0..3 {
        assert!(is_reset(ask(public.users).await));
    }
    assert_eq!(public.clients.count(), 1);
    drop(behind.stop);
    let stats = behind.done.await.unwrap().unwrap();
    assert_eq!((stats.accepted, stats.resets_sent), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_client_users_are_turned_away() {
    let public = server().await;
    assert!(is_reset(ask(public.users).await));
    drop(public.stop);
    public.done.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_take_turns_and_one_that_left_is_passed_over() {
    let public = server().await;
    let a = client(public.control, named("a").await).await;
    public.clients.reach(1).await;
    let _b = client(public.control, named("b").await).await;
    public.clients.reach(2).await;
    for expected in ["a", "b", "a", "b"] {
        assert_eq!(ask(public.users).await.unwrap(), expected);
    }
    drop(a.stop);
    assert_eq!(a.done.await.unwrap().unwrap().accepted, 2);
    public.clients.reach(1).await;
    for _ in 0..3 {
        assert_eq!(ask(public.users).await.unwrap(), "b");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_finishes_what_it_carries() {
    let (public, leaving, mut user, mut connection) = joined().await;
    user.write_all(b"x").await.unwrap();
    connection.read_u8().await.unwrap();
    let _other = client(public.control, named("other").await).await;
    public.clients.reach(2).await;
    drop(leaving.stop);
    // Until its goodbye has come, the server may still try the client, which refuses.
    while public.clients.count() == 2 {
        assert!(
            ask(public.users).await.map_or_else(|e| e.kind() == ErrorKind::ConnectionReset, |n| n == "other")
        );
    }
    assert_eq!(ask(public.users).await.unwrap(), "other");
    connection.write_all(b"answer").await.unwrap();
    drop((connection, user.shutdown().await.unwrap()));
    assert_eq!(read_all(&mut user).await.unwrap(), b"answer");
    leaving.done.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_finishes_what_it_carries_and_takes_no_more() {
    let (public, behind, mut user, mut connection) = joined().await;
    drop(public.stop);
    while TcpStream::connect(public.users).await.is_ok() {}
    user.write_all(b"question").await.unwrap();
    user.shutdown().await.unwrap();
    assert_eq!(read_all(&mut connection).await.unwrap(), b"question");
    connection.write_all(b"answer").await.unwrap();
    drop(connection);
    assert_eq!(read_all(&mut user).await.unwrap(), b"answer");
    public.done.await.unwrap().unwrap();
    let error = behind.done.await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("lost the tunnel server: session closed by the peer"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_reached_is_named() {
    let nobody = TcpListener::bind(LOCAL).await.unwrap().local_addr().unwrap().to_string();
    let error = Client::connect(&nobody, &Pass::default()).await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, format!("cannot reach the tunnel server at {nobody}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_downloads_every_file_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    // No name of Windows has a question mark.
    let odd = if cfg!(windows) { "below/#;" } else { "below/#?" };
    let names = ["empty", "one", "with space & percent %41", "größe", "below/large", odd];
    for (index, name) in names.into_iter().enumerate() {
        std::fs::write(folder.path().join(name), vec![b'x'; index * 100_000]).unwrap();
    }
    let report = demo::run(Some(folder.path().into()), 3, std::future::pending()).await.unwrap();
    assert_eq!(report.failures, [""; 0]);
    assert_eq!((report.files, report.streams, report.bytes), (6, 6, 1_500_000));
    report.verdict().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_notices_what_did_not_arrive_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["same", "changed", "shorter", "gone"] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let files = content::list(folder.path()).await.unwrap();
    std::fs::write(folder.path().join("changed"), "CHANGED").unwrap();
    std::fs::write(folder.path().join("shorter"), "short").unwrap();
    std::fs::remove_file(folder.path().join("gone")).unwrap();

    let web = FileServer::bind(LOCAL, folder.path().into()).await.unwrap();
    let address = web.address().unwrap();
    tokio::spawn(web.run(std::future::pending()));
    let mut failures = download::all(files, address, 2).await.unwrap();
    failures.sort();
    assert_eq!(
        failures,
        [
            "changed: the checksum differs",
            "gone: did not arrive: the server says HTTP/1.1 404 Not Found",
            "shorter: did not arrive: 5 bytes came instead of 7",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_demo_is_an_error() {
    let error = demo::run(None, 64, std::future::ready(())).await.unwrap_err().to_string();
    assert_eq!(error, "interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_works_through_the_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
    std::fs::write(folder.path().join("file.bin"), &content).unwrap();
    let web = FileServer::bind(LOCAL, folder.path().into()).await.unwrap();
    let local = web.address().unwrap();
    tokio::spawn(web.run(std::future::pending()));
    let public = server().await;
    let _behind = client(public.control, local).await;
    public.clients.reach(1).await;

    let curl = |name: &str| {
        let url = format!("http://{}/{name}", public.users);
        let mut command = std::process::Command::new("curl");
        command.args(["--fail", "--silent", "--show-error", "--noproxy", "*", &url]);
        tokio::task::spawn_blocking(move || command.output())
    };
    let got = match curl("file.bin").await.unwrap() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: curl is not installed");
            return;
        }
        output => output.unwrap(),
    };
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
    assert!(got.stdout == content, "{} bytes differ from the file", got.stdout.len());
    for outside in ["none.bin", "%2e%2e/secret", "/etc/passwd", ""] {
        let got = curl(outside).await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&got.stderr).contains("404"), "{outside:?}: {got:?}");
    }
}

#[test]
fn arguments_are_understood_or_explained() {
    let parse = |line: &str| args::parse(line.split_whitespace().map(Into::into).collect());
    for (line, command) in [
        ("--help", Command::Help),
        ("server -h", Command::Help),
        (
            "server --public 0.0.0.0:80 --control [::]:7000",
            Command::Server {
                public: "0.0.0.0:80".into(),
                control: "[::]:7000".into(),
                guard: Guard::default(),
            },
        ),
        (
            "client --local=web:80 --server=tunnel.example:7000",
            Command::Client {
                server: "tunnel.example:7000".into(),
                local: "web:80".into(),
                pass: Pass::default(),
            },
        ),
        ("files --listen a:1 --files x", Command::Files { listen: "a:1".into(), folder: "x".into() }),
        (
            "server --public a:1 --control a:2 --cert c --key k --client-ca ca --secret s",
            Command::Server {
                public: "a:1".into(),
                control: "a:2".into(),
                guard: Guard {
                    identity: Some(Identity { cert: "c".into(), key: "k".into() }),
                    client_ca: Some("ca".into()),
                    secret: Some("s".into()),
                },
            },
        ),
        (
            "client --server a:1 --local a:2 --ca ca --name n --cert c --key k --secret s",
            Command::Client {
                server: "a:1".into(),
                local: "a:2".into(),
                pass: Pass {
                    ca: Some("ca".into()),
                    name: Some("n".into()),
                    identity: Some(Identity { cert: "c".into(), key: "k".into() }),
                    secret: Some("s".into()),
                },
            },
        ),
        ("demo", Command::Demo { folder: None, connections: 64 }),
        ("demo --files x --connections 3", Command::Demo { folder: Some("x".into()), connections: 3 }),
    ] {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
    for (line, part) in [
        ("", "a command is missing"),
        ("serve", "no command `serve`"),
        ("server --public a:1", "'--control' option must be set"),
        ("client --server a --local b:1", "not HOST:PORT"),
        ("client --server a:99999 --local b:1", "not HOST:PORT"),
        ("server --public a:1 --control a:2 --secret s", "without TLS"),
        ("server --public a:1 --control a:2 --client-ca s", "without TLS"),
        ("client --server a:1 --local a:2 --secret s", "without TLS"),
        ("client --server a:1 --local a:2 --ca ca --cert c", "go together"),
        ("demo --connections 0", "not a number from 1"),
        ("demo --connections 18446744073709551615", "not a number from 1"),
        ("demo --connections", "doesn't have an associated value"),
        ("demo more", "`more` is not expected"),
        ("files --listen a:1", "--files is missing"),
        ("files --listen a:1 --files x --listen b:1", "`--listen` is not expected"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}
