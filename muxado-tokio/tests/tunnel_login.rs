//! The tunnel example with TLS and a login: who is let in, and who is not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../examples/tunnel/main.rs"]
#[allow(dead_code, reason = "`main` and what only it uses")]
mod tunnel;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use muxado_testkit::certs::{Authority, HOST};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tunnel::client::Client;
use tunnel::secure::{Guard, Identity, Pass};
use tunnel::server::{Clients, Server};

const LOCAL: &str = "127.0.0.1:0";

/// Files as people have them.
struct Files {
    folder: tempfile::TempDir,
    ours: Authority,
}

impl Files {
    fn new() -> Files {
        Files { folder: tempfile::tempdir().unwrap(), ours: Authority::new() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn ca(&self) -> PathBuf {
        self.write("ca.pem", &self.ours.pem())
    }

    fn identity(&self, name: &str, issuer: &Authority) -> Identity {
        let identity = issuer.issue();
        Identity {
            cert: self.write(&format!("{name}.pem"), &identity.cert_pem),
            key: self.write(&format!("{name}.key"), &identity.key_pem),
        }
    }

    /// A server with a certificate of ours.
    fn guard(&self) -> Guard {
        Guard { identity: Some(self.identity("server", &self.ours)), ..Guard::default() }
    }

    /// A client that trusts it.
    fn pass(&self) -> Pass {
        Pass { ca: Some(self.ca()), name: Some(HOST.to_owned()), ..Pass::default() }
    }
}

struct Running {
    users: SocketAddr,
    control: String,
    clients: Clients,
}

async fn server(guard: &Guard) -> Running {
    let server = Server::bind(LOCAL, LOCAL, guard).await.unwrap();
    let (users, control) = (server.public().unwrap(), server.control().unwrap().to_string());
    let clients = server.clients();
    tokio::spawn(server.run(std::future::pending()));
    Running { users, control, clients }
}

/// A local service that greets once.
async fn service() -> String {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await?;
        tcp.write_all(b"hello").await
    });
    address
}

async fn greeting(users: SocketAddr) -> io::Result<String> {
    let mut greeting = String::new();
    TcpStream::connect(users).await?.read_to_string(&mut greeting).await?;
    Ok(greeting)
}

/// Connects a client, and either a user reaches the service or the reason why not.
async fn attempt(running: &Running, pass: &Pass) -> anyhow::Result<String> {
    let client = Client::connect(&running.control, pass).await?;
    let local = service().await;
    let serving = tokio::spawn(async move { client.run(&local, std::future::pending()).await });
    tokio::select! {
        () = running.clients.reach(1) => Ok(greeting(running.users).await?),
        ended = serving => Err(ended.unwrap().unwrap_err()),
    }
}

async fn nobody_is_served(running: &Running) {
    assert_eq!(running.clients.count(), 0);
    assert!(greeting(running.users).await.is_err());
}

#[tokio::test]
async fn with_the_secret_one_is_let_in_and_without_it_not() {
    let files = Files::new();
    let guard = Guard { secret: Some(files.write("secret", "open sesame\n")), ..files.guard() };
    let running = server(&guard).await;
    let wrong = Pass { secret: Some(files.write("wrong", "open barley")), ..files.pass() };
    let error = attempt(&running, &wrong).await.unwrap_err();
    assert!(format!("{error:#}").contains("wrong secret"), "{error:#}");
    // One that has none is told so, at once.
    let error = attempt(&running, &files.pass()).await.unwrap_err();
    assert!(format!("{error:#}").contains("no secret was given"), "{error:#}");
    nobody_is_served(&running).await;
    // One that sends another stream than a login, or a secret that is a part of it or more than it.
    for said in ["open", "open sesame and more", "GET / HTTP/1.1"] {
        let pass = Pass { secret: Some(files.write("said", said)), ..files.pass() };
        attempt(&running, &pass).await.unwrap_err();
    }
    nobody_is_served(&running).await;

    let right = Pass { secret: Some(files.write("right", "open sesame")), ..files.pass() };
    assert_eq!(attempt(&running, &right).await.unwrap(), "hello");
}

#[tokio::test]
async fn with_a_certificate_one_is_let_in_and_without_it_not() {
    let files = Files::new();
    let running = server(&Guard { client_ca: Some(files.ca()), ..files.guard() }).await;
    let foreign = files.identity("foreign", &Authority::new());
    for identity in [None, Some(foreign)] {
        // The handshake is done for the client before the server has seen its certificate. It is not connected yet.
        let pass = Pass { identity, ..files.pass() };
        assert!(Client::connect(&running.control, &pass).await.is_err());
        nobody_is_served(&running).await;
    }
    let ours = Some(files.identity("client", &files.ours));
    assert_eq!(attempt(&running, &Pass { identity: ours, ..files.pass() }).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_client_trusts_no_other_server() {
    let files = Files::new();
    let running = server(&files.guard()).await;
    let other = Pass { ca: Some(files.write("other.pem", &Authority::new().pem())), ..files.pass() };
    attempt(&running, &other).await.unwrap_err();
    let elsewhere = Pass { name: Some("elsewhere.example".to_owned()), ..files.pass() };
    attempt(&running, &elsewhere).await.unwrap_err();
    nobody_is_served(&running).await;
    // By its address, which is in the certificate too.
    assert_eq!(attempt(&running, &Pass { name: None, ..files.pass() }).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_secret_that_nobody_asked_for_is_told() {
    let files = Files::new();
    let running = server(&files.guard()).await;
    let pass = Pass { secret: Some(files.write("secret", "open sesame")), ..files.pass() };
    let error = attempt(&running, &pass).await.unwrap_err();
    assert!(format!("{error:#}").contains("wrong secret"), "{error:#}");
}

#[tokio::test]
async fn the_longest_secret_is_as_good_as_any_and_a_longer_one_is_refused_at_once() {
    let files = Files::new();
    let longest = "x".repeat(4096);
    let (secret, too_long) = (files.write("secret", &longest), files.write("long", &(longest + "x")));
    let running = server(&Guard { secret: Some(secret.clone()), ..files.guard() }).await;
    let pass = Pass { secret: Some(secret), ..files.pass() };
    assert_eq!(attempt(&running, &pass).await.unwrap(), "hello");
    let guard = Guard { secret: Some(too_long), ..files.guard() };
    assert!(guard.secret().unwrap_err().to_string().contains("4096"));
}

#[test]
fn files_that_are_none_are_named() {
    let files = Files::new();
    let missing = files.folder.path().join("missing");
    let empty = files.write("empty", "\n");
    for file in [&missing, &empty] {
        let name = file.display().to_string();
        let guard = Guard { secret: Some(file.clone()), ..files.guard() };
        assert!(guard.secret().unwrap_err().to_string().contains(&name));
        let guard = Guard { client_ca: Some(file.clone()), ..files.guard() };
        assert!(guard.tls().unwrap_err().to_string().contains(&name));
        let identity = Identity { cert: file.clone(), key: file.clone() };
        let guard = Guard { identity: Some(identity), ..Guard::default() };
        assert!(guard.tls().unwrap_err().to_string().contains(&name));
    }
}
