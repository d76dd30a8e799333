//! The public end: hands each user's connection to one of the clients that have dialled in, as a stream.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use muxado_tokio::tls::{Tls, TlsOptions};
use muxado_tokio::{Listener, Session, Stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::login::admit;
use super::relay::{abort_on_close, relay};
use super::secure::Guard;
use super::{log, stop};

pub(crate) struct Server {
    public: TcpListener,
    control: Control,
    /// What a client must know: nothing if it is empty.
    secret: Arc<[u8]>,
    clients: Clients,
}

/// Where clients connect.
enum Control {
    Plain(Listener),
    Secure(Listener<Tls>),
}

/// Clients that are logging in at once. More are turned away: they are not known yet.
const MAX_LOGINS: usize = 256;

impl Control {
    async fn bind(address: &str, guard: &Guard) -> anyhow::Result<Control> {
        let config = super::config()?;
        let bound = match guard.tls()? {
            Some(tls) => {
                let options = TlsOptions::new().config(config).require_alpn(true);
                Listener::bind_tls_with(address, tls, &options).await.map(Control::Secure)
            }
            None => Listener::bind_with(address, &config).await.map(Control::Plain),
        };
        bound.with_context(|| format!("cannot listen for clients on {address}"))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Control::Plain(listener) => listener.local_addr(),
            Control::Secure(listener) => listener.local_addr(),
        }
    }

    async fn accept(&self) -> io::Result<(Session, SocketAddr)> {
        match self {
            Control::Plain(listener) => listener.accept().await,
            Control::Secure(listener) => listener.accept().await,
        }
    }
}

impl Server {
    pub(crate) async fn bind(public: &str, control: &str, guard: &Guard) -> anyhow::Result<Server> {
        Ok(Server {
            public: TcpListener::bind(public)
                .await
                .with_context(|| format!("cannot listen for users on {public}"))?,
            control: Control::bind(control, guard).await?,
            secret: guard.secret()?.into(),
            clients: Clients::default(),
        })
    }

    /// The address for users.
    pub(crate) fn public(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// The address for clients.
    pub(crate) fn control(&self) -> io::Result<SocketAddr> {
        self.control.local_addr()
    }

    pub(crate) fn clients(&self) -> Clients {
        self.clients.clone()
    }

    /// Serves until `stop` resolves. Then running connections have a few seconds to finish.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Server { public, control, secret, clients } = self;
        let logins = Arc::new(Semaphore::new(MAX_LOGINS));
        let mut tasks = JoinSet::new();
        tokio::pin!(stop);
        let result = loop {
            tokio::select! {
                () = &mut stop => break Ok(()),
                // Lets go of those that have ended.
                Some(_) = tasks.join_next() => {}
                accepted = control.accept() => match accepted {
                    Ok((session, address)) => {
                        let Ok(login) = logins.clone().try_acquire_owned() else { continue };
                        let (clients, secret) = (clients.clone(), secret.clone());
                        tasks.spawn(async move {
                            let admitted = admit(&session, &secret).await;
                            drop(login);
                            match admitted {
                                Ok(()) => attend(clients, address, session).await,
                                Err(error) => log(format_args!("client {address} turned away: {error}")),
                            }
                        });
                    }
                    Err(error) => break Err(error).context("cannot accept clients any more"),
                },
                accepted = public.accept() => match accepted {
                    Ok((tcp, user)) => { tasks.spawn(forward(clients.clone(), tcp, user)); }
                    // Out of files, most likely. That passes, and must not end the server.
                    Err(error) => {
                        log(format_args!("cannot accept a user: {error}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        };
        // Nobody new may wait in vain while the rest finish.
        drop((public, control));
        clients.drain();
        stop::join(tasks).await;
        result
    }
}

/// Keeps a client listed for as long as its session lives.
async fn attend(clients: Clients, address: SocketAddr, session: Session) {
    clients.add(address, session.clone());
    log(format_args!("client {address} connected, {} in all", clients.count()));
    // Behind the login, streams are opened by this end only.
    while let Ok(stream) = session.accept().await {
        _ = stream.refuse();
    }
    clients.remove(address);
    let end = session.closed().await;
    log(format_args!("client {address} gone: {end}"));
}

async fn forward(clients: Clients, tcp: TcpStream, user: SocketAddr) {
    let Some(stream) = clients.open().await else {
        _ = abort_on_close(&tcp);
        return log(format_args!("{user}: connection closed, because no client is connected"));
    };
    if let Err(error) = relay(tcp, stream).await {
        log(format_args!("{user}: connection aborted: {error}"));
    }
}

/// The clients that are connected, in the order of their turns.
#[derive(Clone, Default)]
pub(crate) struct Clients(watch::Sender<VecDeque<(SocketAddr, Session)>>);

impl Clients {
    fn add(&self, address: SocketAddr, session: Session) {
        self.0.send_modify(|clients| clients.push_back((address, session)));
    }

    fn remove(&self, address: SocketAddr) {
        self.0.send_modify(|clients| clients.retain(|(other, _)| *other != address));
    }

    /// The client whose turn it is.
    fn next(&self) -> Option<(SocketAddr, Session)> {
        let mut next = None;
        self.0.send_modify(|clients| {
            next = clients.pop_front();
            clients.extend(next.clone());
        });
        next
    }

    /// Opens a stream to the client whose turn it is, passing over those that take none any more.
    async fn open(&self) -> Option<Stream> {
        loop {
            let (address, session) = self.next()?;
            match session.open().await {
                Ok(stream) => return Some(stream),
                Err(error) => {
                    log(format_args!("client {address} is passed over: {error}"));
                    self.remove(address);
                }
            }
        }
    }

    /// How many are listed.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits until `count` clients are listed.
    pub(crate) async fn reach(&self, count: usize) {
        // Fails only without a sender, and this is one.
        _ = self.0.subscribe().wait_for(|clients| clients.len() == count).await;
    }

    fn drain(&self) {
        for (_, session) in self.0.borrow().iter() {
            // Starts at once; `attend` waits for the end.
            drop(session.drain(stop::GRACE));
        }
    }
}
